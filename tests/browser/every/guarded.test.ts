// What a page must not be harmed by: frames of foreign windows, a sessionStorage that others have too, and a policy that forbids what the package might want.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chosenBrowser, type BrowserTab } from '../browsers/browser.ts'
import { eventually, serve, within } from '../harness.ts'
import { useBrowser } from '../suite.ts'

const suite = useBrowser()
type Server = Awaited<ReturnType<typeof serve>>
interface Said {
  readonly says: string
  readonly id?: string
  readonly label?: string
  readonly count?: number
  readonly tabs?: number
  readonly flooded?: number
  readonly answered?: number
}
declare global {
  interface Window {
    /** What each frame has said last, in the order of their making. */
    said: (Said | undefined)[]
    /** Messages from frames. */
    heard: number
  }
}

async function openPage(server: Server): Promise<BrowserTab> {
  const page = await suite.browser.open(server.url)
  await eventually(() => page.evaluate(() => 'tabmesh' in window), Boolean)
  await page.evaluate(() => {
    window.said = []
    window.heard = 0
    addEventListener('message', ({ data, source }) => {
      window.heard++
      const index = [...document.querySelectorAll('iframe')].findIndex((frame) => frame.contentWindow === source)
      if (typeof data === 'object' && data !== null && 'says' in data) window.said[index] = data as Said
    })
  })
  return page
}

/** An iframe (framed.js), the next one. */
async function addFrame(page: BrowserTab, server: Server, role: string, origin = ''): Promise<void> {
  await page.evaluate((url) => {
    const frame = document.createElement('iframe')
    frame.src = url
    document.body.append(frame)
  }, `${server.url.replace('page.html', 'framed.html')}#${role},${origin}`)
}

describe(`windows of other origins, in ${chosenBrowser()}`, () => {
  let servers: [Server, Server, Server]
  /** Another port is another origin. */
  beforeAll(async () => {
    servers = await Promise.all([serve(), serve(), serve()])
  })
  afterAll(() => Promise.all(servers.map((server) => server.close())))

  test('10,000 well-formed frames of foreign windows, greetings and ports among them: none is applied', async () => {
    const [here, there, foreign] = servers
    const originOf = ({ url }: Server): string => new URL(url).origin
    const page = await openPage(here)
    await addFrame(page, foreign, 'hostile') // of another origin
    await addFrame(page, there, 'hostile') // of the right one, but not the window
    await eventually(() => page.evaluate(() => [0, 1].map((i) => window.said[i]?.says)), (roles) => roles.join() === 'hostile,hostile', 15_000)
    await addFrame(page, there, 'end', originOf(here))
    await page.evaluate(async (origin) => {
      window.store = await window.tabmesh.openStore({ name: 'forged', state: { shared: {}, own: 0 }, bridges: [{ window: document.querySelectorAll('iframe')[2]!.contentWindow!, origin, include: ['shared'] }] })
    }, originOf(there))
    await eventually(() => page.evaluate(() => JSON.stringify(window.store.getState().shared)), (shared) => shared === '{"x":1}', 15_000)
    await page.evaluate(() => window.store.flush())
    for (const index of [0, 1]) {
      const before = await page.evaluate(() => window.heard)
      await page.evaluate((i) => document.querySelectorAll('iframe')[i]!.contentWindow!.postMessage('flood', '*'), index)
      await eventually(() => page.evaluate((i) => window.said[i], index), (said) => said?.flooded === 5000, 30_000)
      expect(await page.evaluate((i) => window.said[i]!.answered, index)).toBe(0)
      expect((await page.evaluate(() => window.heard)) - before).toBeGreaterThanOrEqual(5001)
    }
    expect(await page.evaluate(() => [window.store.stats().framesIn, window.store.stats().dropped, window.store.stats().writes, window.store.tabs.length])).toEqual([0, 0, 1, 1])
    expect(await page.evaluate(() => window.store.getState())).toEqual({ shared: { x: 1 }, own: 0 })
    await page.close()
  })
})

test(`21 frames of one tab of ${chosenBrowser()}, with one sessionStorage, are 21 instances with 21 names that all know each other`, async () => {
  const page = await openPage(suite.server)
  for (let i = 0; i < 21; i++) await addFrame(page, suite.server, 'copy')
  const all = (): Promise<(Said | undefined)[]> => page.evaluate(() => Array.from({ length: 21 }, (_, i) => window.said[i]))
  const tell = (what: string): Promise<void> => page.evaluate((message) => document.querySelectorAll('iframe').forEach((frame) => frame.contentWindow!.postMessage(message, '*')), what)
  const opened = await eventually(all, (said) => said.every((one) => one?.id), 20_000)
  expect(new Set(opened.map((one) => one!.id)).size).toBe(21)
  expect(new Set(opened.map((one) => one!.label)).size).toBe(21)
  await tell('count')
  await eventually(async () => (await tell('look'), all()), (said) => said.every((one) => one?.count === 21 && one.tabs === 21), 20_000)
  await page.close()
})

describe(`a Content-Security-Policy, in ${chosenBrowser()}`, () => {
  const policy = (scripts: string): Record<string, string> => ({ 'Content-Security-Policy': `default-src 'self'; script-src 'self' ${scripts}; img-src data:` })

  test("without 'wasm-unsafe-eval': the error names it at once, and the page goes on by itself", async () => {
    const server = await serve(policy(''))
    const page = await openPage(server)
    const outcome = await page.evaluate(async () => {
      const store = (window.store = window.tabmesh.createStore({ name: 'forbidden', state: { n: 0 } }))
      const told: string[] = []
      store.on('error', ({ error }) => told.push((error as { code?: string }).code ?? String(error)))
      const at = performance.now()
      const rejected = await store.ready.then(
        () => 'ready',
        (error: unknown) => (error as { code?: string }).code,
      )
      const took = performance.now() - at
      store.setState({ n: 1 })
      let seen = 0
      store.subscribe((state) => (seen = state.n))
      store.setState({ n: 2 })
      return { told, rejected, took, n: store.getState().n, seen }
    })
    expect(outcome).toMatchObject({ told: ['csp-wasm-blocked'], rejected: 'csp-wasm-blocked', n: 2, seen: 2 })
    console.info(`csp-wasm-blocked after ${outcome.took.toFixed(0)} ms`)
    expect(outcome.took).toBeLessThanOrEqual(within(100))
    await page.close()
    await server.close()
  })

  test("with it and without 'unsafe-eval': two tabs share, store and lead", async () => {
    const server = await serve(policy("'wasm-unsafe-eval'"))
    const options = { name: 'allowed', state: { n: 0 } }
    const open = async (): Promise<BrowserTab> => {
      const page = await openPage(server)
      await page.evaluate(async (given) => {
        window.store = await window.tabmesh.openStore(given)
      }, options)
      return page
    }
    const [one, two] = [await open(), await open()]
    await one.evaluate(() => window.store.set(['n'], 1).durable)
    await eventually(() => two.evaluate(() => window.store.getState().n as number), (n) => n === 1)
    await eventually(() => two.evaluate(() => window.store.leader.id), (id) => id !== undefined)
    expect(await two.evaluate(() => window.store.transaction((state) => ({ n: Number(state.n) + 1 })).then(({ status }) => status))).toBe('committed')
    await Promise.all([one.close(), two.close()])
    await server.close()
  })
})
