// What a page has is what it is made of: every combination of the four primitives, in pages that lack the others, in every browser that is driven.
import { describe, expect, test } from 'vitest'
import { chosenBrowser, type BrowserTab } from '../browsers/browser.ts'
import { eventually, within } from '../harness.ts'
import { useBrowser } from '../suite.ts'

const primitives = ['locks', 'BroadcastChannel', 'indexedDB', 'localStorage'] as const
type Primitive = (typeof primitives)[number]

const suite = useBrowser()

/** A page without these, as in old browsers, on plain http, or where the user has blocked storage. */
async function openWithout(missing: readonly Primitive[]): Promise<BrowserTab> {
  const page = await suite.browser.open(suite.server.url)
  await eventually(() => page.evaluate(() => 'tabmesh' in window), Boolean)
  await page.evaluate((missing) => {
    window.seen = []
    addEventListener('error', ({ message }) => window.seen.push(message))
    addEventListener('unhandledrejection', ({ reason }) => window.seen.push(String(reason)))
    const blocked = { configurable: true, get: () => { throw new DOMException('blocked', 'SecurityError') } }
    if (missing.includes('locks')) Object.defineProperty(Navigator.prototype, 'locks', { configurable: true, value: undefined })
    if (missing.includes('BroadcastChannel')) delete (globalThis as { BroadcastChannel?: unknown }).BroadcastChannel
    if (missing.includes('indexedDB')) Object.defineProperty(globalThis, 'indexedDB', blocked)
    if (missing.includes('localStorage')) Object.defineProperty(globalThis, 'localStorage', blocked)
  }, missing)
  return page
}

async function closeCalm(...pages: readonly BrowserTab[]): Promise<void> {
  for (const page of pages) {
    expect(await page.evaluate(() => window.seen), 'exceptions').toEqual([])
    await page.close()
  }
}

/** Opens a store; the milliseconds until it was ready. */
const open = (page: BrowserTab, name: string): Promise<number> =>
  page.evaluate(async (name) => {
    const began = performance.now()
    window.store = await window.tabmesh.openStore({ name, state: { from: {} } })
    return performance.now() - began
  }, name)

const from = (page: BrowserTab): Promise<Record<string, unknown>> => page.evaluate(() => window.store.getState().from as Record<string, unknown>)

describe(`ways to other tabs, in ${chosenBrowser()}`, () => {
  test('without BroadcastChannel two tabs are equal within a second, by storage events', async () => {
    const [a, b] = [await openWithout(['BroadcastChannel']), await openWithout(['BroadcastChannel'])]
    for (const page of [a, b]) await open(page, 'storage-events')
    expect(await a.evaluate(() => window.store.status.channel)).toBe('storage-event')
    await a.evaluate(() => window.store.set(['from', 'a'], 'ä\u0000\ud83d\ude00'))
    await b.evaluate(() => window.store.set(['from', 'b'], 'x'.repeat(200_000))) // several frames
    const began = Date.now()
    for (const page of [a, b]) await eventually(() => page.evaluate(() => [window.store.getState().from.a, window.store.getState().from.b?.length]), ([text, length]) => text === 'ä\u0000\ud83d\ude00' && length === 200_000)
    expect(Date.now() - began).toBeLessThan(within(1000))
    await eventually(() => a.evaluate(() => Object.keys(localStorage).filter((key) => key.includes(':frame:'))), (keys) => keys.length === 0) // a letter, not a store
    await closeCalm(a, b)
  })

  test('what a page that died left is cleared away, and nobody is told it again', async () => {
    const page = await openWithout(['BroadcastChannel'])
    await page.evaluate(() => localStorage.setItem('tabmesh:left-over:frame:1.2.3', '1 ᯡ'))
    await open(page, 'left-over')
    expect(await page.evaluate(() => [localStorage.getItem('tabmesh:left-over:frame:1.2.3'), window.store.stats().framesIn])).toEqual([null, 0])
    await closeCalm(page)
  })

  test("a page's own keys stay, and what it writes there does no harm", async () => {
    const [a, b] = [await openWithout(['BroadcastChannel']), await openWithout([])]
    await open(a, 'hostile')
    await b.evaluate(() => {
      localStorage.setItem('mine', '1')
      for (const value of ['', 'x', '1 ', '1 hello', `2 ${'\uffff'.repeat(1000)}`, '3 ᯡ']) localStorage.setItem('tabmesh:hostile:frame:9', value)
      localStorage.removeItem('tabmesh:hostile:frame:9')
    })
    await eventually(() => a.evaluate(() => window.store.stats().framesIn), (framesIn) => framesIn === 5)
    expect(await from(a)).toEqual({})
    expect(await a.evaluate(() => localStorage.getItem('mine'))).toBe('1')
    await a.evaluate(() => localStorage.clear())
    await closeCalm(a, b)
  })
})

describe('every combination of primitives', () => {
  const combinations = Array.from({ length: 16 }, (_, bits) => primitives.filter((_, i) => bits & (1 << i)))
  test.each(combinations.map((missing) => [missing.length > 0 ? `without ${missing.join(', ')}` : 'with all', missing] as const))('%s', async (_, missing) => {
    const lacks = (one: Primitive): boolean => missing.includes(one)
    let a = await openWithout(missing)
    const b = await openWithout(missing)
    const store = `combination-${missing.join('-') || 'all'}`
    for (const page of [a, b]) expect(await open(page, store)).toBeLessThan(within(4000))
    const channel = !lacks('BroadcastChannel') ? 'broadcast-channel' : !lacks('localStorage') ? 'storage-event' : 'none'
    await a.evaluate(() => window.store.set(['from', 'a'], 1))
    await b.evaluate(() => window.store.set(['from', 'b'], 2))
    for (const page of [a, b]) {
      expect(await page.evaluate(() => [window.store.status.channel, window.store.status.persistence])).toEqual([channel, lacks('indexedDB') ? 'none' : 'indexed-db'])
      if (channel !== 'none') await eventually(() => from(page), ({ a, b }) => a === 1 && b === 2)
    }
    const leads = (page: BrowserTab): Promise<boolean> => page.evaluate(() => window.store.status.leadership === 'leader')
    // A lease in the database does for the locks; with neither, what the tabs hear of each other.
    if (channel !== 'none' || !lacks('indexedDB')) await eventually(async () => (await leads(a)) !== (await leads(b)), Boolean, 15_000)

    if (!lacks('indexedDB')) {
      for (const page of [a, b]) await page.evaluate(() => window.store.flush())
      await closeCalm(a)
      a = await openWithout(missing)
      await open(a, store)
      expect(await from(a)).toEqual({ a: 1, b: 2 })
    }
    await closeCalm(a, b)
  })
})
