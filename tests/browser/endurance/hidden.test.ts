// A leader whose page is hidden for so long that its timers run once a minute: headful Chromium under a display of its own,
// by puppeteer-core, because Playwright's pages always say that they are visible.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chromiumPath } from '../../../scripts/lib/debian.mjs'
import { startDisplay } from '../browsers/display.ts'
import { eventually, serve } from '../harness.ts'

const minutes = Number(process.env.TABMESH_MINUTES ?? 6)

let server: Awaited<ReturnType<typeof serve>>
let folder: string
let display: { display: string; process: ChildProcess }
let browser: Browser

beforeAll(async () => {
  server = await serve()
  folder = await mkdtemp(join(tmpdir(), 'tabmesh-profile-'))
  display = await startDisplay()
  browser = await puppeteer.launch({
    executablePath: chromiumPath(),
    headless: false,
    protocolTimeout: 0, // one call lasts for all of it
    userDataDir: folder,
    env: { ...process.env, DISPLAY: display.display },
    ignoreDefaultArgs: ['--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding', '--disable-back-forward-cache'],
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/10'],
  })
})
afterAll(async () => {
  await browser?.close()
  const gone = display && once(display.process, 'exit')
  display?.process.kill()
  await gone
  await server.close()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

async function open(options: object = {}): Promise<Page> {
  const page = await browser.newPage()
  await page.goto(server.url)
  await page.waitForFunction(() => 'tabmesh' in window)
  await page.evaluate(async (options) => {
    window.store = await window.tabmesh.openStore({ name: 'hidden', state: { n: 0 }, ...options })
  }, options)
  return page
}

test(`hidden for ${minutes} minutes the leader stays, and others' writes are durable within 500 ms`, async () => {
  const leader = await open()
  await eventually(() => leader.evaluate(() => window.store.leader.isLeader), Boolean)
  const { term, id } = await leader.evaluate(() => ({ term: window.store.leader.term, id: window.store.tab.id }))
  await leader.evaluate(() => {
    window.seen = []
    setInterval(() => window.seen.push(Date.now()), 1000)
  })
  const follower = await open() // in front of it
  await follower.bringToFront()
  await eventually(() => leader.evaluate(() => document.visibilityState), (state) => state === 'hidden')
  const times = await follower.evaluate(async (ms) => {
    const taken: number[] = []
    const until = Date.now() + ms
    while (Date.now() < until) {
      const at = performance.now()
      await window.store.set(['n'], taken.length).durable
      taken.push(performance.now() - at)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    return taken
  }, minutes * 60_000)
  const late = Date.now() - 3 * 60_000
  const wakeUps = ((await leader.evaluate(() => window.seen)) as number[]).filter((at) => at > late).length
  const sorted = [...times].sort((a, b) => a - b)
  const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1]!
  console.info(`${times.length} writes durable after ${sorted[sorted.length >> 1]!.toFixed(1)}, ${p99.toFixed(1)}, ${sorted.at(-1)!.toFixed(1)} ms (p50, p99, at most); the leader's timer of a second ran ${wakeUps} times in the last 3 minutes`)
  expect(wakeUps, 'intensive throttling').toBeLessThan(10)
  expect(p99).toBeLessThanOrEqual(500)
  for (const page of [leader, follower]) expect(await page.evaluate(() => ({ term: window.store.leader.term, id: window.store.leader.id, tabs: window.store.tabs.length }))).toEqual({ term, id, tabs: 2 })
})

test('where a visible tab is to lead, one that is seen takes over from a leader that was hidden for half a minute, and no sooner; and not again within a minute', async () => {
  const options = { name: 'preferred', leader: { preferVisible: true } }
  const leads = (page: Page): Promise<boolean> => page.evaluate(() => window.store.leader.isLeader)
  const first = await open(options)
  await eventually(() => leads(first), Boolean)
  await first.evaluate(() => {
    window.seen = []
    window.store.leader.run(({ signal }) => signal.addEventListener('abort', () => window.seen.push('ended')))
  })
  const second = await open(options)
  const shownFor = async (page: Page, ms: number): Promise<boolean[]> => {
    await page.bringToFront()
    await new Promise((resolve) => setTimeout(resolve, ms))
    return Promise.all([first, second].map(leads))
  }
  expect(await shownFor(second, 20_000), 'a look into another tab').toEqual([true, false])
  expect(await shownFor(first, 1000)).toEqual([true, false])
  const at = Date.now()
  await second.bringToFront()
  await eventually(() => leads(second), Boolean, 60_000)
  const took = Date.now() - at
  await eventually(() => leads(first), (still) => !still)
  expect(await first.evaluate(() => window.seen)).toEqual(['ended'])
  expect(await shownFor(first, 40_000), 'within a minute').toEqual([false, true])
  await eventually(() => leads(first), Boolean, 60_000)
  const back = Date.now() - at
  console.info(`the visible tab leads after ${took} ms, and the other, shown again, ${back - took} ms later`)
  expect(took).toBeGreaterThanOrEqual(29_000)
  expect(back - took).toBeGreaterThanOrEqual(59_000)
})
