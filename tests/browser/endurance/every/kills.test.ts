// In the middle of acknowledged writes the leader's renderer is killed, and then the whole browser; what was acknowledged is there afterwards.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chosenBrowser } from '../../browsers/browser.ts'
import { createWriters, pause, until, type StoreSeen, type Writers } from '../../writers.ts'

const rounds = Number(process.env.TABMESH_ROUNDS ?? (chosenBrowser() === 'chromium' ? 200 : 50))
/** A store has so many rounds: what is to be found again grows. */
const roundsOfStore = 10

let writers: Writers

beforeAll(async () => {
  writers = await createWriters()
})
afterAll(() => writers.close())

const quantile = (values: readonly number[], q: number): number => [...values].sort((a, b) => a - b)[Math.ceil(values.length * q) - 1]!

test(`three tabs of ${chosenBrowser()} write 20 times a second; their leader's renderer is killed, and then the browser, ${rounds} times: nothing acknowledged is missing, and somebody leads within a second`, async () => {
  const times: number[] = []
  let total = 0
  for (let round = 0; round < rounds; round++) {
    const store = `killed-${Math.floor(round / roundsOfStore)}`
    const before = new Map(writers.acknowledged(store))
    const browser = await writers.start(store, 3)
    try {
      for (const { found } of writers.opened) expect(found.persistence, `round ${round}`).toBe('indexed-db')
      const missingIn = (writes: StoreSeen['writes']): number => [...before].filter(([key, n]) => writes[key] !== n).length
      const missing = writers.opened.map(({ found }) => missingIn(found.writes))
      if (missing.some((count) => count > 0)) {
        await pause(3000)
        const later = await Promise.all(writers.opened.map(async ({ tab }) => missingIn((await writers.stateOf(tab)).writes)))
        expect.fail(`round ${round}: of ${before.size} writes the tabs lacked ${missing.join(', ')} when they were ready, and ${later.join(', ')} three seconds later; told: ${writers.failed.map(({ code }) => code).join()}`)
      }
      const leader = writers.led.at(-1)!.tab
      const pid = await writers.processOf(browser, leader)
      expect(writers.led.at(-1)!.tab, 'nobody else leads without a reason').toBe(leader)
      await pause(Math.random() * 300)
      const at = performance.timeOrigin + performance.now()
      process.kill(pid, 'SIGKILL')
      await until(() => writers.led.at(-1)!.tab !== leader, 60_000)
      times.push(writers.led.at(-1)!.at - at)
      await pause(Math.random() * 500)
    } finally {
      await browser.kill()
    }
    total += writers.acknowledged(store).size - before.size
    if (round % roundsOfStore === roundsOfStore - 1) console.info(`${round + 1} of ${rounds} rounds: ${total} acknowledged writes, none missing; new leaders after at most ${Math.max(...times).toFixed(0)} ms`)
  }
  console.info(`${chosenBrowser()}: ${rounds} leaders and ${rounds} browsers killed, ${total} acknowledged writes, 0 missing; a new leader after ${[0.5, 0.99, 1].map((q) => quantile(times, q).toFixed(0)).join(', ')} ms (p50, p99, at most)`)
  expect(quantile(times, 0.99)).toBeLessThanOrEqual(1000)
})
