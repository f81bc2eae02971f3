// In the middle of acknowledged writes the leader's renderer is killed, and then the whole browser; what was acknowledged is there afterwards.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startBrowser } from '../../browsers/bare.ts'
import { chosenBrowser } from '../../browsers/browser.ts'
import { processThatBurns } from '../../browsers/processes.ts'
import { eventually, serve } from '../../harness.ts'

const tabs = 3
const rounds = Number(process.env.TABMESH_ROUNDS ?? (chosenBrowser() === 'chromium' ? 200 : 50))
/** A store has so many rounds: what is to be found again grows. */
const roundsOfStore = 10

/** What pages say (writer.js), each in one of these. */
interface Message {
  readonly store: string
  readonly tab: string
  readonly opened?: { readonly persistence: string; readonly writes: Record<string, number> }
  readonly leadsAt?: number
  readonly durable?: readonly [key: string, n: number]
  readonly worked?: true
}

/** Of a store: what this process was told to be durable. Only that a page's word has left the page counts. */
const acknowledged = new Map<string, Map<string, number>>()
const opened: Message[] = []
const led: Message[] = []
/** The tab that shall work, and who waits until it has. */
let wanted: { readonly tab: string; asked: boolean; readonly done: () => void } | undefined

function told(text: string): string {
  const message = JSON.parse(text) as Message
  if (message.opened) opened.push(message)
  if (message.leadsAt !== undefined) led.push(message)
  if (message.durable) acknowledged.get(message.store)!.set(...message.durable)
  if (wanted?.tab !== message.tab) return ''
  if (message.worked) wanted.done()
  if (wanted.asked) return ''
  wanted.asked = true
  return 'work'
}

let server: Awaited<ReturnType<typeof serve>>
let folder: string

beforeAll(async () => {
  server = await serve({}, told)
  folder = await mkdtemp(join(tmpdir(), 'tabmesh-profile-'))
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const until = (holds: () => boolean, ms: number): Promise<unknown> => eventually(() => new Promise<boolean>((resolve) => setTimeout(() => resolve(holds()), 1)), Boolean, ms)
const quantile = (values: readonly number[], q: number): number => [...values].sort((a, b) => a - b)[Math.ceil(values.length * q) - 1]!

test(`three tabs of ${chosenBrowser()} write 20 times a second; their leader's renderer is killed, and then the browser, ${rounds} times: nothing acknowledged is missing, and somebody leads within a second`, async () => {
  const times: number[] = []
  let total = 0
  for (let round = 0; round < rounds; round++) {
    const store = `killed-${Math.floor(round / roundsOfStore)}`
    const durable = acknowledged.get(store) ?? acknowledged.set(store, new Map()).get(store)!
    const before = new Map(durable)
    opened.length = led.length = 0
    const url = `${server.url.replace('page.html', 'writer.html')}?${store}`
    const browser = await startBrowser(chosenBrowser(), folder, Array.from({ length: tabs }, () => url))
    try {
      await until(() => opened.length === tabs && led.length > 0 && durable.size > before.size + 20, 60_000)
      for (const { opened: found } of opened) {
        expect(found!.persistence, `round ${round}`).toBe('indexed-db')
        expect([...before].filter(([key, n]) => found!.writes[key] !== n), `round ${round}`).toEqual([])
      }
    const leader = led.at(-1)!.tab
      const pid = await processThatBurns(browser.pid, () => new Promise<void>((done) => (wanted = { tab: leader, asked: false, done })))
      wanted = undefined
    expect(led.at(-1)!.tab, 'nobody else leads without a reason').toBe(leader)
      await pause(Math.random() * 300)
      led.length = 0
      const at = performance.timeOrigin + performance.now()
      process.kill(pid, 'SIGKILL')
      await until(() => led.length > 0, 60_000)
      times.push(led[0]!.leadsAt! - at)
      await pause(Math.random() * 500)
    } finally {
      await browser.kill()
    }
    total += durable.size - before.size
  }
  console.info(`${chosenBrowser()}: ${rounds} leaders and ${rounds} browsers killed, ${total} acknowledged writes, 0 missing; a new leader after ${[0.5, 0.99, 1].map((q) => quantile(times, q).toFixed(0)).join(', ')} ms (p50, p99, at most)`)
  expect(quantile(times, 0.99)).toBeLessThanOrEqual(1000)
})
