// What a store promises, in every browser that is driven: nothing lost, nothing counted twice, one leader, what is durable stays.
import { describe, expect, test } from 'vitest'
import { chosenBrowser, type BrowserTab } from '../browsers/browser.ts'
import { eventually, within } from '../harness.ts'
import { useBrowser } from '../suite.ts'

const suite = useBrowser()

async function open(name: string, state: object): Promise<BrowserTab> {
  const page = await suite.browser.open(suite.server.url)
  await eventually(() => page.evaluate(() => 'tabmesh' in window), Boolean)
  await page.evaluate(
    async ([name, state]) => {
      window.store = await window.tabmesh.openStore({ name, state })
    },
    [name, state] as const,
  )
  return page
}

const leads = (page: BrowserTab): Promise<boolean> => page.evaluate(() => window.store.leader.isLeader)
const closeAll = async (pages: readonly BrowserTab[]): Promise<void> => {
  for (const page of pages) await page.close()
}

describe(`stores in ${chosenBrowser()}`, () => {
  test('four tabs count by increment and by transaction: all of it, once', async () => {
    const pages: BrowserTab[] = []
    for (let i = 0; i < 4; i++) pages.push(await open('counting', { sum: 0, one: 0 }))
    const outcomes = await Promise.all(
      pages.map((page) =>
        page.evaluate(async () => {
          let committed = 0
          for (let i = 0; i < 25; i++) {
            window.store.increment(['sum'])
            const { status } = await window.store.transaction((state) => ({ one: (state.one as number) + 1 }))
            if (status === 'committed') committed++
          }
          await window.store.flush()
          return committed
        }),
      ),
    )
    expect(outcomes).toEqual([25, 25, 25, 25])
    for (const page of pages) await eventually(() => page.evaluate(() => window.store.getState()), ({ sum, one }) => sum === 100 && one === 100)
    await closeAll(pages)
  })

  test('writes of one task come as one change, and what did not change keeps its identity', async () => {
    const [a, b] = [await open('batches', { x: { n: 0 }, y: { n: 0 } }), await open('batches', { x: { n: 0 }, y: { n: 0 } })]
    await b.evaluate(() => {
      window.seen = []
      const { y } = window.store.getState()
      window.store.subscribe((state) => window.seen.push([state.x.n, state.x.m, state.y === y]))
    })
    await a.evaluate(() => {
      window.store.set(['x', 'n'], 1)
      window.store.set(['x', 'm'], 2)
    })
    expect(await eventually(() => b.evaluate(() => window.seen), (seen) => seen.length > 0)).toEqual([[1, 2, true]])
    await closeAll([a, b])
  })

  test('exactly one leads; when it is closed another does, in a later term', async () => {
    const pages: BrowserTab[] = []
    for (let i = 0; i < 3; i++) pages.push(await open('leading', {}))
    const leaders = async (): Promise<boolean[]> => Promise.all(pages.map(leads))
    const first = (await eventually(leaders, (all) => all.filter(Boolean).length === 1)).indexOf(true)
    const term = await pages[first]!.evaluate(() => window.store.leader.term)
    const [leader] = pages.splice(first, 1)
    await leader!.close()
    const closed = Date.now()
    const next = (await eventually(leaders, (all) => all.filter(Boolean).length === 1)).indexOf(true)
    expect(Date.now() - closed).toBeLessThan(within(1000))
    expect(await pages[next]!.evaluate(() => window.store.leader.term)).toBeGreaterThan(term)
    for (const page of pages) expect(await eventually(() => page.evaluate(() => window.store.tabs.length), (tabs) => tabs === 2)).toBe(2)
    await closeAll(pages)
  })

  test('what was flushed is there when all tabs were closed; without waiting, too', async () => {
    const state = { log: {} as Record<string, number> }
    for (let round = 0; round < 10; round++) {
      const page = await open('kept', state)
      expect(Object.keys(await page.evaluate(() => window.store.getState().log as object))).toHaveLength(round)
      await page.evaluate(
        async ([round, flushes]) => {
          window.store.set(['log', `r${round}`], round)
          if (flushes) await window.store.flush()
        },
        [round, round % 2 === 0] as const,
      )
      await page.close()
    }
  })

  test('a history that ends under three tabs loses nothing and counts nothing twice', async () => {
    const pages: BrowserTab[] = []
    for (let i = 0; i < 3; i++) pages.push(await open('eras', { sum: 0, map: {} }))
    await Promise.all(
      pages.map((page, tab) =>
        page.evaluate(async (tab) => {
          for (let i = 0; i < 400; i++) {
            window.store.increment(['sum'])
            window.store.set(['map', `t${tab}-${i}`], i)
            if (i >= 5) window.store.remove(['map', `t${tab}-${i - 5}`])
            if (i % 20 === 0) await window.store.flush()
            else await Promise.resolve()
          }
          await window.store.flush()
        }, tab),
      ),
    )
    for (const page of pages) {
      const { sum, map } = await eventually(() => page.evaluate(() => window.store.getState()), (state) => state.sum === 1200 && Object.keys(state.map as object).length === 15)
      expect([sum, Object.keys(map as object).length]).toEqual([1200, 15])
    }
    await eventually(() => Promise.all(pages.map((page) => page.evaluate(() => window.store.stats().era))), (eras) => eras.every((era) => era > 0), 15_000)
    await closeAll(pages)
  })
})
