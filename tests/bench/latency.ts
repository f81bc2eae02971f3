// set in tab A -> subscriber in tab B, against a bare BroadcastChannel message, sample by sample in one run.
import type { Page } from 'playwright-core'
import { launch, openTab, serve } from '../browser/harness.ts'

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

async function measure(a: Page, b: Page, name: string, keys: number, nested: boolean): Promise<{ bare: number[]; ours: number[] }> {
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
    const bare = new BroadcastChannel(`bare-${name}`)
    bare.onmessage = () => window.seen.push(['bare', performance.timeOrigin + performance.now()])
    window.store.subscribe(() => window.seen.push(['ours', performance.timeOrigin + performance.now()]))
  }, name)
  const sent = await a.evaluate(
    async ([name, nested, count]) => {
      const bare = new BroadcastChannel(`bare-${name}`)
      const bytes = new Uint8Array(100)
      const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 8 + Math.random() * 4))
      const times: [string, number][] = []
      for (let i = 0; i < count; i++) {
        await pause()
        times.push(['bare', performance.timeOrigin + performance.now()])
        bare.postMessage(bytes)
        await pause()
        times.push(['ours', performance.timeOrigin + performance.now()])
        window.store.set(nested ? ['items', 'key-5', 'price'] : ['key-5', 'price'], i + 1000)
      }
      await pause()
      return times
    },
    [name, nested, samples + warmUp] as const,
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
  const server = await serve(/* isolated */ true)
  const profile = await launch()
  const rows: Row[] = []
  try {
    for (const [keys, nested] of [[10, false], [10_000, false], [10_000, true]] as const) {
      const [a, b] = [await openTab(profile, server.url), await openTab(profile, server.url)]
      const label = `${keys.toLocaleString('en')} keys${nested ? ' in one object' : ''}`
      const { bare, ours } = await measure(a, b, `latency-${keys}-${nested}`, keys, nested)
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
