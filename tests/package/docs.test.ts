// What README and docs/ show does what they say, in Chromium. That it type-checks is shown in todo.test.ts.
import { once } from 'node:events'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import sirv from 'sirv'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'
import { eventually, launch, root, type Profile } from '../browser/harness.ts'
import { codeBlocks } from './code-blocks.ts'

const blocks = codeBlocks()
const folder = join(root, 'build', 'docs')
let profile: Profile
let server: Server
let port: number

beforeAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const { name, language, code } of blocks) {
    writeFileSync(join(folder, `${name}.${language}`), `${code}\nexport {}\n`)
    writeFileSync(join(folder, `${name}.entry.js`), `import * as block from './${name}.${language}'\nwindow.block = block\n`)
    writeFileSync(join(folder, `${name}.html`), `<!doctype html><html lang="en"><meta charset="utf-8"><title>${name}</title><link rel="icon" href="data:,"><body><script type="module" src="${name}.entry.js"></script></body></html>`)
  }
  const dist = (name: string): [string, string] => [name === 'index' ? 'tabmesh' : `tabmesh/${name}`, join(root, 'dist', `${name}.js`)]
  await build({
    absWorkingDir: folder,
    entryPoints: blocks.map(({ name }) => `${name}.entry.js`),
    outdir: 'built',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
    alias: Object.fromEntries(['zustand', 'redux', 'react', 'vue', 'testing', 'inspector', 'inline', 'slim', 'offline', 'service-worker', 'index'].map(dist)),
    define: { 'process.env.NODE_ENV': '"development"' },
  })
  cpSync(join(root, 'dist', 'tabmesh.wasm'), join(folder, 'built', 'tabmesh.wasm'))
  for (const { name } of blocks) cpSync(join(folder, `${name}.html`), join(folder, 'built', `${name}.html`))
  const files = sirv(join(folder, 'built'), { dev: true })
  server = createServer((request, response) => files(request, response, () => void response.writeHead(404).end()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ;({ port } = server.address() as { port: number })
  profile = await launch()
})
afterAll(async () => {
  await profile?.close()
  server?.closeAllConnections()
  server?.close()
})

interface Opened {
  readonly page: Page
  readonly printed: string[]
  readonly problems: string[]
}

/** Each block has an origin of its own: names of stores come again. */
async function open(name: string): Promise<Opened> {
  const page = await profile.context.newPage()
  const printed: string[] = []
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => (message.type() === 'error' ? problems : printed).push(message.text()))
  await page.goto(`http://${name.toLowerCase().replaceAll('_', '-')}.localhost:${port}/${name}.html`)
  await eventually(() => page.evaluate(() => 'block' in window), (isThere) => isThere || problems.length > 0)
  return { page, printed, problems }
}

test('there are as many as one thinks', () => {
  expect(blocks.length).toBeGreaterThan(35)
  expect(blocks.filter(({ printed }) => printed.length > 0).length).toBeGreaterThan(15)
})

describe('runs, and prints what it says', () => {
  test.each(blocks.filter(({ code }) => !code.includes("'tabmesh/node'")))('$name', async ({ name, printed: wanted }) => {
    const { page, printed, problems } = await open(name)
    const missing = (): string[] => {
      const left = [...printed]
      return wanted.filter((line) => !left.includes(line) || left.splice(left.indexOf(line), 1).length === 0)
    }
    await eventually(() => Promise.resolve(missing()), (lines) => lines.length === 0 || problems.length > 0)
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300))) // what goes wrong once a store is ready
    expect(problems).toEqual([])
    await page.close()
  })
})

describe('recipes, in two tabs:', () => {
  type Block = Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any -- what the recipe exports
  const recipes = blocks.filter(({ name }) => name.startsWith('docs-RECIPES-'))
  const shown = new Set<string>()

  /** The recipe that exports a name, in two tabs; what they run is given the recipe. */
  async function inTwoTabs(named: string): Promise<{ readonly run: <T>(tab: 0 | 1, act: (block: Block, arg: never) => T, arg?: unknown) => Promise<Awaited<T>>; readonly close: (tab: 0 | 1) => Promise<void>; readonly end: () => Promise<void> }> {
    const { name, code } = recipes.find((recipe) => recipe.code.includes(named))!
    shown.add(name)
    const tabs = [await open(name), await open(name)] as const
    const store = /export const (\w+) = createStore/.exec(code)![1]!
    for (const { page } of tabs) await page.evaluate(`window.block.${store}.ready`)
    await eventually(() => Promise.all(tabs.map(({ page }) => page.evaluate(`window.block.${store}.tabs.length`))), (counts) => counts.every((count) => count === 2))
    return {
      run: (tab, act, arg) => tabs[tab].page.evaluate(`(${act.toString()})(window.block, ${JSON.stringify(arg)})`),
      close: (tab) => tabs[tab].page.close(),
      async end() {
        expect(tabs.flatMap(({ problems }) => problems)).toEqual([])
        await Promise.all(tabs.map(({ page }) => page.close()))
      },
    }
  }

  test('the whole state in every tab', async () => {
    const { run, end } = await inTwoTabs('rename')
    await Promise.all([run(0, ({ rename }) => void rename('Ada')), run(1, ({ store }) => void store.set(['user', 'unread'], 3))])
    for (const tab of [0, 1] as const) await eventually(() => run(tab, ({ store }) => store.getState().user as object), (user) => JSON.stringify(user) === '{"name":"Ada","unread":3}')
    await end()
  })

  test('only some of it', async () => {
    const { run, end } = await inTwoTabs("include: ['cart', 'filters']")
    await run(0, ({ store }) => void store.setState({ token: 'secret', draft: 'mine', cart: ['book'] }))
    await eventually(() => run(1, ({ store }) => store.getState() as object), (state) => JSON.stringify(state) === '{"cart":["book"],"filters":{},"draft":"","token":""}')
    await end()
  })

  test('only what changed', async () => {
    const { run, end } = await inTwoTabs('export const take')
    const rows = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`row${i}`, { title: `title ${i}`, done: false }]))
    await run(0, ({ take }, given) => take(given).shared, rows)
    await run(0, ({ take, frames }, given) => ((frames.length = 0), take(structuredClone(given)).shared), rows)
    await run(0, ({ take }, given) => take(given).shared, { ...rows, row7: { title: 'title 7', done: true } })
    expect(await run(0, ({ frames }) => frames as number[])).toEqual([expect.any(Number)])
    expect((await run(0, ({ frames }) => frames as number[]))[0]).toBeLessThan(100)
    expect(await run(1, ({ store }) => store.getState().rows.row7.done as boolean)).toBe(true)
    await end()
  })

  test('a form that is shared when one stops typing', async () => {
    const { run, end } = await inTwoTabs('export const submit')
    await run(1, ({ form }) => {
      window.seen = []
      form.subscribe((state: { title: string }) => window.seen.push(state.title))
    })
    await run(0, async ({ typed }) => {
      for (let n = 1; n <= 5; n++) {
        typed('title', 'x'.repeat(n))
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    })
    await eventually(() => run(1, () => window.seen), (seen) => JSON.stringify(seen) === '["xxxxx"]')
    await run(0, ({ typed, submit }) => (typed('text', 'at once'), submit()))
    expect(await run(1, ({ form }) => form.getState().text as string)).toBe('at once')
    await end()
  })

  test('kept, and known to be kept', async () => {
    const { run, close, end } = await inTwoTabs('export async function save')
    expect(await run(0, ({ save }) => save('text') as Promise<string>)).toBe('saved')
    await close(0)
    await close(1)
    const { page } = await open('docs-RECIPES-4')
    await page.evaluate('window.block.notes.ready')
    expect(await page.evaluate('window.block.notes.getState().text')).toBe('text')
    await page.close()
    await end()
  })

  test('optimistic, and taken back when the server refuses', async () => {
    const { run, end } = await inTwoTabs('export async function like')
    const mine = (tab: 0 | 1) => run(tab, ({ likes }) => likes.getState().posts.p?.mine as boolean | undefined)
    expect(await run(0, ({ like }) => like('p', () => Promise.resolve()) as Promise<boolean>)).toBe(true)
    await eventually(() => mine(1), (value) => value === true)
    await run(0, ({ likes }) => likes.set(['posts', 'p', 'mine'], false).shared as Promise<void>)
    await run(0, ({ like }) => {
      window.seen = [like('p', () => new Promise((_, reject) => Object.assign(window, { refuse: reject })))]
    })
    await eventually(() => mine(1), (value) => value === true)
    expect(await run(0, () => ((window as unknown as { refuse: () => void }).refuse(), window.seen[0] as Promise<boolean>))).toBe(false)
    await eventually(() => mine(1), (value) => value === false)
    // Overwritten meanwhile: the other's stays.
    await run(0, ({ like }) => {
      window.seen = [like('p', () => new Promise((_, reject) => Object.assign(window, { refuse: reject })))]
    })
    await eventually(() => mine(1), (value) => value === true)
    for (const value of [false, true]) await run(1, ({ likes }, given) => likes.set(['posts', 'p', 'mine'], given).shared as Promise<void>, value)
    await run(0, () => ((window as unknown as { refuse: () => void }).refuse(), window.seen[0]))
    await run(0, ({ likes }) => likes.flush('shared') as Promise<void>)
    expect([await mine(0), await mine(1)]).toEqual([true, true])
    await end()
  })

  test('a log of actions', async () => {
    const { run, end } = await inTwoTabs('export const inOrder')
    await Promise.all(([0, 1] as const).map((tab) => run(tab, async ({ note }, of) => {
      for (let n = 0; n < 20; n++) {
        note(`${String(of)}${n}`)
        await new Promise((resolve) => setTimeout(resolve))
      }
    }, tab === 0 ? 'a' : 'b')))
    const order = (tab: 0 | 1) => run(tab, ({ inOrder }) => inOrder() as string[])
    await eventually(async () => [await order(0), await order(1)] as const, ([one, other]) => one.length === 40 && one.join() === other.join())
    await end()
  })

  test('ask another tab', async () => {
    const { run, end } = await inTwoTabs('export const worked')
    const sums = await Promise.all(([0, 1] as const).map((tab) => run(tab, ({ sum }) => sum([1, 2, 3]) as Promise<number>)))
    expect(sums).toEqual([6, 6])
    const worked = await Promise.all(([0, 1] as const).map((tab) => run(tab, ({ worked }) => worked() as number)))
    expect(worked.sort()).toEqual([0, 2])
    await end()
  })

  test('one tab polls', async () => {
    const { run, close, end } = await inTwoTabs('export const readBy')
    await eventually(() => run(0, ({ quotes }) => quotes.leader.id !== undefined), Boolean)
    for (const tab of [0, 1] as const) await run(tab, ({ readBy }, price) => void readBy(() => ((window.seen ??= []).push(1), Promise.resolve(price))), 10 + tab)
    const polls = (tab: 0 | 1) => run(tab, () => window.seen?.length ?? 0)
    const leads = (await run(0, ({ quotes }) => quotes.leader.isLeader as boolean)) ? 0 : 1
    const other = leads === 0 ? 1 : 0
    await eventually(() => run(other, ({ quotes }) => quotes.getState().price as number), (price) => price === 10 + leads)
    expect([(await polls(leads)) > 0, await polls(other)]).toEqual([true, 0])
    await close(leads)
    await eventually(() => run(other, ({ quotes }) => quotes.getState().price as number), (price) => price === 10 + other)
    await end()
  })

  test('one WebSocket for all tabs', async () => {
    const sockets = new Set<WebSocket>()
    const relay = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(relay, 'listening')
    relay.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('message', (data: Buffer) => socket.send(JSON.stringify({ id: String(data), text: String(data) })))
    })
    const url = `ws://127.0.0.1:${(relay.address() as { port: number }).port}/`
    const { run, close, end } = await inTwoTabs('export const address')
    for (const tab of [0, 1] as const) await run(tab, ({ address, connect }, given) => ((address.url = given), connect()), url)
    const online = (tab: 0 | 1) => run(tab, ({ chat }) => chat.getState().isOnline as boolean)
    await eventually(() => online(1), Boolean)
    expect(sockets.size).toBe(1)
    await run(1, ({ say }) => say('hello') as Promise<void>)
    await eventually(() => run(0, ({ chat }) => chat.getState().messages as object[]), (messages) => JSON.stringify(messages) === '[{"id":"hello","text":"hello"}]')
    await close(0)
    await eventually(() => Promise.resolve([...sockets].length), (count) => count === 1)
    await eventually(() => run(1, ({ say }) => say('again').then(() => true, () => false) as Promise<boolean>), Boolean)
    await eventually(() => run(1, ({ chat }) => chat.getState().messages.length as number), (count) => count === 2)
    await end()
    relay.close()
  })

  test('a toast when another tab has changed something', async () => {
    const { run, end } = await inTwoTabs('export const toasts')
    await run(0, ({ board }) => board.setState({ color: 'blue' }).shared as Promise<void>)
    const label = await run(0, ({ board }) => board.tab.label as string)
    await eventually(() => run(1, ({ toasts }) => toasts as string[]), (toasts) => toasts.join() === `color changed in ${label}`)
    expect(await run(0, ({ toasts }) => toasts as string[])).toEqual([])
    await end()
  })

  test('none is left out', () => {
    expect(recipes.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([])
  })
})
