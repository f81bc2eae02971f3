import { expect, test } from 'vitest'
import type { Page } from 'playwright-core'
import { eventually, openStoreTab } from './harness.ts'
import { useChromium } from './suite.ts'

const suite = useChromium()

const eraOf = (page: Page): Promise<number> => page.evaluate(() => window.store.stats().era)
const state = (page: Page): Promise<Record<string, unknown>> => page.evaluate(() => window.store.getState())

/** Sets and deletes until the leader has ended the era. */
async function endEra(page: Page): Promise<void> {
  const before = await eraOf(page)
  await page.evaluate(async () => {
    const keys = Array.from({ length: 400 }, (_, i) => `gone-${i}`)
    window.store.setState(Object.fromEntries(keys.map((key) => [key, 1])))
    await window.store.flush()
    window.store.setState(Object.fromEntries(keys.map((key) => [key, undefined])))
    await window.store.flush()
  })
  await eventually(() => eraOf(page), (era) => era > before)
}

/** Bytes of everything in the store's database. */
const storedBytes = (page: Page, name: string): Promise<number> =>
  page.evaluate(async (name) => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(`tabmesh:3:${name}`)
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(new Error('not opened'))
    })
    let sum = 0
    for (const store of database.objectStoreNames) {
      const all = await new Promise<ArrayBuffer[]>((resolve) => {
        const request = database.transaction(store).objectStore(store).getAll()
        request.onsuccess = () => resolve(request.result as ArrayBuffer[])
      })
      sum += all.reduce((bytes, { byteLength }) => bytes + byteLength, 0)
    }
    database.close()
    return sum
  }, name)

test('an era ends under open tabs, one of them in the back/forward cache, and another stopped', async () => {
  const options = { name: 'eras', state: { n: 0, hidden: 1 } }
  const [one, two, cached, stopped] = [await openStoreTab(suite.profile, suite.server.url, options), await openStoreTab(suite.profile, suite.server.url, options), await openStoreTab(suite.profile, suite.server.url, options), await openStoreTab(suite.profile, suite.server.url, options)] as const
  await eventually(() => one.evaluate(() => window.store.leader.isLeader), Boolean)
  await two.evaluate(() => window.store.setState({ n: 1, hidden: undefined, list: [1, 2] }))
  await cached.evaluate(() => window.store.increment(['n']))
  for (const page of [one, cached, stopped]) await eventually(() => state(page), ({ n }) => n === 2)
  await cached.evaluate(() => {
    ;(window as { same?: boolean }).same = true
  })
  await cached.goto(`${suite.server.url}?elsewhere`)
  const pid = await suite.profile.rendererOf(stopped)
  process.kill(pid, 'SIGSTOP')
  await endEra(one)
  await endEra(one)
  process.kill(pid, 'SIGCONT')
  await stopped.evaluate(async () => {
    window.store.increment(['n'])
    await window.store.flush()
  })
  await cached.evaluate(() => history.back()) // goBack waits for a load that a restored page never has
  await eventually(() => cached.evaluate(() => (window as { same?: boolean }).same ?? false).catch(() => false), Boolean)
  await cached.evaluate(async () => {
    window.store.increment(['n'])
    await window.store.flush()
  })
  for (const page of [one, two, cached, stopped]) {
    expect(await eventually(() => state(page), ({ n }) => n === 4)).toEqual({ n: 4, list: [1, 2] })
    expect(await eventually(() => page.evaluate(() => window.store.tabs.length), (tabs) => tabs === 4)).toBe(4)
  }
  await endEra(one)
  // The state, twice; the ends of the last eras; names and numbers.
  expect(await eventually(() => storedBytes(one, 'eras'), (bytes) => bytes < 4000)).toBeLessThan(4000)
  const late = await openStoreTab(suite.profile, suite.server.url, options)
  expect(await state(late)).toEqual({ n: 4, list: [1, 2] })
}, 60_000)
