// Renderers and whole browsers are killed in the middle of acknowledged writes; what was acknowledged is there afterwards.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, launch, openStoreTab, serve, type Profile } from '../harness.ts'

/** Between two writes of a tab: 20 a second. */
const everyMs = 50
const tabsMax = 3

let server: Awaited<ReturnType<typeof serve>>
let folder: string
let profile: Profile

beforeAll(async () => {
  server = await serve()
  folder = await mkdtemp(join(tmpdir(), 'tabmesh-profile-'))
})
afterAll(async () => {
  await profile.close()
  await server.close()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** By key, what this process was told to be durable: only that a page's word has left the page counts. */
type Acknowledged = Map<string, number>

/** A tab that writes 20 times a second, each write under a key of its own, and tells of each that is durable. */
async function openWriter(name: string, acknowledged: Acknowledged): Promise<Page> {
  const page = await profile.context.newPage()
  await page.exposeFunction('acknowledged', (key: string, n: number) => acknowledged.set(key, n))
  await page.goto(server.url)
  await page.waitForFunction(() => 'tabmesh' in window)
  await page.evaluate(
    async ([store, pause]) => {
      window.store = await window.tabmesh.openStore({ name: store, state: { writes: {} } })
      window.seen = []
      window.store.leader.run(({ fence }) => void window.seen.push({ at: performance.timeOrigin + performance.now(), fence }))
      const { acknowledged } = window as unknown as { acknowledged: (key: string, n: number) => void }
      let n = 0
      setInterval(() => {
        const key = `${window.store.tab.id.slice(0, 8)}-${++n}`
        const value = n
        window.store.set(['writes', key], value).durable.then(
          () => acknowledged(key, value),
          () => undefined,
        )
      }, pause)
    },
    [name, everyMs] as const,
  )
  return page
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const leads = (page: Page): Promise<boolean> => page.evaluate(() => window.store.leader.isLeader)

/** Acknowledged writes that a page does not have. */
async function missing(page: Page, acknowledged: Acknowledged): Promise<string[]> {
  const { writes } = (await page.evaluate(() => window.store.getState())) as { writes: Record<string, number> }
  return [...acknowledged].filter(([key, n]) => writes[key] !== n).map(([key]) => key)
}

async function leaderOf(pages: readonly Page[]): Promise<Page> {
  return eventually(
    async () => {
      for (const page of pages) if (await leads(page)) return page
      return undefined
    },
    (page) => page !== undefined,
    10_000,
  ) as Promise<Page>
}

function quantile(values: readonly number[], q: number): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length * q) - 1]!
}

describe('three tabs that write 20 times a second', () => {
  const rounds = Number(process.env.TABMESH_ROUNDS ?? 200)

  test(`the leader's renderer is killed, ${rounds} times: nothing acknowledged is missing, and somebody leads within a second`, async () => {
    profile = await launch(folder)
    const times: number[] = []
    let total = 0
    for (let block = 0; block < rounds; block += 20) {
      const name = `renderers-${block}`
      const acknowledged: Acknowledged = new Map()
      let pages = await Promise.all(Array.from({ length: tabsMax }, () => openWriter(name, acknowledged)))
      for (let round = block; round < Math.min(block + 20, rounds); round++) {
        const leader = await leaderOf(pages)
        const others = pages.filter((page) => page !== leader)
        const pid = await profile.rendererOf(leader)
        for (const page of others) await page.evaluate(() => (window.seen = []))
        await pause(Math.random() * 300)
        const crashed = new Promise((resolve) => leader.once('crash', resolve))
        const at = Date.now()
        process.kill(pid, 'SIGKILL')
        await crashed
        const next = await leaderOf(others)
        times.push((await next.evaluate(() => (window.seen[0] as { at: number }).at)) - at)
        await leader.close()
        const known = new Map(acknowledged)
        const fresh = await openWriter(name, acknowledged)
        expect(await missing(fresh, known), `round ${round}`).toEqual([])
        pages = [...others, fresh]
      }
      total += acknowledged.size
      await Promise.all(pages.map((page) => page.close()))
    }
    await profile.close()
    console.info(`${times.length} kills, ${total} acknowledged writes, 0 missing; new leader after ${[0.5, 0.99, 1].map((q) => quantile(times, q).toFixed(0)).join(', ')} ms (p50, p99, at most)`)
    expect(quantile(times, 0.99)).toBeLessThanOrEqual(1000)
  })

  const kills = Math.ceil(rounds / 4)
  test(`the browser is killed, ${kills} times: nothing acknowledged is missing, and the database opens`, async () => {
    let total = 0
    let acknowledged: Acknowledged = new Map()
    for (let round = 0; round < kills; round++) {
      profile = await launch(folder)
      const name = `browsers-${Math.floor(round / 10)}`
      if (round % 10 === 0) acknowledged = new Map()
      const reader = await openStoreTab(profile, server.url, { name, state: { writes: {} } })
      const { persistence } = await reader.evaluate(() => window.store.status)
      expect(persistence, `round ${round}`).toBe('indexed-db')
      expect(await missing(reader, acknowledged), `round ${round}`).toEqual([])
      const before = acknowledged.size
      await Promise.all(Array.from({ length: tabsMax }, () => openWriter(name, acknowledged)))
      await pause(500 + Math.random() * 500)
      await profile.kill()
      total += acknowledged.size - before
      expect(acknowledged.size, `round ${round}`).toBeGreaterThan(before)
    }
    profile = await launch(folder)
    const reader = await openStoreTab(profile, server.url, { name: `browsers-${Math.floor((kills - 1) / 10)}`, state: { writes: {} } })
    expect(await missing(reader, acknowledged)).toEqual([])
    console.info(`${kills} kills of the browser, ${total} acknowledged writes, 0 missing`)
  })
})
