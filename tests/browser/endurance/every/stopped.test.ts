// Processes that stop without a word: the leader's, and the one that has the databases.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chosenBrowser } from '../../browsers/browser.ts'
import { descendants, nameOf } from '../../browsers/processes.ts'
import { eventually } from '../../harness.ts'
import { createWriters, pause, until, type Writers } from '../../writers.ts'

let writers: Writers

beforeAll(async () => {
  writers = await createWriters()
})
afterAll(() => writers.close())

test(`a leader of ${chosenBrowser()} is stopped for 60 s: a new term within 35 s; when it runs again none of its effects counts, and its own writes arrive within 2 s`, async () => {
  const browser = await writers.start('stopped', 3)
  try {
    const old = writers.led.at(-1)!.tab
    const [other] = writers.opened.map(({ tab }) => tab).filter((tab) => tab !== old)
    const pid = await writers.processOf(browser, old)
    expect(writers.led.at(-1)!.tab, 'nobody else leads without a reason').toBe(old)
    // A write of the moment before, which nobody has been told of yet.
    let had: ReadonlySet<string>
    let inTime = false
    for (let tries = 0; tries < 5 && !inTime; tries++) {
      had = new Set(Object.keys((await writers.stateOf(other!)).writes))
      inTime = await new Promise<boolean>((begun) => void writers.work(old, begun).catch(() => undefined)) // it is stopped for longer than an answer may take
    }
    expect(inTime, 'the tab is stopped while it works').toBe(true)
    process.kill(pid, 'SIGSTOP')
    const at = Date.now()
    await until(() => writers.led.at(-1)!.tab !== old, 60_000)
    const took = Date.now() - at
    const unsent = (writes: object): string[] => Object.keys(writes).filter((key) => key.startsWith(`work-${old.slice(0, 8)}`) && !had.has(key))
    expect(unsent((await writers.stateOf(other!)).writes)).toEqual([])
    await pause(Math.max(0, 60_000 - took))
    process.kill(pid, 'SIGCONT')
    const runsAt = Date.now()
    while (unsent((await writers.stateOf(other!)).writes).length === 0) expect(Date.now() - runsAt).toBeLessThan(10_000)
    const arrived = Date.now() - runsAt
    await pause(3000)
    const late = writers.effects.filter((effect) => effect.tab === old && effect.at >= runsAt)
    console.info(`${chosenBrowser()}: a new leader ${took} ms after SIGSTOP; after SIGCONT ${late.length} effects of the old one counted, its own write arrived after ${arrived} ms`)
    expect(took).toBeLessThanOrEqual(35_000)
    expect(late).toEqual([])
    expect(arrived).toBeLessThanOrEqual(2000)
    // Who was taken for gone is heard of again when it has read what it missed: a minute of 40 writes a second.
    const states = (): Promise<[boolean, number][]> => Promise.all(writers.opened.map(async ({ tab }): Promise<[boolean, number]> => [(await writers.stateOf(tab)).isLeader, (await writers.stateOf(tab)).tabs]))
    await eventually(states, (all) => JSON.stringify(all.sort()) === JSON.stringify([[false, 3], [false, 3], [true, 3]]), 15_000)
  } finally {
    await browser.kill()
  }
})

// WebKit begins a transaction only when its page has answered the database: one that is stopped in between holds it. Elsewhere only a leader does that is stopped within a checkpoint,
// whose transactions need an answer.
test(`a tab of ${chosenBrowser()} is stopped at a random moment of its writing, 30 times: what the others write is durable within 5 s, or it is told that it is not, they go on sharing, and all is durable within 5 s of its end`, async () => {
  const browser = await writers.start('halted', 3)
  try {
    const processes: { tab: string; pid: number }[] = []
    for (const { tab } of writers.opened) processes.push({ tab, pid: await writers.processOf(browser, tab) })
    const countIn = (keys: Iterable<string>, tab: string): number => [...keys].filter((key) => key.includes(tab.slice(0, 8))).length
    const countOf = (tab: string): number => countIn(writers.acknowledged('halted').keys(), tab)
    const times: number[] = []
    let held = 0
    for (let round = 0; round < 30; round++) {
      const { tab, pid } = processes[round % 3]!
      await pause(Math.random() * 200)
      process.kill(pid, 'SIGSTOP')
      const at = Date.now()
      const before = new Map(processes.map((one) => [one.tab, countOf(one.tab)]))
      const others = processes.map((one) => one.tab).filter((one) => one !== tab)
      // Twenty more of each, of which the first may be of before.
      const isDurable = (): boolean => others.every((one) => countOf(one) >= before.get(one)! + 20)
      await until(isDurable, 5000).then(
        () => times.push(Date.now() - at),
        () => held++,
      )
      if (!isDurable()) {
        await until(() => others.some((one) => writers.failed.some((failed) => failed.tab === one && failed.code === 'storage-stalled' && failed.at >= at)), 5000)
        const [one, other] = others as [string, string]
        const shown = async (): Promise<number> => countIn(Object.keys((await writers.stateOf(one)).writes), other)
        const count = await shown()
        await eventually(shown, (now) => now >= count + 20, 5000)
      }
      process.kill(pid, 'SIGCONT')
      await until(() => isDurable() && countOf(tab) > before.get(tab)!, 5000)
    }
    console.info(`${chosenBrowser()}: a tab stopped 30 times; a second's writes of the others were durable after at most ${Math.max(...times)} ms, but ${held} times they were held up`)
    if (chosenBrowser() !== 'webkit') expect(held).toBeLessThanOrEqual(3)
  } finally {
    await browser.kill()
  }
})

// Chromium and Firefox have their databases in the browser's own process.
test.runIf(chosenBrowser() === 'webkit')('the process that has the databases is killed 10 times: durable again within 5 s, and nothing acknowledged is missing', async () => {
  const times: number[] = []
  const rounds = 10
  for (let round = 0; round < rounds; round++) {
    const before = new Map(writers.acknowledged('server'))
    const browser = await writers.start('server', 3)
    try {
      for (const { found } of writers.opened) expect([...before].filter(([key, n]) => found.writes[key] !== n), `round ${round}`).toEqual([])
      const pid = descendants(browser.pid).find((one) => nameOf(one).startsWith('WebKitNetworkPr'))!
      process.kill(pid, 'SIGKILL')
      const at = Date.now()
      const known = new Set(writers.acknowledged('server').keys())
      const tabs = writers.opened.map(({ tab }) => tab.slice(0, 8))
      const fresh = (tab: string): boolean => [...writers.acknowledged('server').keys()].some((key) => key.includes(tab) && !known.has(key))
      await until(() => tabs.every(fresh), 30_000)
      times.push(Date.now() - at)
      expect(writers.opened, 'no page was loaded again').toHaveLength(3)
    } finally {
      await browser.kill()
    }
  }
  console.info(`${rounds} kills of the process that has the databases: all three tabs' writes are durable again after at most ${Math.max(...times)} ms`)
  expect(Math.max(...times)).toBeLessThanOrEqual(5000)
})
