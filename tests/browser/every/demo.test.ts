// Every view of the demo, in every browser that is driven: it starts, does what it is for, and axe finds nothing.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterEach, describe, expect, test } from 'vitest'
import { chosenBrowser, type BrowserTab } from '../browsers/browser.ts'
import { eventually } from '../harness.ts'
import { useBrowser } from '../suite.ts'

const suite = useBrowser()
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const tabs: BrowserTab[] = []
afterEach(() => Promise.all(tabs.splice(0).map((tab) => tab.close().catch(() => undefined)))) // some have been

const open = async (view: string): Promise<BrowserTab> => {
  const tab = await suite.browser.open(new URL(`/web/dist/index.html#/${view}`, suite.server.url).href)
  tabs.push(tab)
  await eventually(() => tab.evaluate(() => /leads|follows/.test(document.querySelector('#self')?.textContent ?? '')), Boolean, 30_000)
  return tab
}

/** What shows that a view works, asked in its page until it is so. */
const views: Record<string, () => boolean> = {
  dashboard: () => document.querySelectorAll('.task').length >= 6 && document.querySelectorAll('#tabs li').length >= 1,
  particles: () => /[1-9]\d* a second/.test(document.querySelectorAll('.figures dd')[2]?.textContent ?? ''),
  conflicts: () => document.querySelector('#equal')?.textContent === 'both show the same',
  tabs: () => document.querySelectorAll('#census tr').length >= 1,
  storage: () => document.querySelectorAll('tbody code').length === 2 && new Set([...document.querySelectorAll('tbody code')].map((code) => code.textContent)).size === 1,
  latency: () => document.querySelectorAll('iframe').length === 3,
}

type Where = string | readonly [frame: string, selector: string]

/** Clicks what a selector finds, or the button of that name. */
const click = (tab: BrowserTab, name: string, frame = ''): Promise<void> =>
  tab.evaluate(
    ([name, frame]) => {
      const within = frame === '' ? document : document.querySelector<HTMLIFrameElement>(frame)!.contentDocument!
      const found = [...within.querySelectorAll('button')].find((button) => button.textContent.trim() === name || button.getAttribute('aria-label') === name)
      if (!found) throw new Error(`no button ${name}`)
      found.click()
    },
    [name, frame] as const,
  )

/** As a visitor types: React listens to the event, and reads the field. */
const type = (tab: BrowserTab, where: Where, text: string): Promise<void> =>
  tab.evaluate(
    ([where, text]) => {
      const [frame, selector] = typeof where === 'string' ? ['', where] : where
      const within = frame === '' ? document : document.querySelector<HTMLIFrameElement>(frame)!.contentDocument!
      const field = within.querySelector<HTMLInputElement>(selector)!
      Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value')!.set!.call(field, text)
      field.dispatchEvent(new Event('input', { bubbles: true }))
    },
    [where, text] as const,
  )

const textOf = (tab: BrowserTab, selector: string, frame = ''): Promise<string> =>
  tab.evaluate(
    ([selector, frame]) => {
      const within = frame === '' ? document : document.querySelector<HTMLIFrameElement>(frame)?.contentDocument
      const found = within?.querySelector(selector)
      return found && 'value' in found ? String(found.value) : (found?.textContent ?? '')
    },
    [selector, frame] as const,
  )

const reads = (tab: BrowserTab, selector: string, wanted: RegExp, frame = ''): Promise<string> => eventually(() => textOf(tab, selector, frame), (text) => wanted.test(text), 30_000)

const [left, right] = ['iframe[title="Replica on the left"]', 'iframe[title="Replica on the right"]']

/** What a visitor does there. */
const acts: Record<string, (one: BrowserTab) => Promise<void>> = {
  async dashboard(one) {
    const two = await open('dashboard')
    await type(one, '[aria-label="Title of the new task"]', 'Seen in both')
    await click(one, 'Add')
    await reads(two, '.tasks', /Seen in both/)
    await click(two, 'Remove Seen in both')
    await eventually(() => textOf(one, '.tasks'), (text) => !text.includes('Seen in both'))
    await click(two, 'Add a module')
    await reads(two, '.module h1', /All projects/, 'iframe[name="module-1"]')
    await reads(one, '#tabs', /this tab[^]*(?:visible|hidden)[^]*(?:visible|hidden)[^]*(?:visible|hidden)/)
    await two.close()
  },
  async particles(one) {
    const two = await open('particles')
    await eventually(() => textOf(two, '.figures'), (text) => /draws what is sent/.test(text) && /pictures here[1-9]/.test(text), 30_000)
    await click(two, 'Stop')
    await eventually(() => one.evaluate(() => [...document.querySelectorAll('button')].some((button) => button.textContent === 'Start')), Boolean)
    await click(one, 'Start')
    await two.close()
  },
  async conflicts(one) {
    await click(one, 'Cut the wire')
    await type(one, [left, '[aria-label="Owner"]'], 'Grace')
    await type(one, [right, '[aria-label="Title"]'], 'Paint the quay')
    await click(one, 'One more', left)
    await click(one, 'One more', right)
    await reads(one, '#equal', /they differ/)
    await click(one, 'Mend the wire')
    await reads(one, '#equal', /both show the same/)
    for (const side of [left, right]) {
      await reads(one, '[aria-label="Title"]', /Paint the quay/, side)
      await reads(one, '[aria-label="Owner"]', /Grace/, side)
    }
  },
  async tabs(one) {
    const two = await open('tabs')
    await eventually(() => two.evaluate(() => document.querySelectorAll('#census tr').length), (count) => count === 2, 30_000)
    await click(two, 'Lead from this tab')
    await reads(one, '#takeovers', /\d+/)
    await reads(two, '#takeovers', /this tab/)
    await two.close()
    await reads(one, '#takeovers tr', /this tab/)
  },
  async storage(one) {
    await click(one, 'Bring all to the same')
    await reads(one, 'main', /All layers are the same|Mended: Hot copy/)
    await click(one, 'Do it')
    await reads(one, '.steps', /It is found out/)
  },
  async latency(one) {
    await click(one, 'Measure')
    for (const way of ['store', 'BroadcastChannel', 'postMessage', 'storage event']) await reads(one, `[data-way="${way}"]`, /p50 [\d.]+ ms/)
  },
}

describe(`the demo in ${chosenBrowser()}`, () => {
  test.each(Object.keys(views))('%s', { timeout: 120_000 }, async (view) => {
    const tab = await open(view)
    await eventually(() => tab.evaluate(views[view]!), Boolean, 30_000)
    await acts[view]!(tab)
    await tab.evaluate((text) => {
      const script = document.createElement('script')
      script.textContent = text
      document.head.append(script)
    }, axe)
    const found = await tab.evaluate(async () => {
      const { violations } = await (window as unknown as { axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe.run()
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' ')}`)
    })
    expect(found).toEqual([])
  })
})
