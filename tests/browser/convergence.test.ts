import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Page } from 'playwright-core'
import { eventually, openStoreTab, openTab, within } from './harness.ts'
import { useChromium } from './suite.ts'

const rounds = 100
const suite = useChromium()

/** Runs `write(i)` in both pages at the same wall-clock instant, spinning up to it; returns both write times. */
async function atOnce(pages: readonly Page[], write: string): Promise<number[]> {
  const instant = Date.now() + 25
  return Promise.all(
    pages.map((page, index) =>
      page.evaluate(
        async ([at, code, i]) => {
          const act = new Function('store', 'tab', code) as (store: unknown, tab: number) => void
          await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - Date.now() - 8)))
          while (Date.now() < at);
          act(window.store, i)
          return Date.now()
        },
        [instant, write, index] as const,
      ),
    ),
  )
}

const state = (page: Page): Promise<Record<string, unknown>> => page.evaluate(() => window.store.getState() as Record<string, unknown>)

describe('two tabs of real Chromium', () => {
  test(`different fields of one object at the same instant: both kept in both tabs, ${rounds} of ${rounds}`, async () => {
    const options = { name: 'fields', state: { object: { a: 0, b: 0 } } }
    const pages = [await openStoreTab(suite.profile, suite.server.url, options), await openStoreTab(suite.profile, suite.server.url, options)]
    for (let round = 1; round <= rounds; round++) {
      await atOnce(pages, `store.setState((s) => ({ object: { ...s.object, [tab ? 'b' : 'a']: ${round} } }))`)
      for (const page of pages) {
        await eventually(() => state(page), (now) => JSON.stringify(now.object) === JSON.stringify({ a: round, b: round }), 2000)
      }
    }
    await Promise.all(pages.map((page) => page.close()))
  })

  test(`the same field at the same instant: both tabs equal, ${rounds} of ${rounds}`, async () => {
    const options = { name: 'same', state: { value: '' } }
    const pages = [await openStoreTab(suite.profile, suite.server.url, options), await openStoreTab(suite.profile, suite.server.url, options)]
    let sameMillisecond = 0
    for (let round = 1; round <= rounds; round++) {
      const [a, b] = await atOnce(pages, `store.setState({ value: 'tab ' + tab + ' round ${round}' })`)
      if (a === b) sameMillisecond++
      const both = await eventually(
        async () => Promise.all(pages.map(async (page) => (await state(page)).value)),
        ([first, second]) => first === second && String(first).endsWith(`round ${round}`),
        2000,
      )
      expect(both[0]).toBe(both[1])
    }
    console.info(`same field: ${sameMillisecond} of ${rounds} rounds within one millisecond`)
    expect(sameMillisecond).toBeGreaterThan(rounds / 4)
    await Promise.all(pages.map((page) => page.close()))
  })

  test('one boolean of a 2,000-item, 230 KB state costs at most 100 bytes of postMessage', async () => {
    const options = { name: 'bytes', state: { items: {} } }
    const writer = await openTab(suite.profile, suite.server.url)
    const reader = await openStoreTab(suite.profile, suite.server.url, options)
    await writer.evaluate(async (given) => {
      window.frameSizes = []
      // eslint-disable-next-line @typescript-eslint/unbound-method -- called on the channel below
      const post = BroadcastChannel.prototype.postMessage
      BroadcastChannel.prototype.postMessage = function (message: Uint8Array) {
        window.frameSizes.push(message.byteLength)
        post.call(this, message)
      }
      const store = (window.store = await window.tabmesh.openStore(given as never))
      const items: Record<string, unknown> = {}
      for (let i = 0; i < 2000; i++) items[`item-${i}`] = { title: `Item number ${i}`, description: 'a line of text that is long enough', done: false, price: i }
      await store.setState({ items }).shared
    }, options)
    const size = await writer.evaluate(() => JSON.stringify(window.store.getState()).length)
    expect(size).toBeGreaterThan(200_000)
    const sent = await writer.evaluate(async () => {
      await window.store.flush()
      window.frameSizes.length = 0
      window.store.setState((s) => ({ items: { ...s.items, 'item-1234': { ...s.items['item-1234'], done: true } } }))
      // Everything that is sent because of it, the number told after a second of quiet included.
      await new Promise((resolve) => setTimeout(resolve, 1500))
      return window.frameSizes
    })
    console.info(`one boolean of ${size} bytes of state: frames of ${sent.join(' + ')} bytes`)
    expect(readFileSync(new URL('../../README.md', import.meta.url), 'utf8')).toContain(`a frame of ${sent[0]} bytes`)
    expect(sent.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(100)
    await eventually(() => reader.evaluate(() => (window.store.getState() as { items: Record<string, { done: boolean }> }).items['item-1234']?.done), (done) => done === true)
    await Promise.all([writer.close(), reader.close()])
  })

  for (const [count, withinMs, persist] of [
    [2000, 150, true],
    [2000, 150, false],
    [50000, 1500, true],
    [50000, 1500, false],
  ] as const) {
    test(`a tab that joins at ${count} items (persist: ${persist}) is complete in ${withinMs} ms, never partial to a subscriber`, async () => {
      const options = { name: `join-${count}-${persist}`, state: { items: {} }, persist }
      const first = await openStoreTab(suite.profile, suite.server.url, options)
      await first.evaluate(async ([count, persist]) => {
        // In twenty writes, so that there are pieces that a joiner could be shown.
        for (let part = 0; part < 20; part++) {
          const items: Record<string, unknown> = {}
          for (let i = (part * count) / 20; i < ((part + 1) * count) / 20; i++) items[`item-${i}`] = { title: `Item number ${i}`, description: 'a line of text that is long enough for this', done: false, price: i }
          window.store.setState((state) => ({ items: { ...state.items, ...items } }))
          await Promise.resolve()
        }
        await window.store.flush(persist ? 'durable' : 'applied')
      }, [count, persist] as const)
      const joiner = await openTab(suite.profile, suite.server.url)
      const result = await joiner.evaluate(async (given) => {
        let largest = 0
        const receive = Object.getOwnPropertyDescriptor(BroadcastChannel.prototype, 'onmessage')!
        Object.defineProperty(BroadcastChannel.prototype, 'onmessage', {
          ...receive,
          set(handler: ((event: MessageEvent<Uint8Array>) => void) | null) {
            receive.set!.call(this, handler && ((event: MessageEvent<Uint8Array>) => ((largest = Math.max(largest, event.data.byteLength)), handler(event))))
          },
        })
        const started = performance.now()
        const store = (window.store = window.tabmesh.createStore(given as never))
        const sizes: number[] = []
        store.subscribe((state) => sizes.push(Object.keys(state.items as object).length))
        await store.ready
        return { ms: performance.now() - started, sizes, size: Object.keys(store.getState().items as object).length, largest }
      }, options)
      console.info(`join at ${count} items, persist ${persist}: ${result.ms.toFixed(0)} ms, largest frame ${result.largest} bytes`)
      expect(result.size).toBe(count)
      expect(result.sizes).toEqual([count])
      expect(result.largest).toBeLessThanOrEqual(65_600)
      expect(result.ms).toBeLessThanOrEqual(within(withinMs))
      await Promise.all([first.close(), joiner.close()])
    })
  }
})
