// Storage that is full, and storage that is cleared away under open tabs.
import type { CDPSession, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually, launch, openStoreTab, serve, type Profile } from '../harness.ts'

let server: Awaited<ReturnType<typeof serve>>
let profile: Profile

beforeAll(async () => {
  server = await serve()
})
afterAll(() => server.close())
// Chromium remembers how much it has granted an origin.
beforeEach(async () => {
  profile = await launch()
})
afterEach(() => profile.close())

const origin = (): string => new URL(server.url).origin
const stateOf = (page: Page): Promise<Record<string, unknown>> => page.evaluate(() => window.store.getState())

/** A tab that keeps its events. */
async function open(options: object): Promise<{ page: Page; devtools: CDPSession }> {
  const page = await openStoreTab(profile, server.url, options)
  await page.evaluate(() => {
    window.seen = []
    window.store.on('storage-full', () => window.seen.push('storage-full'))
    window.store.on('error', ({ error }) => window.seen.push((error as { code?: string }).code))
  })
  return { page, devtools: await profile.context.newCDPSession(page) }
}

describe('site data that is cleared under three open tabs', () => {
  const rounds = 10
  test(`${rounds} times: what is written is durable again within 5 s, what was is still there, and no page is loaded again`, async () => {
    const options = { name: 'cleared', state: { log: {} } }
    const tabs = [await open(options), await open(options), await open(options)]
    const times: number[] = []
    for (let round = 0; round < rounds; round++) {
      for (const [i, { page }] of tabs.entries()) await page.evaluate((key) => window.store.set(['log', key], 1).durable, `before-${round}-${i}`)
      const at = Date.now()
      await tabs[round % 3]!.devtools.send('Storage.clearDataForOrigin', { origin: origin(), storageTypes: 'all' })
      await Promise.all(tabs.map(({ page }, i) => page.evaluate((key) => window.store.set(['log', key], 1).durable, `after-${round}-${i}`)))
      times.push(Date.now() - at)
      const wanted = Array.from({ length: round + 1 }, (_, n) => ['before', 'after'].flatMap((when) => [0, 1, 2].map((i) => `${when}-${n}-${i}`))).flat().sort()
      for (const { page } of tabs) await eventually(() => stateOf(page), ({ log }) => JSON.stringify(Object.keys(log as object).sort()) === JSON.stringify(wanted))
      // Alone with the disk.
      const other = await openStoreTab(profile, server.url, { ...options, channels: [] })
      expect(Object.keys((await stateOf(other)).log as object).sort(), `round ${round}`).toEqual(wanted)
      await other.close()
      await eventually(() => Promise.all(tabs.map(({ page }) => page.evaluate(() => window.store.leader.isLeader))), (all) => all.filter(Boolean).length === 1)
    }
    console.info(`cleared ${rounds} times: durable again after at most ${Math.max(...times)} ms`)
    expect(Math.max(...times)).toBeLessThanOrEqual(5000)
    for (const { page } of tabs) {
      const codes = new Set((await page.evaluate(() => window.seen)) as string[])
      expect([...codes]).toEqual(['storage-cleared'])
      await page.close()
    }
  })
})

describe('a quota that is reached', () => {
  test('nothing is called durable that is not stored, it is told once an episode, and with room again all becomes durable', async () => {
    // Chromium asks for the quota when it opens a database, and again when what it was granted is used up.
    const keeper = await profile.context.newPage()
    await keeper.goto(server.url.replace('page.html', 'other.html'))
    const devtools = await profile.context.newCDPSession(keeper)
    const allow = (quotaSize: number): Promise<unknown> => devtools.send('Storage.overrideQuotaForOrigin', { origin: origin(), quotaSize })
    const used = async (): Promise<number> => (await devtools.send('Storage.getUsageAndQuota', { origin: origin() })).usage
    await allow((await used()) + 1_000_000)
    const options = { name: 'full', state: { log: {} } }
    const [{ page }, { page: other }] = [await open(options), await open(options)]
    const durable: number[] = []
    const writes = 40
    for (let episode = 1; episode <= 2; episode++) {
      await page.evaluate(
        ([n, count]) => {
          const state = { durable: 0 }
          ;(window as unknown as { full: typeof state }).full = state
          // What does not compress: 50 KB a write.
          const text = (): string => Array.from(crypto.getRandomValues(new Uint16Array(25_000)), (word) => String.fromCharCode(0x3400 + (word % 0x4000))).join('')
          let i = 0
          const timer = setInterval(() => {
            void window.store.set(['log', `full-${n}-${i}`], text()).durable.then(() => state.durable++)
            if (++i === count) clearInterval(timer)
          }, 10)
        },
        [episode, writes] as const,
      )
      await eventually(() => page.evaluate(() => window.seen.filter((event) => event === 'storage-full').length), (count) => count === episode, 20_000)
      await new Promise((resolve) => setTimeout(resolve, 3000))
      const pending = await page.evaluate(() => ({ durable: (window as unknown as { full: { durable: number } }).full.durable, status: window.store.status }))
      durable.push(pending.durable)
      expect(pending.durable).toBeLessThan(writes)
      expect(pending.status.pendingDurable).toBeGreaterThanOrEqual(writes - pending.durable)
      expect(pending.status.safeToClose).toBe(false)
      // Readable, and shared.
      await eventually(() => other.evaluate((prefix) => Object.keys(window.store.getState().log as object).filter((key) => key.startsWith(prefix)).length, `full-${episode}-`), (count) => count === writes)
      // What is called durable is there for who has nothing but the disk.
      const reader = await openStoreTab(profile, server.url, { ...options, channels: [] })
      expect(await reader.evaluate((prefix) => Object.keys(window.store.getState().log as object).filter((key) => key.startsWith(prefix)).length, `full-${episode}-`)).toBeGreaterThanOrEqual(pending.durable)
      await reader.close()
      await allow((await used()) + 4_000_000)
      await eventually(() => page.evaluate(() => (window as unknown as { full: { durable: number } }).full.durable), (count) => count === writes, 30_000)
      await eventually(() => page.evaluate(() => window.store.status.safeToClose), Boolean)
      expect(await page.evaluate(() => window.seen.filter((event) => event === 'storage-full').length)).toBe(episode)
      await allow((await used()) + 100_000)
    }
    await Promise.all([page.close(), other.close()])
    const fresh = await openStoreTab(profile, server.url, options)
    expect(Object.keys((await stateOf(fresh)).log as object)).toHaveLength(2 * writes)
    console.info(`full twice, after ${durable.join(' and ')} of ${writes} writes of 75 KB; all of them are there afterwards`)
    await fresh.close()
    await keeper.close()
  })
})
