// Stores in workers: replicas like any other, which lead, store and outlive no page.
import { describe, expect, test } from 'vitest'
import { chosenBrowser, type BrowserTab } from '../browsers/browser.ts'
import { eventually } from '../harness.ts'
import { useBrowser } from '../suite.ts'

const suite = useBrowser()

interface Answer {
  readonly id: string
  readonly state: Record<string, unknown>
  readonly status: { readonly persistence: string; readonly channel: string; readonly leadership: string }
  readonly tabs: number
  readonly error?: string
}
declare global {
  interface Window {
    ask: (message: object) => Promise<Answer>
  }
}

/** A page with a worker of that kind, which is asked by `window.ask`. */
async function open(kind: 'dedicated' | 'shared'): Promise<BrowserTab> {
  const page = await suite.browser.open(suite.server.url)
  await eventually(() => page.evaluate(() => 'tabmesh' in window), Boolean)
  await page.evaluate((kind) => {
    const target = kind === 'shared' ? new SharedWorker('/tests/browser/worker.js', { type: 'module' }).port : new Worker('/tests/browser/worker.js', { type: 'module' })
    window.ask = (message) =>
      new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel()
        port1.onmessage = ({ data }) => resolve(data as Answer)
        target.postMessage(message, [port2])
      })
  }, kind)
  return page
}

const ask = (page: BrowserTab, message: object = {}): Promise<Answer> => page.evaluate((given) => window.ask(given), message)

describe.each(['dedicated', 'shared'] as const)(`a store in a %s worker of ${chosenBrowser()}`, (kind) => {
  const options = { name: `worker-${kind}`, state: { page: 0, worker: 0 } }

  test('shares with pages, leads, stores, and gives way when it is gone', async () => {
    const page = await open(kind)
    const first = await ask(page, { open: options })
    expect(first).toMatchObject({ state: options.state, status: { persistence: 'indexed-db', channel: 'broadcast-channel' } })
    await eventually(() => ask(page), ({ status }) => status.leadership === 'leader')
    const other = await suite.browser.open(suite.server.url)
    await eventually(() => other.evaluate(() => 'tabmesh' in window), Boolean)
    await other.evaluate(async (given) => {
      window.store = await window.tabmesh.openStore(given)
      window.store.set(['page'], 1)
    }, options)
    await eventually(() => ask(page), ({ state, tabs }) => state.page === 1 && tabs === 2)
    await ask(page, { set: [['worker'], 2], call: true })
    await eventually(() => other.evaluate(() => window.store.getState()), ({ worker }) => worker === 2)
    expect(await other.evaluate(() => window.store.leader.call('who'))).toBe(first.id)
    await page.close()
    await eventually(() => other.evaluate(() => [window.store.leader.isLeader, window.store.tabs.length]), ([leads, tabs]) => leads === true && tabs === 1, 20_000)
    expect(await other.evaluate(() => window.store.getState())).toEqual({ page: 1, worker: 2 })
    await other.close()
  })
})

test(`a store in a service worker of ${chosenBrowser()} reads what pages write, writes, and never leads`, async () => {
  const options = { name: 'worker-service', state: { page: 0, worker: 0 } }
  const page = await suite.browser.open(suite.server.url)
  await eventually(() => page.evaluate(() => 'tabmesh' in window), Boolean)
  await page.evaluate(async (given) => {
    const registration = await navigator.serviceWorker.register('/tests/browser/service-worker.js', { type: 'module' })
    const target = registration.installing ?? registration.waiting ?? registration.active
    window.ask = (message) =>
      new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel()
        port1.onmessage = ({ data }) => resolve(data as Answer)
        target!.postMessage(message, [port2])
      })
    window.store = await window.tabmesh.openStore(given)
    await window.store.set(['page'], 1).durable
  }, options)
  const first = await ask(page, { open: options })
  expect(first).toMatchObject({ state: { page: 1, worker: 0 }, status: { persistence: 'indexed-db', channel: 'broadcast-channel' } })
  await page.evaluate(() => window.store.set(['page'], 2).durable)
  await eventually(() => ask(page), ({ state, tabs }) => state.page === 2 && tabs === 2)
  await ask(page, { set: [['worker'], 3] })
  await eventually(() => page.evaluate(() => window.store.getState()), ({ worker }) => worker === 3)
  expect((await ask(page)).status.leadership).toBe('follower')
  await page.evaluate(() => window.store.close())
  await eventually(() => ask(page), ({ tabs }) => tabs === 1, 20_000)
  expect((await ask(page)).status.leadership).not.toBe('leader')
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration('/tests/browser/'))?.unregister())
  await page.close()
})

test('two pages have one store in their shared worker', async () => {
  const [a, b] = [await open('shared'), await open('shared')]
  const options = { name: 'worker-of-two', state: { n: 0 } }
  const [one, two] = [await ask(a, { open: options }), await ask(b, { open: options })]
  expect([two.id, two.tabs]).toEqual([one.id, 1])
  await ask(a, { set: [['n'], 1] })
  expect((await ask(b)).state).toEqual({ n: 1 })
  await Promise.all([a.close(), b.close()])
})
