// Real Chromium: one profile, one process a page, with the back/forward cache and timer throttling left on.
import { createServer, type Server } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { chromium, type BrowserContext, type CDPSession, type Page } from 'playwright-core'
import sirv from 'sirv'
import { chromiumPath } from '../../scripts/lib/debian.mjs'

export const root = new URL('../../', import.meta.url).pathname

/** Isolated pages have clocks of 5 µs instead of 100 µs (High Resolution Time, coarsening). */
export const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

/** Serves the checkout: tests/browser/page.html imports the built package from dist/. What pages post to /tell is handed to `told`, whose answer they get. */
export async function serve(headers: Record<string, string> = {}, told: (message: string) => string = () => ''): Promise<{ url: string; close: () => Promise<void> }> {
  const files = sirv(root, {
    dev: true,
    etag: true,
    setHeaders: (response) => Object.entries(headers).forEach((header) => response.setHeader(...header)),
  })
  const server: Server = createServer((request, response) => {
    if (request.method === 'POST' && request.url === '/tell') {
      text(request).then(
        (message) => response.end(told(message)),
        () => undefined, // its page is gone
      )
      return
    }
    files(request, response, () => void response.writeHead(404).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    url: `http://localhost:${port}/tests/browser/page.html`,
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  }
}

/** What Playwright adds to the command line and would make these tests prove nothing. */
const unwanted = ['--disable-back-forward-cache', '--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding']

export interface Profile {
  readonly folder: string
  readonly context: BrowserContext
  /** Process id of the browser itself. */
  pid(): Promise<number>
  /** Process id of a page's renderer. */
  rendererOf(page: Page): Promise<number>
  /** SIGKILL, as a crash or power cut of the browser alone; the profile stays. */
  kill(): Promise<void>
  close(): Promise<void>
}

export async function launch(folder?: string): Promise<Profile> {
  const path = folder ?? (await mkdtemp(join(tmpdir(), 'tabmesh-profile-')))
  const context = await chromium.launchPersistentContext(path, {
    executablePath: chromiumPath(),
    ignoreDefaultArgs: unwanted,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--site-per-process'],
  })
  const browser: CDPSession = await context.browser()!.newBrowserCDPSession()
  const processes = async (type: string): Promise<Map<number, number>> => {
    const { processInfo } = await browser.send('SystemInfo.getProcessInfo')
    return new Map(processInfo.filter((process) => process.type === type).map(({ id, cpuTime }) => [id, cpuTime]))
  }
  const pid = async (): Promise<number> => [...(await processes('browser')).keys()][0]!
  return {
    folder: path,
    context,
    pid,
    async rendererOf(page) {
      // The one renderer whose processor time, read before and after, encloses what the page's own process reports:
      // the same counter of the system, so the right process never drops out.
      const own = await context.newCDPSession(page)
      await own.send('Performance.enable')
      const tiny = 1e-6 // seconds; the counter's steps are 10 ms
      let candidates = [...(await processes('renderer')).keys()]
      for (let round = 0; round < 100 && candidates.length > 1; round++) {
        await page.evaluate(() => {
          const until = performance.now() + 30
          while (performance.now() < until);
        })
        const before = await processes('renderer')
        const { metrics } = await own.send('Performance.getMetrics')
        const after = await processes('renderer')
        const time = metrics.find(({ name }) => name === 'ProcessTime')!.value
        candidates = candidates.filter((id) => before.get(id)! <= time + tiny && time - tiny <= after.get(id)!)
      }
      await own.detach()
      const [id, ...others] = candidates
      if (id === undefined || others.length > 0) throw new Error(`the page's renderer is not clear: ${candidates.join(', ') || 'none'}`)
      return id
    },
    async kill() {
      const gone = new Promise<void>((resolve) => context.once('close', () => resolve()))
      process.kill(await pid(), 'SIGKILL')
      await gone
    },
    async close() {
      await context.close().catch(() => undefined)
      if (!folder) await rm(path, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** A page with the package loaded: `window.tabmesh`. */
export async function openTab(profile: Profile, url: string): Promise<Page> {
  const page = await profile.context.newPage()
  await page.goto(url)
  await page.waitForFunction(() => 'tabmesh' in window)
  return page
}

/** A page with a hydrated store in `window.store`. */
export async function openStoreTab(profile: Profile, url: string, options: object): Promise<Page> {
  const page = await openTab(profile, url)
  await page.evaluate(async (given) => {
    window.store = await window.tabmesh.openStore(given as never)
  }, options)
  return page
}

/**
 * The milliseconds a figure may take: as promised under `npm run test:browser`, with room for a busy machine
 * under `npm test`, where other things are shown.
 */
export function within(ms: number): number {
  return process.env.TABMESH_TIMES === 'strict' ? ms : ms * 5
}

/** The first value of `read` that `wanted` accepts; fails after `ms` with the last one. */
export async function eventually<T>(read: () => Promise<T>, wanted: (value: T) => boolean, ms = 5000): Promise<T> {
  const until = Date.now() + ms
  for (;;) {
    const value = await read()
    if (wanted(value)) return value
    if (Date.now() > until) throw new Error(`still ${JSON.stringify(value)} after ${ms} ms`)
    await new Promise((resolve) => setImmediate(resolve)) // `read` may answer at once
  }
}

declare global {
  interface Window {
    tabmesh: typeof import('../../js-glue/index.ts')
    store: import('../../js-glue/index.ts').Store<Record<string, any>> // eslint-disable-line @typescript-eslint/no-explicit-any -- any state a test likes
    frameSizes: number[]
    seen: unknown[]
  }
}
