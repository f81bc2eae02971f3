// The demo page as a visitor sees it: two tabs of one profile, every view at two widths, light and dark.
import type { Page } from 'playwright-core'
import { afterEach, describe, expect, test } from 'vitest'
import { relayOn, startRedis } from '../node/relay/servers.ts'
import { eventually, launch } from './harness.ts'
import { lookAt } from './look.ts'
import { useChromium } from './suite.ts'

const suite = useChromium()
const problems: string[] = []

async function open(view = 'dashboard', prepare?: (page: Page) => Promise<unknown>): Promise<Page> {
  const page = await suite.profile.context.newPage()
  page.on('pageerror', (error) => problems.push(error.message))
  // What WebGL has drawn is copied for a browser without a window, and the driver says that this is slow.
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && !message.text().includes('GPU stall') && problems.push(message.text()))
  await page.setViewportSize({ width: 1280, height: 900 })
  await prepare?.(page)
  await page.goto(suite.server.url.replace('/tests/browser/page.html', `/web/dist/index.html#/${view}`))
  await page.waitForFunction(() => /leads|follows/.test(document.querySelector('#self')?.textContent ?? ''))
  return page
}

/** The theme is shared state: the page is asked to change it, as a visitor would. */
const paint = async (page: Page, theme: 'light' | 'dark'): Promise<void> => {
  if ((await page.locator('html').getAttribute('data-theme')) !== theme) await page.locator('#theme').click()
  await eventually(() => page.locator('html').getAttribute('data-theme'), (now) => now === theme)
}

afterEach(async () => {
  await Promise.all(suite.profile.context.pages().map((page) => page.close()))
  expect(problems.splice(0)).toEqual([])
})

describe('the dashboard', () => {
  test('is one in two tabs: tasks, filters, theme, layout, leader, write levels and frames', async () => {
    const [one, two] = [await open(), await open()]
    await eventually(() => two.locator('#tabs li').count(), (count) => count === 2)
    await eventually(() => one.locator('#self').textContent(), (text) => text!.startsWith('leads'))
    await eventually(() => two.locator('#self').textContent(), (text) => text!.startsWith('follows'))

    await one.getByLabel('Title of the new task').fill('Look at it in two windows')
    await one.getByRole('button', { name: 'Add', exact: true }).click()
    await two.getByText('Look at it in two windows').waitFor()
    await two.getByLabel('Look at it in two windows: done').check()
    await eventually(() => one.getByLabel('Look at it in two windows: done').isChecked(), Boolean)

    await one.getByRole('radio', { name: 'Ferry' }).check()
    await eventually(() => two.locator('.task').count(), (count) => count === 2)
    await one.getByRole('radio', { name: 'All' }).first().check()

    // A drag by the mouse: the widget's title onto another widget.
    const handle = (await one.locator('[data-id="load"] h2').boundingBox())!
    const target = (await one.locator('[data-id="progress"] h2').boundingBox())!
    await one.mouse.move(handle.x + 60, handle.y + 8)
    await one.mouse.down()
    await one.mouse.move(target.x + 40, target.y + 8, { steps: 12 })
    await one.mouse.move(target.x + 20, target.y + 8, { steps: 4 })
    await one.mouse.up()
    const order = (page: Page): Promise<string[]> => page.locator('.widget').evaluateAll((all) => all.map((widget) => widget.getAttribute('data-id')!))
    await eventually(() => order(two), (names) => names.indexOf('load') < names.indexOf('progress'))
    expect(await order(one)).toEqual(await order(two))
    // And by the keyboard.
    await one.getByRole('button', { name: 'Move Open by person down' }).press('Enter')
    await eventually(() => order(two), (names) => names.indexOf('load') > names.indexOf('progress'))
    expect(await order(one)).toEqual(await order(two))
    // Its corner: by the mouse, by the keyboard.
    const sizeIn = (page: Page): Promise<{ width: number; height: number } | null> => page.locator('[data-id="notes"]').boundingBox()
    await one.getByRole('button', { name: 'Resize Notes' }).scrollIntoViewIfNeeded()
    await one.mouse.wheel(0, 200) // there is to be room below it
    const before = (await sizeIn(two))!
    const corner = (await one.getByRole('button', { name: 'Resize Notes' }).boundingBox())!
    await one.mouse.move(corner.x + 12, corner.y + 12)
    await one.mouse.down()
    await one.mouse.move(corner.x + 12 - before.width / 2, corner.y + 92, { steps: 8 })
    await one.mouse.up()
    await eventually(() => sizeIn(two), (size) => size!.width < before.width * 0.6 && size!.height > before.height + 40)
    expect((await sizeIn(one))!.height).toBe((await sizeIn(two))!.height)
    const taller = (await sizeIn(one))!
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowDown']) await two.getByRole('button', { name: 'Resize Notes' }).press(key)
    await eventually(() => sizeIn(one), (size) => size!.width === before.width && size!.height === taller.height + 20)
    await two.getByRole('button', { name: 'Resize Notes' }).press('Home')
    await eventually(() => sizeIn(one), (size) => size!.height === before.height)

    await one.locator('#stir').click()
    await eventually(() => one.locator('#stir').isEnabled(), Boolean)
    await eventually(() => one.locator('.levels .reached').count(), (count) => count === 3)
    expect(await one.locator('#figures').textContent()).toMatch(/p50 [\d.]+ ms/)
    expect(await one.locator('#frames tr').count()).toBeGreaterThan(20)
    await lookAt(one, 'dashboard', paint)
    expect(await two.locator('html').getAttribute('data-theme')).toBe('dark')

    await two.close()
    await eventually(() => one.locator('#tabs li').count(), (count) => count === 1)
    await one.reload()
    await one.getByText('Look at it in two windows').waitFor()
  })

  test('is painted, and can be used, before the module is there', async () => {
    const visitor = await launch() // who has never been here: no service worker has the module
    const page = await visitor.context.newPage()
    let letThrough = (): void => undefined
    const held = new Promise<void>((resolve) => (letThrough = resolve))
    let asked = false
    await page.route('**/*.wasm', async (route) => {
      asked = true
      await held
      await route.continue()
    })
    await page.goto(suite.server.url.replace('/tests/browser/page.html', '/web/dist/index.html'))
    await page.locator('.task').first().waitFor()
    await page.getByLabel('Title of the new task').fill('Written before the module came')
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await page.getByText('Written before the module came').waitFor()
    expect([asked, await page.locator('#self').innerText()]).toEqual([true, 'starting …'])
    const painted = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]!.startTime)
    console.info(`first contentful paint after ${painted.toFixed(0)} ms, without the module`)
    letThrough()
    await eventually(() => page.locator('#self').innerText(), (text) => text.startsWith('leads'))
    const other = await visitor.context.newPage()
    await other.goto(page.url())
    await other.getByText('Written before the module came').waitFor()
    await visitor.close()
  })

  test('keeps the caret where one types while another tab writes', async () => {
    const [one, two] = [await open(), await open()]
    const notes = one.getByLabel('Notes', { exact: true })
    await notes.fill('first line\nlast line')
    await notes.press('Control+Home')
    await notes.pressSequentially('so: ')
    await two.getByText('so: first line').waitFor()
    await two.getByLabel('Notes', { exact: true }).fill('so: first line\nanother end')
    await eventually(() => notes.inputValue(), (text) => text.endsWith('another end'))
    await notes.pressSequentially('here ')
    expect(await notes.inputValue()).toBe('so: here first line\nanother end')
  })

  test('has frames that follow, each a member of the mesh', async () => {
    const page = await open()
    for (let i = 0; i < 3; i++) await page.getByRole('button', { name: 'Add a module' }).click()
    await eventually(() => page.locator('#tabs li').count(), (count) => count === 4)
    const module = page.frameLocator('iframe[name="module-2"]')
    await module.getByText('All projects').waitFor()
    await page.getByRole('radio', { name: 'Lighthouse' }).check()
    await module.getByText('Lighthouse').waitFor()
    await page.getByRole('button', { name: 'Change something' }).click()
    for (const row of await page.locator('.modules li p').all()) await eventually(() => row.textContent(), (text) => /p50 [\d.]+ ms/.test(text!))
    await page.getByRole('radio', { name: 'All' }).first().check()
    await lookAt(page, 'modules', paint)
    await page.getByRole('button', { name: 'Remove one' }).click()
    await eventually(() => page.locator('#tabs li').count(), (count) => count === 3)
  })
})

/** Notes what WebGL is given, and the memory of the module that computes. */
function spy(): void {
  const seen = { own: 0, other: 0, memory: undefined as WebAssembly.Memory | undefined }
  ;(globalThis as { spied?: typeof seen }).spied = seen
  const instantiate = WebAssembly.instantiate.bind(WebAssembly)
  WebAssembly.instantiate = (async (...given: Parameters<typeof instantiate>) => {
    const made = (await instantiate(...given)) as unknown as WebAssembly.WebAssemblyInstantiatedSource | WebAssembly.Instance
    const { exports } = 'instance' in made ? made.instance : made
    if ('packPositions' in exports) seen.memory = exports.memory as WebAssembly.Memory
    return made
  }) as typeof instantiate
  for (const name of ['bufferData', 'bufferSubData'] as const) {
    const act = Reflect.get(WebGL2RenderingContext.prototype, name) as (...args: unknown[]) => void
    const value = function (this: WebGL2RenderingContext, ...args: unknown[]): void {
      const data = args.find((one) => ArrayBuffer.isView(one))
      if (data && data.byteLength >= 40_000) seen[data.buffer === seen.memory?.buffer ? 'own' : 'other']++
      act.apply(this, args)
    }
    Object.defineProperty(WebGL2RenderingContext.prototype, name, { value })
  }
}

const spied = (page: Page): Promise<{ own: number; other: number }> => page.evaluate(() => (({ own, other }) => ({ own, other }))((globalThis as unknown as { spied: { own: number; other: number } }).spied))
const figure = (page: Page, name: string): Promise<string> => page.locator('.figures div').filter({ has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) }).locator('dd').innerText()

describe('the particles', () => {
  test('move in the leader, whose graphics card is given module memory itself; other tabs draw what it sends', { timeout: 120_000 }, async () => {
    const leader = await open('particles', (page) => page.addInitScript(spy))
    await eventually(() => figure(leader, 'steps'), (text) => Number.parseInt(text, 10) > 5, 20_000)
    await eventually(() => spied(leader), ({ own }) => own > 30, 20_000)
    expect((await spied(leader)).other).toBe(0)
    expect(await figure(leader, 'this tab')).toBe('computes')

    const other = await open('particles')
    await eventually(() => figure(other, 'pictures here'), (text) => Number.parseInt(text, 10) > 2, 20_000)
    expect(await figure(other, 'this tab')).toBe('draws what is sent')
    await eventually(() => figure(other, 'sent'), (text) => Number.parseFloat(text) > 0)

    await other.getByRole('radio', { name: '50,000', exact: true }).check()
    await eventually(() => figure(other, 'memory taken'), (text) => Number.parseFloat(text) > 1.4 && Number.parseFloat(text) < 2, 20_000)
    expect((await spied(leader)).other).toBe(0)
    await other.getByRole('radio', { name: '10,000', exact: true }).check()
    await other.getByRole('button', { name: 'Stop' }).click()
    await leader.getByRole('button', { name: 'Start' }).waitFor()
    await leader.getByRole('button', { name: 'Start' }).click()
    await eventually(() => other.getByRole('img', { name: /^Steps a second: last/ }).count(), (count) => count === 1, 20_000)

    await leader.bringToFront()
    await eventually(() => spied(leader), ({ own }) => own > 60, 20_000)
    await lookAt(leader, 'particles', paint)

    await leader.close()
    await eventually(() => figure(other, 'this tab'), (text) => text === 'computes', 20_000)
    await eventually(() => figure(other, 'steps'), (text) => Number.parseInt(text, 10) > 5, 20_000)
  })
})

describe('the conflicts', () => {
  test('of two replicas whose wire is cut end as their strategies say, when it is mended', async () => {
    const page = await open('conflicts')
    const [left, right] = [page.frameLocator('iframe[title="Replica on the left"]'), page.frameLocator('iframe[title="Replica on the right"]')]
    const equal = (wanted: string): Promise<unknown> => eventually(() => page.locator('#equal').innerText(), (text) => text === wanted, 15_000)
    await equal('both show the same')
    await left.getByLabel('Title').fill('Paint the ferry')
    await eventually(() => right.getByLabel('Title').inputValue(), (text) => text === 'Paint the ferry')

    await page.getByRole('button', { name: 'Cut the wire' }).click()
    const plan = async (side: typeof left, text: string): Promise<void> => {
      await side.getByLabel('Plan').fill(text)
      await side.getByRole('button', { name: 'Write' }).click()
    }
    await left.getByLabel('Owner').fill('Grace')
    await right.getByLabel('Title').fill('Paint the quay')
    await left.getByLabel('Colour').selectOption('red')
    await right.getByLabel('Colour').selectOption('green')
    await left.getByLabel('Berth').selectOption('Ada')
    await right.getByLabel('Berth').selectOption('Grace')
    for (const side of [left, right, right]) await side.getByRole('button', { name: 'One more' }).click()
    await plan(left, 'In June')
    await plan(right, 'In July')
    await equal('they differ')
    expect(await page.getByText(/[1-9]\d* were lost/).count()).toBe(1)
    await page.getByRole('checkbox', { name: 'Everything twice' }).check()
    await page.getByRole('button', { name: 'Mend the wire' }).click()
    await equal('both show the same')
    for (const side of [left, right]) {
      expect(await side.getByLabel('Title').inputValue()).toBe('Paint the quay')
      expect(await side.getByLabel('Owner').inputValue()).toBe('Grace')
      expect(await side.getByLabel('Colour').inputValue()).toBe('green')
      expect(await side.getByLabel('Berth').inputValue()).toBe('Ada')
      expect(await side.getByLabel('Votes').innerText()).toBe('3')
      await side.getByText('Which one is it to be?').waitFor()
    }
    await lookAt(page, 'conflicts', paint)
    await left.getByRole('button', { name: 'Mine: In June' }).click()
    await eventually(() => right.getByLabel('Plan').inputValue(), (text) => text === 'In June')
    await right.getByText('Nothing awaits a choice.').waitFor()
  })
})

describe('tabs and leader', () => {
  test('shows who is here, and how long another takes to lead', async () => {
    const [one, two] = [await open('tabs'), await open('tabs')]
    await eventually(() => two.locator('#census tr').count(), (count) => count === 2)
    await lookAt(two, 'tabs', paint)
    await one.getByRole('button', { name: 'Leave the page, to be frozen' }).click()
    await eventually(() => two.locator('#takeovers tr').first().innerText(), (text) => /this tab\s+\d+\s+[\d.]+ ms/.test(text))
    await eventually(() => two.locator('#census tr').count(), (count) => count === 1)
    await one.evaluate(() => history.back())
    await eventually(() => two.locator('#census tr').count(), (count) => count === 2)
    await one.getByRole('button', { name: 'Lead from this tab' }).click()
    await eventually(() => two.locator('#takeovers tr').count(), (count) => count === 2)
    await one.getByRole('button', { name: 'Block this tab for 5 seconds' }).click()
    expect(await two.locator('#takeovers tr').count()).toBe(2)
    const crashed = one.waitForEvent('crash', { timeout: 30_000 })
    await one.getByRole('button', { name: 'Crash this tab' }).click()
    await crashed
    await eventually(() => two.locator('#takeovers tr').first().innerText(), (text) => /this tab\s+\d+\s+[\d.]+ m?s/.test(text), 20_000)
    await eventually(() => two.locator('#census tr').count(), (count) => count === 1, 20_000)
  })
})

describe('the storage', () => {
  test('shows its layers, brings them to the same, and mends a copy that was damaged', async () => {
    const page = await open('storage')
    const table = page.getByRole('region', { name: 'Layers of this board' })
    await eventually(() => table.locator('tbody tr').count(), (count) => count >= 2)
    await page.getByRole('button', { name: 'Bring all to the same' }).click()
    await page.getByText(/All layers are the same|Mended: Hot copy/).waitFor()
    const versions = await table.locator('code').allInnerTexts()
    expect(new Set(versions).size).toBe(1)
    await page.getByRole('button', { name: 'Do it' }).click()
    await page.getByText('It is found out').waitFor()
    await page.getByText(/damaged/).first().waitFor()
    await eventually(() => page.getByRole('button', { name: 'Do it' }).isEnabled(), Boolean)
    await lookAt(page, 'storage', paint)
    expect(await page.evaluate(async () => (await indexedDB.databases()).filter(({ name }) => name!.includes('demo-copy')).length)).toBeLessThanOrEqual(1)
  })

  test('fills the disk, says so, and stores what was written when there is room again', { timeout: 90_000 }, async () => {
    // Chromium asks for the quota when it opens a database, and goes by that for a while: nobody is to have opened one.
    const visitor = await launch()
    const page = await visitor.context.newPage()
    await page.goto(suite.server.url.replace('page.html', 'other.html'))
    const devtools = await visitor.context.newCDPSession(page)
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(page.url()).origin, quotaSize: 40e6 })
    await page.goto(suite.server.url.replace('/tests/browser/page.html', '/web/dist/index.html#/storage'))
    await page.getByRole('button', { name: 'Fill it' }).click()
    await page.getByText('it is in memory and shared, not durable, and the store says that the disk is full; 1 waits.').waitFor({ timeout: 60_000 })
    await page.getByText('The change is durable').waitFor({ timeout: 30_000 })
    await page.getByRole('button', { name: 'Fill it' }).waitFor()
    await lookAt(page, 'full', paint)
    expect(await page.evaluate(async () => (await indexedDB.databases()).filter(({ name }) => name!.includes('demo-filler')).length)).toBe(0)
    await visitor.close()
  })
})

describe('the devices', () => {
  test('share the board by a relay, and show how long that takes', { timeout: 60_000 }, async () => {
    const redis = await startRedis()
    const relay = await relayOn(redis)
    const other = await launch()
    const address = suite.server.url.replace('/tests/browser/page.html', `/web/dist/index.html?relay=${relay.url}#/devices`)
    const [laptop, phone] = [await suite.profile.context.newPage(), await other.context.newPage()]
    for (const page of [laptop, phone]) {
      await page.setViewportSize({ width: 1280, height: 900 })
      await page.goto(address)
      await eventually(() => page.locator('#relay').innerText(), (text) => text === 'connected', 20_000)
    }
    await eventually(() => laptop.locator('#devices li').count(), (count) => count === 2)
    await laptop.getByRole('button', { name: 'Measure' }).click()
    await eventually(() => laptop.locator('#device-times').innerText(), (text) => /relayed: p50 [\d.]+ ms, .* back: p50 [\d.]+ ms, p95 [\d.]+ ms, of 60/.test(text), 30_000)
    console.info(await laptop.locator('#device-times').innerText())
    await lookAt(laptop, 'devices', paint)
    await eventually(() => phone.locator('html').getAttribute('data-theme'), (theme) => theme === 'dark')
    await phone.goto(`${address.split('#')[0]}#/dashboard`)
    await phone.getByLabel('Title of the new task').fill('From the phone')
    await phone.getByRole('button', { name: 'Add', exact: true }).click()
    await laptop.goto(`${address.split('#')[0]}#/dashboard`)
    await laptop.getByText('From the phone').waitFor()
    await other.close()
    await eventually(async () => laptop.evaluate(() => document.querySelectorAll('#tabs li').length), (count) => count === 1, 20_000)
    await laptop.close()
    await relay.close(0)
    await redis.close()
  })
})

describe('the latency', () => {
  test('is measured by all ways, in all frames', async () => {
    const page = await open('latency')
    await eventually(() => page.frameLocator('iframe[name="frame-3"]').locator('main').count(), (count) => count === 1)
    await page.getByRole('button', { name: 'Measure' }).click()
    for (const way of ['store', 'BroadcastChannel', 'postMessage', 'storage event']) await eventually(() => page.locator(`[data-way="${way}"]`).innerText(), (text) => /p50 [\d.]+ ms, .* of (\d{2,})$/.test(text), 60_000)
    await lookAt(page, 'latency', paint)
  })
})
