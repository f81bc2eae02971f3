// The hooks in React's StrictMode, in Chromium.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { eventually, root } from './harness.ts'
import { useChromium } from './suite.ts'
import type { ReactApp } from './react/app.ts'

const suite = useChromium()

beforeAll(async () => {
  const folder = join(root, 'build', 'react')
  mkdirSync(folder, { recursive: true })
  await build({
    entryPoints: [join(root, 'tests/browser/react/app.ts')],
    outfile: join(folder, 'app.js'),
    bundle: true,
    format: 'esm',
    alias: { 'tabmesh/react': join(root, 'dist/react.js'), tabmesh: join(root, 'dist/index.js') },
    define: { 'process.env.NODE_ENV': '"development"' },
  })
  copyFileSync(join(root, 'dist', 'tabmesh.wasm'), join(folder, 'tabmesh.wasm'))
  writeFileSync(join(folder, 'index.html'), '<!doctype html><html lang="en"><meta charset="utf-8"><title>React</title><link rel="icon" href="data:,"><body><script type="module" src="app.js"></script></body></html>')
})

/** Counts what a page has open. */
function counting(): void {
  const open = { channels: 0, connections: 0 }
  const made = { connections: 0 }
  Object.assign(window, { open_: open, made_: made })
  const Channel = BroadcastChannel
  window.BroadcastChannel = class extends Channel {
    constructor(name: string) {
      super(name)
      open.channels++
    }
    override close(): void {
      open.channels--
      super.close()
    }
  }
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called on the database below
  const close = IDBDatabase.prototype.close
  IDBDatabase.prototype.close = function () {
    open.connections--
    close.call(this)
  }
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called on the factory below
  const openDatabase = IDBFactory.prototype.open
  IDBFactory.prototype.open = function (...args) {
    const request = openDatabase.apply(this, args)
    request.addEventListener('success', () => {
      open.connections++
      made.connections++
    })
    return request
  }
}

const problems: string[] = []

async function open(): Promise<Page> {
  const page = await suite.profile.context.newPage()
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  await page.addInitScript(counting)
  await page.goto(suite.server.url.replace('tests/browser/page.html', 'build/react/index.html'))
  await page.waitForFunction(() => 'react' in window)
  return page
}

const text = (page: Page, id: string): Promise<string | null> => page.textContent(`#${id}`)
const react = <T>(page: Page, run: (app: ReactApp) => T): Promise<Awaited<T>> => page.evaluate(`(${run.toString()})(window.react)`)

/** Channels, connections, and locks held and waited for, of this page alone. */
const held = (page: Page): Promise<object> =>
  page.evaluate(() =>
    navigator.locks.request(String(Math.random()), async (asked) => {
      const { held = [], pending = [] } = await navigator.locks.query()
      const self = held.find(({ name }) => name === asked!.name)!.clientId
      const own = (locks: LockInfo[]): number => locks.filter(({ clientId, name }) => clientId === self && name !== asked!.name).length
      return { ...(window as unknown as { open_: object }).open_, held: own(held), pending: own(pending) }
    }),
  )

test('useStore, useLeader, useTabs, useConflicts: what is shown follows two tabs, and renders no more than it has to', async () => {
  const pages = [await open(), await open()] as const
  for (const page of pages) await react(page, async (app) => {
      await app.showStore()
    })
  const [one, two] = pages
  expect((await react(one, (app) => app.version)).split('.')[0]).toBe('19')
  await one.click('#add')
  for (const page of pages) await eventually(() => text(page, 'count'), (shown) => shown === '1')
  await eventually(async () => [await text(one, 'leader'), await text(two, 'leader')], (both) => both.join() === '{"isLeader":true,"led":true,"guarantee":"fenced"},{"isLeader":false,"led":true,"guarantee":"fenced"}')
  for (const [page, shown] of [[one, '[[true,true],[true,false]]'], [two, '[[true,false],[true,true]]']] as const) await eventually(() => text(page, 'tabs'), (tabs) => tabs === shown)

  const before = await react(two, (app) => ({ ...app.renders }))
  await one.evaluate(() => window.store.set(['items', 'a'], { done: false }))
  await one.evaluate(() => window.store.set(['items', 'b'], { done: true }))
  await eventually(() => text(two, 'done'), (shown) => shown === '["b"]')
  await one.evaluate(async () => window.store.set(['items', 'c'], { done: false }).shared)
  await one.evaluate(async () => window.store.set(['title'], 'last').shared)
  await eventually(() => text(two, 'add'), (shown) => shown === 'last')
  const after = await react(two, (app) => ({ ...app.renders }))
  expect([after.count! - before.count!, after.done! - before.done!]).toEqual([0, 2]) // StrictMode renders twice

  const at = Date.now() + 100
  await Promise.all(pages.map((page, i) => page.evaluate(([when, value]) => {
    while (Date.now() < when);
    window.store.setState({ title: value })
  }, [at, `of ${i}`] as const)))
  for (const page of pages) await eventually(() => text(page, 'conflicts'), (shown) => shown!.includes('of 0') && shown!.includes('of 1'))
  await one.evaluate(() => window.store.conflicts.clear())
  for (const page of pages) await eventually(() => text(page, 'conflicts'), (shown) => shown === '[]')
  await two.close()
  await eventually(() => text(one, 'tabs'), (tabs) => tabs === '[[true,true]]')
  await react(one, (app) => app.unmount())
  await one.evaluate(() => window.store.setState({ count: 9 }))
  expect(problems).toEqual([])
  await one.close()
})

test('useBroadcastSync: one core through StrictMode and 20 hot reloads; unmounted, nothing is left, and the heap stays', async () => {
  const other = await open()
  await other.evaluate(() => {
    ;(window as { zustand?: unknown }).zustand = window.react.showSync(0)
  })
  const page = await open()
  const show = (generation: number): Promise<void> =>
    page.evaluate((n) => {
      ;(window as { zustand?: unknown }).zustand = window.react.showSync(n)
    }, generation)
  type Zustand = { zustand: { setState: (partial: object) => void; getState: () => { count: number } } }
  const count = (of: Page): Promise<number> => of.evaluate(() => (window as unknown as Zustand).zustand.getState().count)
  const alone = await held(page)
  await show(1)
  await eventually(() => held(page), (now) => JSON.stringify(now) !== JSON.stringify(alone))
  await other.evaluate(() => (window as unknown as Zustand).zustand.setState({ count: 5 }))
  await eventually(() => count(page), (n) => n === 5)
  // Two of its locks show whose the tab's name is, and that it is alive; it waits to lead.
  const mounted = { channels: 2, connections: 1, held: 2, pending: 1 }
  await eventually(() => held(page), (now) => JSON.stringify(now) === JSON.stringify(mounted))

  // The newest render's callback is told.
  await page.click('#click')
  await other.evaluate(() => (window as unknown as Zustand).zustand.setState({ count: 6 }))
  await eventually(() => react(page, (app) => app.told.at(-1) ?? ''), (last) => last === '1.1: count')

  const session = await page.context().newCDPSession(page)
  const heap = async (): Promise<number> => {
    await session.send('HeapProfiler.collectGarbage')
    return (await session.send('Runtime.getHeapUsage')).usedSize
  }
  const sizes: number[] = []
  for (let generation = 2; generation <= 21; generation++) {
    await show(generation)
    await eventually(() => count(page), (n) => n === 6)
    if (generation === 6 || generation === 21) sizes.push(await heap())
  }
  await eventually(() => held(page), (now) => JSON.stringify(now) === JSON.stringify(mounted))
  await page.evaluate(() => (window as unknown as Zustand).zustand.setState({ count: 7 }))
  await eventually(() => count(other), (n) => n === 7)
  expect(await page.evaluate(() => (window as unknown as { made_: object }).made_), 'one core').toEqual({ connections: 1 })
  console.info(`mounted: ${JSON.stringify(mounted)}; heap after 5 and 20 reloads: ${sizes.map((size) => (size / 1e6).toFixed(2)).join(' and ')} MB`)
  expect(sizes[1]! - sizes[0]!).toBeLessThan(500_000)

  await react(page, (app) => app.unmount())
  await eventually(() => held(page), (now) => JSON.stringify(now) === JSON.stringify(alone))
  expect(problems).toEqual([])
  await Promise.all([page.close(), other.close()])
})
