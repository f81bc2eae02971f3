// Two devices by a real relay: three tabs of Chromium, and three of the browser that is chosen.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Relay } from '../../../js-glue/relay.ts'
import { relayOn, startRedis, type Redis } from '../../node/relay/servers.ts'
import { chosenBrowser, launchBrowser, type Browser, type BrowserTab } from '../browsers/browser.ts'
import { eventually } from '../harness.ts'
import { useBrowser } from '../suite.ts'

const suite = useBrowser()
let redis: Redis
let relay: Relay
let laptop: Browser

beforeAll(async () => {
  redis = await startRedis()
  relay = await relayOn(redis)
  laptop = await launchBrowser('chromium')
})
afterAll(async () => {
  await laptop.close()
  await relay.close(0)
  await redis.close()
})

/** Opens a store of all strategies. */
async function open(browser: Browser, room: string): Promise<BrowserTab> {
  const tab = await browser.open(suite.server.url)
  await eventually(() => tab.evaluate(() => 'tabmesh' in window), Boolean)
  await tab.evaluate(
    async ([url, room]) => {
      window.store = await window.tabmesh.openStore({
        name: 'board',
        state: {},
        conflicts: { late: 'last-write-wins', early: 'first-write-wins', choice: 'prompt', sum: { resolve: (values) => Math.max(...values.map(Number)) } },
        lists: { list: 'id' },
        relay: { url, token: () => 'ada', room },
      })
    },
    [relay.url, room] as const,
  )
  return tab
}

const digestOf = (tab: BrowserTab): Promise<string> => tab.evaluate(async () => (await window.store.inspect().layers())[0]!.digest!)
const statusOf = (tab: BrowserTab): Promise<string> => tab.evaluate(() => window.store.status.relay)
const leads = (tab: BrowserTab): Promise<boolean> => tab.evaluate(() => window.store.leader.isLeader)

describe(`two devices, Chromium and ${chosenBrowser()}`, () => {
  test('1,000 writes in each of six tabs at once, by all strategies: all six are equal, so is a seventh, and what Redis has', { timeout: 240_000 }, async () => {
    const tabs: BrowserTab[] = []
    for (const browser of [laptop, laptop, laptop, suite.browser, suite.browser, suite.browser]) tabs.push(await open(browser, 'six'))
    await eventually(async () => Promise.all(tabs.map(async (tab) => (await leads(tab)) && (await statusOf(tab)) === 'online')), (all) => all.filter(Boolean).length === 2, 20_000)
    await Promise.all(
      tabs.map((tab, i) =>
        tab.evaluate(async (me) => {
          const { store } = window
          const { port1, port2 } = new MessageChannel()
          const turn = (): Promise<unknown> => new Promise((resolve) => ((port1.onmessage = resolve), port2.postMessage(0)))
          let last: Promise<unknown> = Promise.resolve()
          for (let i = 0; i < 1000; i++) {
            const name = `t${me}`
            const acts = [
              () => store.set(['tree', name, `k${i % 40}`], i),
              () => store.set(['tree', 'all', `k${i % 7}`], { by: me, i }),
              () => store.remove(['tree', 'all', `k${(i * 5) % 7}`]),
              () => store.setState({ late: { by: me, i } }),
              () => store.setState({ early: { by: me, i } }),
              () => store.increment(['count'], 1),
              () => store.setState({ sum: i * 10 + me }),
              () => store.setState({ list: [...((store.getState().list as object[] | undefined) ?? []).slice(-20), { id: `${me}-${i}`, i }] }), // prettier-ignore
              () => store.setState({ choice: `${me}-${i}` }),
              () => store.set(['tree', 'text'], `${me}-${i}`),
            ]
            last = acts[i % acts.length]!().relayed
            if (i % 5 === 4) await turn() // timers of hidden pages run once a second
          }
          await last
        }, i),
      ),
    )
    const equal = await eventually(() => Promise.all(tabs.map(digestOf)), (all) => new Set(all).size === 1, 60_000)
    expect(await Promise.all(tabs.map((tab) => tab.evaluate(() => window.store.getState().count)))).toEqual(Array.from(tabs, () => 600))
    const states = await Promise.all(tabs.map((tab) => tab.evaluate(() => window.store.getState())))
    for (const state of states) expect(state).toEqual(states[0])
    // A seventh, on a device of its own, that has nothing but what the relay tells; by a relay that has nothing but what Redis has.
    const other = await relayOn(redis)
    const phone = await launchBrowser('chromium')
    const own = relay
    relay = other
    const seventh = await open(phone, 'six')
    relay = own
    await eventually(() => digestOf(seventh), (digest) => digest === equal[0], 20_000)
    expect(await redis.command('EXISTS', 'tabmesh:{default:six}:checkpoint')).toBe(1)
    await phone.close()
    await other.close(0)
    await Promise.all(tabs.map((tab) => tab.close()))
  })

  test('a tab that closes hands the connection over; what the others then write is relayed', { timeout: 120_000 }, async () => {
    const far = await open(laptop, 'handover')
    const tabs = [await open(suite.browser, 'handover'), await open(suite.browser, 'handover')]
    await eventually(async () => Promise.all(tabs.map(statusOf)), (all) => all.includes('online'), 20_000)
    const [leading] = (await Promise.all(tabs.map(leads))).flatMap((is, i) => (is ? [i] : []))
    await tabs[leading!]!.close()
    const left = tabs[1 - leading!]!
    await left.evaluate(() => window.store.set(['left'], true).relayed)
    await eventually(() => far.evaluate(() => window.store.getState().left), Boolean)
    await far.close()
    await left.close()
  })
})
