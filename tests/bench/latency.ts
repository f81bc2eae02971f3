// set in tab A -> subscriber in tab B, against a bare BroadcastChannel message, sample by sample in one run.
import type { Page } from 'playwright-core'
import { isolation, launch, openTab, serve } from '../browser/harness.ts'

const samples = 400
const warmUp = 100

export interface Row {
  readonly name: string
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly ratio: number
}

function percentile(sorted: readonly number[], p: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * p) / 100))]!
}

/** How far ahead page B's clock is, by the quickest of 50 round trips. */
async function clockOffset(a: Page, b: Page): Promise<number> {
  await b.evaluate(() => {
    const channel = new BroadcastChannel('clock')
    channel.onmessage = ({ data }) => data === 'ping' && channel.postMessage(performance.timeOrigin + performance.now())
  })
  return a.evaluate(async () => {
    const channel = new BroadcastChannel('clock')
    let best = Infinity
    let offset = 0
    for (let i = 0; i < 50; i++) {
      const sent = performance.timeOrigin + performance.now()
      const theirs = await new Promise<number>((resolve) => {
        channel.onmessage = ({ data }) => resolve(data as number)
        channel.postMessage('ping')
      })
      const received = performance.timeOrigin + performance.now()
      if (received - sent < best) {
        best = received - sent
        offset = theirs - (sent + received) / 2
      }
    }
    return offset
  })
}

/**
 * `steady`: the next sample follows as soon as the one before was seen, as while something is dragged.
 * `idle`: 8 to 12 ms lie between, and both pages' caches are cold.
 */
type Spacing = 'steady' | 'idle'

async function measure(a: Page, b: Page, name: string, keys: number, nested: boolean, spacing: Spacing): Promise<{ bare: number[]; ours: number[] }> {
  const setUp = async (page: Page, fill: boolean): Promise<void> =>
    page.evaluate(
      async ([name, keys, nested, fill]) => {
        const entries = Object.fromEntries(Array.from({ length: keys }, (_, i) => [`key-${i}`, { title: `Item number ${i}`, done: false, price: i, text: 'some more text to fill it up' }]))
        const store = (window.store = await window.tabmesh.openStore({ name, state: (nested ? { items: {} } : {}) }))
        if (fill) {
          store.setState(nested ? { items: entries } : entries)
          await store.flush()
        }
      },
      [name, keys, nested, fill] as const,
    )
  await setUp(a, true)
  await setUp(b, false)
  await b.evaluate((name) => {
    window.seen = []
    const back = new BroadcastChannel(`back-${name}`)
    const bare = new BroadcastChannel(`bare-${name}`)
    const see = (kind: string): void => {
      window.seen.push([kind, performance.timeOrigin + performance.now()])
      back.postMessage(0)
    }
    // Read, for Chromium makes the bytes of a message only then.
    bare.onmessage = ({ data }: MessageEvent<Uint8Array>) => data.byteLength > 0 && see('bare')
    window.store.subscribe(() => see('ours'))
  }, name)
  const sent = await a.evaluate(
    async ([name, nested, count, spacing]) => {
      const back = new BroadcastChannel(`back-${name}`)
      let answered: () => void = () => undefined
      back.onmessage = () => answered()
      const bare = new BroadcastChannel(`bare-${name}`)
      const bytes = new Uint8Array(100)
      const seen = (): Promise<void> => new Promise((resolve) => (answered = resolve))
      const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 8 + Math.random() * 4))
      const times: [string, number][] = []
      const sample = async (kind: string, send: () => void): Promise<void> => {
        if (spacing === 'idle') await pause()
        const answer = seen()
        times.push([kind, performance.timeOrigin + performance.now()])
        send()
        await answer
      }
      // In blocks of twenty, so that a drift of the machine meets both alike.
      for (let i = 0; i < count; i += 20) {
        for (let j = 0; j < 20; j++) await sample('bare', () => bare.postMessage(bytes))
        for (let j = 0; j < 20; j++) await sample('ours', () => window.store.set(nested ? ['items', 'key-5', 'price'] : ['key-5', 'price'], i + j + 1000))
      }
      return times
    },
    [name, nested, samples + warmUp, spacing] as const,
  )
  await a.waitForTimeout(100)
  const seen = (await b.evaluate(() => window.seen)) as [string, number][]
  const offset = await clockOffset(a, b)
  const of = (kind: string): number[] => {
    const out = sent.filter(([k]) => k === kind).map(([, at]) => at)
    const got = seen.filter(([k]) => k === kind).map(([, at]) => at - offset)
    if (out.length !== got.length) throw new Error(`${kind}: ${out.length} sent, ${got.length} seen`)
    return got.map((at, i) => at - out[i]!).slice(warmUp).sort((x, y) => x - y)
  }
  return { bare: of('bare'), ours: of('ours') }
}

export async function latency(): Promise<Row[]> {
  const server = await serve(isolation)
  const profile = await launch()
  const rows: Row[] = []
  try {
    for (const [keys, nested, spacing] of [
      [10, false, 'steady'],
      [10_000, false, 'steady'],
      [10_000, true, 'steady'],
      [10, false, 'idle'],
      [10_000, false, 'idle'],
      [10_000, true, 'idle'],
    ] as const) {
      const [a, b] = [await openTab(profile, server.url), await openTab(profile, server.url)]
      const label = `${keys.toLocaleString('en')} keys${nested ? ' in one object' : ''}, ${spacing}`
      const { bare, ours } = await measure(a, b, `latency-${keys}-${nested}-${spacing}`, keys, nested, spacing)
      const base = percentile(bare, 50)
      for (const [name, times] of [[`bare BroadcastChannel (beside ${label})`, bare], [`tabmesh, ${label}`, ours]] as const) {
        rows.push({ name, p50: percentile(times, 50), p95: percentile(times, 95), p99: percentile(times, 99), ratio: percentile(times, 50) / base })
      }
      await Promise.all([a.close(), b.close()])
    }
  } finally {
    await profile.close()
    await server.close()
  }
  return rows
}
