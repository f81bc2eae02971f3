// The inspector in two tabs of Chromium: what each panel shows and does, by mouse, by keyboard and to a screen reader.
import type { Page } from 'playwright-core'
import { afterEach, describe, expect, test } from 'vitest'
import { eventually } from './harness.ts'
import { lookAt } from './look.ts'
import { useChromium } from './suite.ts'

const suite = useChromium()
const problems: string[] = []

async function open(): Promise<Page> {
  const page = await suite.profile.context.newPage()
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && problems.push(message.text()))
  await page.setViewportSize({ width: 1280, height: 900 })
  await page.goto(suite.server.url.replace('page.html', 'inspector.html'))
  await page.waitForFunction(() => 'isReady' in window)
  return page
}

afterEach(async () => {
  await Promise.all(suite.profile.context.pages().map((page) => page.close()))
})

const panel = (page: Page, name: string): Promise<void> => page.getByRole('tab', { name: new RegExp(`^${name}`) }).click()
const shown = (page: Page): Promise<string> => page.getByRole('tabpanel').innerText()

describe('the inspector', () => {
  test('shows who is here and leads, and takes the lead', async () => {
    const [one, two] = [await open(), await open()]
    await eventually(() => shown(two), (text) => text.includes('2 tabs have this store') && text.includes('leader'))
    const [leader, other] = (await one.evaluate(() => window.store.leader.isLeader)) ? [one, two] : [two, one]
    await eventually(() => leader.getByRole('button', { name: 'Lead from this tab' }).isDisabled(), Boolean)
    const term = await other.evaluate(() => window.store.leader.term)
    await other.getByRole('button', { name: 'Lead from this tab' }).click()
    await other.getByText('This tab leads now.').waitFor()
    await eventually(() => leader.evaluate(() => [window.store.leader.isLeader, window.store.leader.term] as const), ([leads, now]) => !leads && now > term)
    expect(problems).toEqual([])
  })

  test('shows the state, and who wrote what last', async () => {
    const [one, two] = [await open(), await open()]
    await eventually(() => one.evaluate(() => window.store.tabs.length), (count) => count === 2)
    await two.evaluate(() => window.store.set(['tasks', 1, 'title'], 'Oil the old bridge').shared)
    await panel(one, 'State')
    await one.getByText('tasks', { exact: true }).click()
    await one.locator('details details summary').nth(1).click()
    const label = await two.evaluate(() => window.store.tab.label)
    await eventually(() => shown(one), (text) => text.includes('"Oil the old bridge"') && text.includes(`${label}, `))
    await one.evaluate(() => void window.store.setState({ draft: 1n as never }))
    await eventually(() => one.locator('li', { hasText: /^\s*draft/ }).innerText(), (text) => /^draft\s+1\s*$/.test(text))
    await one.evaluate(() => void window.store.setState({ draft: 'of this tab' }))
    await eventually(() => one.locator('li', { hasText: /^\s*draft/ }).innerText(), (text) => /^draft\s+"of this tab"\s*$/.test(text))
    // A list that is long shows a part.
    await one.evaluate(() => void window.store.setState({ tasks: Array.from({ length: 250 }, (_, i) => ({ id: String(i), title: `task ${i}` })) }))
    const more = one.getByRole('button', { name: /^Show more/ })
    await eventually(() => more.innerText(), (text) => text === 'Show more of 150')
    await more.click()
    await eventually(() => more.innerText(), (text) => text === 'Show more of 50')
    await one.evaluate(() => void window.store.setState({ tasks: window.store.getInitialState().tasks as object[] }))
    expect(problems).toEqual([])
  })

  test('shows frames, with a filter and a pause', async () => {
    const [one, two] = [await open(), await open()]
    await eventually(() => one.evaluate(() => window.store.tabs.length), (count) => count === 2)
    await panel(one, 'Frames')
    await two.evaluate(() => window.store.increment(['visits']).shared)
    await one.evaluate(() => window.store.increment(['visits']).durable)
    await eventually(() => shown(one), (text) => /← in\s+ops/.test(text) && /→ out\s+ops/.test(text) && text.includes('1 record'))
    await one.getByRole('combobox', { name: 'Show' }).selectOption('stored')
    await eventually(() => shown(one), (text) => !text.includes('ops') && text.includes('1 record'))
    await one.getByRole('combobox', { name: 'Show' }).selectOption('all')
    await one.getByLabel('Containing').fill('ops')
    await eventually(() => shown(one), (text) => text.includes('ops') && !text.includes('record\t'))
    await one.getByRole('button', { name: 'Pause' }).click()
    const paused = (await one.locator('tbody tr').count())
    await two.evaluate(() => window.store.increment(['visits']).shared)
    await one.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300))) // three views later
    expect(await one.locator('tbody tr').count()).toBe(paused)
    await one.getByRole('button', { name: 'Pause' }).click()
    await eventually(() => one.locator('tbody tr').count(), (count) => count > paused)
    await one.getByRole('button', { name: 'Clear' }).click()
    await eventually(() => one.locator('tbody tr').count(), (count) => count === 0)
    // Out of the page it does not listen, and in it again, and with another store, it does.
    const rows = one.locator('tbody tr')
    const removed = await one.evaluateHandle(() => {
      const inspector = document.querySelector('tabmesh-inspector')!
      inspector.remove()
      return inspector
    })
    await one.evaluate(() => window.store.increment(['visits']).durable)
    await one.evaluate((inspector) => document.querySelector('main')!.append(inspector), removed)
    expect(await rows.count()).toBe(0)
    await one.evaluate(() => window.store.increment(['visits']).durable)
    await eventually(() => rows.count(), (count) => count > 0)
    const made = await one.evaluate(async (inspector) => {
      const other = window.tabmesh.createStore({ name: 'another', state: { only: 'here' } })
      Object.assign(window, { other })
      await other.ready
      Object.assign(inspector, { store: other })
      return other.tab.label
    }, removed)
    await eventually(() => one.locator('header').innerText(), (text) => text.includes(made))
    await eventually(() => rows.count(), (count) => count === 0)
    await panel(one, 'State')
    await eventually(() => shown(one), (text) => text.includes('only') && !text.includes('heading'))
    await one.evaluate(() => (window as unknown as { other: typeof window.store }).other.close())
    await panel(one, 'Tabs')
    await eventually(() => shown(one), (text) => text.includes('0 tabs have this store'))
    await one.evaluate(() => document.querySelector('tabmesh-inspector')!.store = undefined)
    await one.getByText('No store is shown').waitFor()
    expect(problems).toEqual([])
  })

  test('shows conflicts side by side; one is kept, one merged by hand', async () => {
    const [one, two] = [await open(), await open()]
    await eventually(() => one.evaluate(() => window.store.tabs.length), (count) => count === 2)
    const collide = async (values: readonly unknown[]): Promise<void> => {
      await Promise.all([one, two].map((page, i) => page.evaluate(([value, at]) => new Promise<void>((resolve) => {
        while (Date.now() < (at));
        window.store.setState({ heading: value })
        resolve()
      }), [values[i], Date.now() + 150] as const)))
      await eventually(() => one.evaluate(() => window.store.conflicts.list().length), (count) => count === 1)
    }
    await collide(['Harbour A', 'Harbour B'])
    await panel(one, 'Conflicts')
    await eventually(() => shown(one), (text) => text.includes('"Harbour A"') && text.includes('"Harbour B"') && text.includes('Before'))
    expect(await one.getByRole('tab', { name: 'Conflicts 1' }).count()).toBe(1)
    await one.getByRole('button', { name: /^Keep this: what this tab wrote/ }).click()
    for (const page of [one, two]) await eventually(() => page.evaluate(() => [window.store.getState().heading as unknown, window.store.conflicts.list().length]), ([heading, count]) => heading === 'Harbour A' && count === 0)
    await collide([{ text: 'one', size: 1 }, { text: 'two', color: 'red' }])
    await one.getByRole('button', { name: 'Merge …' }).press('Enter')
    await eventually(() => one.evaluate(() => document.querySelector('tabmesh-inspector')!.shadowRoot!.activeElement?.getAttribute('role')), (role) => role === 'tabpanel') // the button is gone
    const draft = one.getByLabel('Merged value of heading, as JSON')
    expect(Object.keys(JSON.parse(await draft.inputValue()) as object).sort()).toEqual(['color', 'size', 'text'])
    await draft.fill('{ "text": ')
    await one.getByRole('button', { name: 'Keep the merged value' }).click()
    await one.getByRole('alert').filter({ hasText: 'This is no JSON' }).waitFor()
    await draft.fill('{ "text": "both" }')
    await one.getByRole('button', { name: 'Keep the merged value' }).click()
    for (const page of [one, two]) await eventually(() => page.evaluate(() => JSON.stringify([window.store.getState().heading, window.store.conflicts.list().length])), (now) => now === '[{"text":"both"},0]')
    await one.evaluate(() => void window.store.setState({ heading: 'Harbour' }))
    expect(problems).toEqual([])
  })

  test('shows layers and latencies', async () => {
    const [one, two] = [await open(), await open()]
    await eventually(() => one.evaluate(() => window.store.tabs.length), (count) => count === 2)
    await panel(one, 'Storage')
    await eventually(() => shown(one), (text) => /Journal, in IndexedDB\s+\d+ checkpoints?, \d+ records?/.test(text) && text.includes('Safe to close'))
    for (let n = 0; n < 10; n++) await two.evaluate(() => window.store.increment(['visits']).durable)
    await panel(one, 'Latency')
    await one.getByRole('img', { name: /^Written there, seen here: \d+ times/ }).waitFor()
    await panel(two, 'Latency')
    await two.getByRole('img', { name: /^Written here, durable: \d+ times/ }).waitFor()
    // Who goes on elsewhere in the page is left alone.
    await one.evaluate(() => document.querySelector('main')!.append(Object.assign(document.createElement('input'), { id: 'elsewhere' })))
    await panel(one, 'Latency')
    await one.locator('#elsewhere').focus()
    for (const n of [1, 2]) {
      const before = await one.evaluate(() => window.store.version)
      await two.evaluate(() => window.store.increment(['visits']).shared)
      await eventually(() => one.evaluate(() => window.store.version), (version) => version > before)
      await eventually(() => one.getByRole('img').first().getAttribute('aria-label'), (label) => label!.includes(`: ${10 + n} times`))
    }
    expect(await one.evaluate(() => document.activeElement!.id)).toBe('elsewhere')
    // A page that is busy sees late.
    await one.evaluate(() => {
      const until = performance.now() + 300
      setTimeout(() => {
        while (performance.now() < until);
      })
    })
    await two.evaluate(() => void window.store.increment(['visits']))
    await eventually(() => shown(one), (text) => text.includes('Changes that were slow'))
    expect(problems).toEqual([])
  })

  test('works by the keyboard, and axe finds nothing, light and dark, at 1280 and 390 pixels', async () => {
    const [one, two] = [await open(), await open()]
    await eventually(() => one.evaluate(() => window.store.tabs.length), (count) => count === 2)
    await two.evaluate(() => window.store.set(['tasks', 0, 'done'], true).shared)
    for (let n = 0; n < 20; n++) await two.evaluate(() => window.store.increment(['visits']).shared)
    await Promise.all([one, two].map((page, i) => page.evaluate(([value, at]) => {
      while (Date.now() < (at));
      window.store.setState({ heading: value })
    }, [`Harbour ${'AB'[i]!}`, Date.now() + 150] as const)))
    await eventually(() => one.evaluate(() => window.store.conflicts.list().length), (count) => count === 1)
    await one.getByRole('tab', { name: /^Tabs/ }).focus()
    const selected = (): Promise<string> => one.getByRole('tab', { selected: true }).innerText()
    const names = ['Tabs', 'State', 'Frames', 'Conflicts', 'Storage', 'Latency']
    for (const name of names) {
      expect(await selected()).toContain(name)
      if (name === 'State') {
        await one.keyboard.press('Tab') // the panel
        await one.keyboard.press('Tab')
        await one.keyboard.press('Enter')
        await eventually(() => shown(one), (text) => text.includes('project'))
        await one.getByRole('tab', { selected: true }).focus()
      }
      if (name === 'Storage') await eventually(() => shown(one), (text) => text.includes('Journal'))
      await lookAt(one, `inspector-${name.toLowerCase()}`)
      await one.getByRole('tab', { selected: true }).focus()
      await one.keyboard.press('ArrowRight')
    }
    expect(await selected()).toContain('Tabs')
    await one.keyboard.press('End')
    expect(await selected()).toContain('Latency')
    expect(problems).toEqual([])
  })
})
