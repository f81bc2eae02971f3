// Pages that are stopped, cached, left and opened, as often as the promises say.
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { eventually, openStoreTab, openTab } from '../harness.ts'
import { useChromium } from '../suite.ts'

const suite = useChromium()

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const leads = (page: Page): Promise<boolean> => page.evaluate(() => window.store.leader.isLeader)
const stateOf = (page: Page): Promise<Record<string, unknown>> => page.evaluate(() => window.store.getState())
const isHere = (page: Page): Promise<boolean> => page.evaluate(() => (window as { here?: boolean }).here ?? false).catch(() => false)

/** Away and back from the back/forward cache: the very document. */
async function leave(page: Page): Promise<() => Promise<void>> {
  await page.evaluate(() => void ((window as { here?: boolean }).here = true))
  await page.goto(suite.server.url.replace('page.html', 'other.html'))
  return async () => {
    await page.evaluate(() => history.back())
    await eventually(() => isHere(page), Boolean)
  }
}

describe('a leader that is stopped', () => {
  /** A sink as an app's server is: it refuses whoever comes with a smaller fence than it has seen. */
  let newest = 0
  const accepted: { tab: string; fence: number; at: number }[] = []
  const take = (tab: string, fence: number): void => {
    if (fence < newest) return
    newest = fence
    accepted.push({ tab, fence, at: Date.now() })
  }
  async function openWorker(): Promise<Page> {
    const page = await suite.profile.context.newPage()
    await page.exposeFunction('effect', take)
    await page.goto(suite.server.url)
    await page.waitForFunction(() => 'tabmesh' in window)
    await page.evaluate(async () => {
      window.store = await window.tabmesh.openStore({ name: 'stopped', state: { count: 0 } })
      const { effect } = window as unknown as { effect: (tab: string, fence: number) => void }
      window.store.leader.run(({ signal, fence }) => {
        const timer = setInterval(() => effect(window.store.tab.id, fence), 20)
        signal.addEventListener('abort', () => clearInterval(timer))
      })
    })
    return page
  }

  test('for 60 s: a new term within 35 s; when it runs again none of its effects counts, and its own writes arrive within 2 s', async () => {
    const pages = [await openWorker()]
    await eventually(() => leads(pages[0]!), Boolean)
    pages.push(await openWorker(), await openWorker())
    const [old, ...others] = pages as [Page, Page, Page]
    const id = await old.evaluate(() => window.store.tab.id)
    await eventually(() => Promise.all(pages.map((page) => page.evaluate(() => window.store.tabs.length))), (counts) => counts.every((count) => count === 3))
    await eventually(() => Promise.resolve(accepted.length), (count) => count > 10)
    const pid = await suite.profile.rendererOf(old)
    // A write of the moment before, which nobody has been told of yet.
    const write = old.evaluate(() => {
      window.store.set(['unsent'], 1)
      const until = performance.now() + 400
      while (performance.now() < until);
    })
    await pause(200)
    process.kill(pid, 'SIGSTOP')
    const at = Date.now()
    await eventually(async () => (await Promise.all(others.map(leads))).some(Boolean), Boolean, 60_000)
    const took = Date.now() - at
    for (const page of others) expect((await stateOf(page)).unsent).toBeUndefined()
    await pause(Math.max(0, 60_000 - took))
    process.kill(pid, 'SIGCONT')
    const runsAt = Date.now()
    await write
    for (const page of others) await eventually(() => stateOf(page), ({ unsent }) => unsent === 1, 10_000)
    const arrived = Date.now() - runsAt
    await eventually(() => leads(old), (is) => !is)
    await pause(3000)
    const late = accepted.filter(({ tab, at: when }) => tab === id && when >= runsAt)
    console.info(`a new leader ${took} ms after SIGSTOP; after SIGCONT ${late.length} effects of the old one counted, its own write arrived after ${arrived} ms`)
    expect(took).toBeLessThanOrEqual(35_000)
    expect(late).toEqual([])
    expect(arrived).toBeLessThanOrEqual(2000)
    expect((await Promise.all(others.map(leads))).filter(Boolean)).toHaveLength(1)
    for (const page of pages) expect((await page.evaluate(() => window.store.tabs.length))).toBe(3)
    await Promise.all(pages.map((page) => page.close()))
  })
})

test('a page in the back/forward cache misses 100 writes and 10 deletes, and has them all within a second', async () => {
  const times: number[] = []
  for (let round = 0; round < 10; round++) {
    const options = { name: `cached-${round}`, state: { map: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`old${i}`, i])) } }
    const [page, other] = [await openStoreTab(suite.profile, suite.server.url, options), await openStoreTab(suite.profile, suite.server.url, options)]
    await page.evaluate(async () => {
      for (let i = 0; i < 10; i++) window.store.set(['map', `old${i}`], i + 100)
      await window.store.flush()
    })
    await eventually(() => stateOf(other), (state) => (state.map as Record<string, number>).old9 === 109)
    const back = await leave(page)
    await other.evaluate(async () => {
      for (let i = 0; i < 100; i++) {
        window.store.set(['map', `new${i % 50}`], i)
        if (i % 10 === 9) window.store.remove(['map', `old${(i - 9) / 10}`])
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
      await window.store.flush()
    })
    const wanted = JSON.stringify(await other.evaluate(() => Object.entries(window.store.getState().map as object).sort()))
    expect(JSON.parse(wanted)).toHaveLength(50)
    await back()
    const at = Date.now()
    await eventually(() => page.evaluate(() => JSON.stringify(Object.entries(window.store.getState().map as object).sort())), (have) => have === wanted)
    times.push(Date.now() - at)
    await pause(200)
    expect(JSON.stringify(await other.evaluate(() => Object.entries(window.store.getState().map as object).sort())), 'nothing is resurrected').toBe(wanted)
    await Promise.all([page.close(), other.close()])
  }
  console.info(`equal after at most ${Math.max(...times)} ms, ${times.length} times`)
  expect(Math.max(...times)).toBeLessThanOrEqual(1000)
})

describe('a write in the task in which the page goes', () => {
  const rounds = Number(process.env.TABMESH_ROUNDS ?? 100)
  const ways = {
    'is closed': async (page: Page, n: number) => {
      const gone = page.waitForEvent('close')
      await page.evaluate((value) => (window.store.setState({ last: value }), window.close()), n).catch(() => undefined)
      await page.close({ runBeforeUnload: true }).catch(() => undefined) // scripts may not close each page
      await gone
      return openTab(suite.profile, suite.server.url)
    },
    'is reloaded': async (page: Page, n: number) => {
      const loaded = page.waitForEvent('load')
      await page.evaluate((value) => (window.store.setState({ last: value }), location.reload()), n).catch(() => undefined)
      await loaded
      return page
    },
    'goes elsewhere': async (page: Page, n: number) => {
      const loaded = page.waitForEvent('load')
      await page.evaluate(([value, url]) => (window.store.setState({ last: value }), location.assign(url)), [n, `${suite.server.url}?${n}`] as const).catch(() => undefined)
      await loaded
      return page
    },
  }

  for (const [way, go] of Object.entries(ways)) {
    test(`${way}, ${rounds} times: the next page has it`, async () => {
      const name = way.replaceAll(' ', '-')
      let page = await openStoreTab(suite.profile, suite.server.url, { name, state: { last: 0 } })
      const lost: number[] = []
      for (let round = 1; round <= rounds; round++) {
        page = await go(page, round)
        await page.waitForFunction(() => 'tabmesh' in window)
        const last = await page.evaluate(async (store) => {
          window.store = await window.tabmesh.openStore({ name: store, state: { last: 0 } })
          return window.store.getState().last as number
        }, name)
        if (last !== round) lost.push(round)
      }
      await page.close()
      expect(lost).toEqual([])
    })
  }
})

test('12 tabs are released at one instant: one leads, all are ready within 3 s', async () => {
  const rounds = Number(process.env.TABMESH_ROUNDS ?? 50)
  const pages = await Promise.all(Array.from({ length: 12 }, () => openTab(suite.profile, suite.server.url)))
  const slowest: number[] = []
  for (let round = 0; round < rounds; round++) {
    const at = Date.now() + 300
    const ready = await Promise.all(
      pages.map((page) =>
        page.evaluate(
          async ([name, start]) => {
            await new Promise((resolve) => setTimeout(resolve, start - Date.now() - 20))
            while (Date.now() < start);
            window.store = window.tabmesh.createStore({ name, state: { n: 0 } })
            await window.store.ready
            return Date.now() - start
          },
          [`released-${round}`, at] as const,
        ),
      ),
    )
    slowest.push(Math.max(...ready))
    const known = await eventually(
      () => Promise.all(pages.map((page) => page.evaluate(() => ({ id: window.store.leader.id, leads: window.store.leader.isLeader, tabs: window.store.tabs.length })))),
      (all) => new Set(all.map(({ id }) => id)).size === 1 && all[0]!.id !== undefined && all.every(({ tabs }) => tabs === 12),
      10_000,
    )
    expect(known.filter((one) => one.leads), `round ${round}`).toHaveLength(1)
    await Promise.all(pages.map((page) => page.evaluate(() => window.store.close())))
  }
  console.info(`12 tabs, ${rounds} times: one leader each time; the slowest was ready after ${Math.max(...slowest)} ms, in the median round ${[...slowest].sort((a, b) => a - b)[Math.floor(rounds / 2)]} ms`)
  expect(Math.max(...slowest)).toBeLessThanOrEqual(3000)
})
