// What only Chromium lets one look into: where a token might be left, and a device that is offline.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Page } from 'playwright-core'
import { startProxy } from '../node/relay/proxy.ts'
import { freePort, relayOn, startRedis, type Redis } from '../node/relay/servers.ts'
import { eventually, launch, openTab, within } from './harness.ts'
import { useChromium } from './suite.ts'

const suite = useChromium()
let redis: Redis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

const open = async (page: Page, url: string, token = 'ada', room = 'room'): Promise<void> =>
  page.evaluate(
    async ([url, token, room]) => {
      window.store = await window.tabmesh.openStore({ name: 'board', state: {}, debug: true, relay: { url, token: () => token, room } })
    },
    [url, token, room] as const,
  )
const statusOf = (page: Page): Promise<string> => page.evaluate(() => window.store.status.relay)

test('the token is in no storage, no channel, no address and no log', { timeout: 120_000 }, async () => {
  const canary = ['canary', 'b7f3e1a9c2d84455'].join('-')
  const said: string[] = []
  const relay = await relayOn(redis, { authenticate: (token) => (token === canary ? { user: 'ada', rooms: '*' } : undefined), log: (event) => void said.push(JSON.stringify(event)) })
  const profile = await launch()
  const pages = [await openTab(profile, suite.server.url), await openTab(profile, suite.server.url)]
  const spy = await openTab(profile, suite.server.url)
  await spy.evaluate(() => {
    window.seen = []
    for (const name of ['board~secret', 'board~secret@']) new BroadcastChannel(`tabmesh:${name}`).onmessage = ({ data }: MessageEvent<Uint8Array>) => window.seen.push(new TextDecoder('latin1').decode(data))
    addEventListener('storage', ({ key, newValue }) => window.seen.push(`${key} ${newValue}`))
  })
  for (const page of pages) {
    page.on('console', (message) => said.push(message.text()))
    page.on('websocket', (socket) => said.push(socket.url()))
    await open(page, relay.url, canary, 'secret')
  }
  await eventually(() => Promise.all(pages.map(statusOf)), (all) => all.includes('online'))
  for (const page of pages) await page.evaluate(() => window.store.set([`by-${window.store.tab.id}`], 1).relayed)
  const leader = (await Promise.all(pages.map((page) => page.evaluate(() => window.store.leader.isLeader)))).indexOf(true)
  await pages[leader]!.close() // the other one asks its app for the token
  const left = pages[1 - leader]!
  await left.evaluate(() => window.store.set(['left'], 1).relayed)
  await left.evaluate(() => new Promise((resolve) => setTimeout(resolve, 2500))) // the hot copy
  const stored = await left.evaluate(async () => {
    const found: string[] = [JSON.stringify(Object.entries(localStorage)), JSON.stringify(Object.entries(sessionStorage)), document.cookie, location.href]
    for (const { name } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name!)
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error!)
      })
      for (const store of database.objectStoreNames) {
        const values = await new Promise<unknown[]>((resolve) => {
          const request = database.transaction(store).objectStore(store).getAll()
          request.onsuccess = () => resolve(request.result)
        })
        for (const value of values) found.push(value instanceof ArrayBuffer ? new TextDecoder('latin1').decode(value) : JSON.stringify(value))
      }
      database.close()
    }
    return found
  })
  const heard = (await spy.evaluate(() => window.seen)) as string[]
  expect(heard.length).toBeGreaterThan(5)
  expect(stored.length).toBeGreaterThan(8)
  const inRedis = await redis.command('KEYS', '*')
  const values = await Promise.all((inRedis as string[]).map(async (key) => String(await redis.command('DUMP', key))))
  await profile.context.close()
  const onDisk = await promisify(execFile)('grep', ['-rlaF', canary, profile.folder]).then(
    ({ stdout }) => stdout,
    () => '', // nothing is found
  )
  for (const [what, texts] of Object.entries({ stored, heard, said, values, onDisk: [onDisk] })) expect(texts.filter((text) => text.includes(canary)), what).toEqual([])
  expect(said.some((line) => line.includes('ws://'))).toBe(true)
  await relay.close(0)
})

test('three tabs that were offline for 1,000 writes have them at the relay, once, within 3 s of being online', { timeout: 180_000 }, async () => {
  const relay = await relayOn(redis)
  const proxy = await startProxy(relay.port)
  const profile = await launch()
  const pages: Page[] = []
  for (let i = 0; i < 3; i++) {
    const page = await openTab(profile, suite.server.url)
    await open(page, `ws://127.0.0.1:${proxy.port}`, 'ada', 'offline')
    pages.push(page)
  }
  await eventually(() => Promise.all(pages.map(statusOf)), (all) => all.includes('online'))
  const far = await openTab(suite.profile, suite.server.url)
  await open(far, relay.url, 'ada', 'offline')
  await profile.context.setOffline(true)
  proxy.swallow(true)
  proxy.cut()
  await Promise.all(
    pages.map((page, i) =>
      page.evaluate(async (me) => {
        for (let i = 0; i < 1000; i++) {
          window.store.set(['written', `${me}-${i}`], i)
          window.store.increment(['count'], 1)
          if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 0))
        }
        await window.store.set(['done', `${me}`], true).durable
      }, i),
    ),
  )
  await new Promise((resolve) => setTimeout(resolve, 3000)) // attempts fail meanwhile
  expect(await far.evaluate(() => 'count' in window.store.getState())).toBe(false)
  proxy.swallow(false)
  const started = Date.now()
  await profile.context.setOffline(false)
  await eventually(() => far.evaluate(() => [Object.keys((window.store.getState().written ?? {}) as object).length, window.store.getState().count as number]), ([keys, count]) => keys === 3000 && count === 3000, 30_000)
  const ms = Date.now() - started
  console.info(`3,000 writes of three tabs that were offline: at another device ${ms} ms after being online`)
  expect(ms).toBeLessThan(within(3000))
  await far.close()
  await profile.close()
  await proxy.close()
  await relay.close(0)
})

test('what a page could not send before it was closed its service worker hands over, when the browser says that there is a network', { timeout: 120_000 }, async () => {
  const port = await freePort()
  const before = await relayOn(redis, { port })
  const address = `ws://127.0.0.1:${port}`
  const profile = await launch()
  const page = await openTab(profile, suite.server.url)
  const devtools = await profile.context.newCDPSession(page)
  const registered = new Promise<string>((resolve) => devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => registrations[0] && resolve(registrations[0].registrationId)))
  await devtools.send('ServiceWorker.enable')
  await open(page, address, 'ada', 'courier')
  await page.evaluate(() => window.store.set(['before'], true).relayed)
  await before.close(0)
  await eventually(() => statusOf(page), (status) => status === 'offline')
  await page.addScriptTag({ type: 'module', content: "import { keepOffline } from '/dist/offline.js'\nwindow.keepOffline = keepOffline" })
  await page.waitForFunction(() => 'keepOffline' in window)
  const asked = await page.evaluate(async (address) => {
    const { keepOffline } = window as unknown as typeof import('../../js-glue/offline/keep.ts')
    await keepOffline(`/tests/browser/relay-worker.js?relay=${address}`, { type: 'module', store: window.store }).ready
    const { sync } = (await navigator.serviceWorker.getRegistration('/tests/browser/')) as unknown as { sync: { getTags(): Promise<string[]> } }
    await window.store.set(['left'], 'by a page that is closed').durable
    for (let left = 600; left > 0; left--) {
      const tags = await sync.getTags()
      if (tags.length > 0) return tags
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    return []
  }, address)
  expect(asked).toEqual(['tabmesh-relay'])
  await page.evaluate(() => window.store.close())
  const relay = await relayOn(redis, { port })
  const far = await openTab(suite.profile, suite.server.url)
  await open(far, relay.url, 'ada', 'courier')
  await eventually(() => statusOf(far), (status) => status === 'online')
  expect(await far.evaluate(() => 'left' in window.store.getState())).toBe(false)
  await devtools.send('ServiceWorker.dispatchSyncEvent', { origin: new URL(suite.server.url).origin, registrationId: await registered, tag: 'tabmesh-relay', lastChance: false })
  await eventually(() => far.evaluate(() => window.store.getState().left as string), (left) => left === 'by a page that is closed', 20_000)
  await far.close()
  await profile.close()
  await relay.close(0)
})
