// Ordinary to-do apps on zustand and on redux, made one for all tabs by the lines that the guides show.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import sirv from 'sirv'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { build } from 'vite'
import { budgets, sizes } from '../../scripts/size.mjs'
import { eventually, launch, root, type Profile } from '../browser/harness.ts'
import { codeBlocks } from './code-blocks.ts'

const rounds = 100
const examples = join(root, 'tests', 'package', 'todo')
const guideOf = (name: string): string => readFileSync(join(root, 'docs', `${name.toUpperCase()}.md`), 'utf8')
const apps = ['zustand', 'redux'] as const
const libraries = ['zustand', 'redux', '@reduxjs', 'immer', 'reselect', 'redux-thunk', '@standard-schema', 'vue', '@vue', '@babel', '@types/react', 'csstype']
let folder: string
let profile: Profile
let server: Server
let origin: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tabmesh-todo-'))
  const tarball = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root, encoding: 'utf8' }).trim().split('\n').at(-1)!
  writeFileSync(join(folder, 'package.json'), '{"name":"app","version":"1.0.0","type":"module"}')
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--omit=peer', join(folder, tarball)], { cwd: folder, stdio: 'pipe' })
  for (const library of libraries) cpSync(join(root, 'node_modules', library), join(folder, 'node_modules', library), { recursive: true })
  cpSync(examples, join(folder, 'todo'), { recursive: true })
  for (const app of apps) {
    writeFileSync(join(folder, `${app}.html`), `<!doctype html><html lang="en"><meta charset="utf-8"><title>to do</title><link rel="icon" href="data:,"><form><input aria-label="title"></form><ul></ul><script type="module" src="./todo/${app}/view.ts"></script></html>`)
  }
  await build({ root: folder, logLevel: 'error', configFile: false, build: { outDir: 'built', rolldownOptions: { input: apps.map((app) => join(folder, `${app}.html`)) } } })
  const files = sirv(join(folder, 'built'), { dev: true })
  server = createServer((request, response) => files(request, response, () => void response.writeHead(404).end()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://localhost:${(server.address() as { port: number }).port}`
  profile = await launch()
})
afterAll(async () => {
  await profile?.close()
  server?.closeAllConnections()
  server?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function open(app: string): Promise<Page> {
  const page = await profile.context.newPage()
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  await page.goto(`${app === 'redux' ? origin.replace('localhost', '127.0.0.1') : origin}/${app}.html`) // an origin of its own: both are called todos
  await page.waitForFunction(() => 'app' in window)
  return page
}
const problems: string[] = []

type Todos = Record<string, { title: string; done: boolean }>
const todosOf = (page: Page): Promise<Todos> => page.evaluate(() => window.app.todos())
const sorted = (todos: Todos): string => JSON.stringify(Object.entries(todos).sort())

/** Calls an action of the store in both pages at one instant. */
async function atOnce(pages: readonly Page[], action: 'add' | 'toggle', args: readonly string[]): Promise<void> {
  const at = Date.now() + 25
  await Promise.all(
    pages.map((page, i) =>
      page.evaluate(
        async ([when, name, given]) => {
          await new Promise((resolve) => setTimeout(resolve, Math.max(0, when - Date.now() - 8)))
          while (Date.now() < when);
          window.app[name](given)
        },
        [at, action, args[i]!] as const,
      ),
    ),
  )
}

describe.each(apps)('on %s', (app) => {
  test('what changes in it is at most three lines, and what the guide shows', () => {
    const { stdout } = spawnSync('diff', ['-u', '--label', 'before.ts', '--label', 'after.ts', 'before.ts', 'after.ts'], { cwd: join(examples, app), encoding: 'utf8' })
    expect(guideOf(app)).toContain(`\`\`\`diff\n${stdout}\`\`\``)
    expect(stdout.split('\n').filter((line) => /^[+-](?![+-])/.test(line)).length).toBeLessThanOrEqual(3)
  })

  test(`two tabs add at one instant, ${rounds} times, and toggle one: all are in both, and still there when both were closed`, async () => {
    let pages = [await open(app), await open(app)]
    await pages[0]!.fill('input', 'typed')
    await pages[0]!.press('input', 'Enter')
    await eventually(() => pages[1]!.textContent('ul'), (text) => text === '☐ typed')
    for (let round = 0; round < rounds; round++) {
      await atOnce(pages, 'add', [`a ${round}`, `b ${round}`])
      for (const page of pages) await eventually(() => todosOf(page), (todos) => Object.keys(todos).length === 3 + 2 * round)
    }
    const id = Object.keys(await todosOf(pages[0]!))[0]!
    for (let round = 0; round < rounds; round++) {
      await atOnce(pages, 'toggle', [id, id])
      await eventually(async () => (await Promise.all(pages.map(todosOf))).map(sorted), ([one, other]) => one === other)
    }
    const before = sorted(await todosOf(pages[0]!))
    await Promise.all(pages.map((page) => page.close()))
    pages = [await open(app)]
    await eventually(() => todosOf(pages[0]!), (todos) => sorted(todos) === before)
    expect(problems).toEqual([])
  })
})

test('they type-check in a strict project, as what the guides show does', () => {
  // What the guides show, each block a file.
  const blocks = codeBlocks().filter(({ language }) => language === 'ts').map(({ name, code }) => {
    const more = name === 'docs-ZUSTAND-0' ? '// @ts-expect-error -- no such key\nboard.tabmesh.setState({ other: 1 })\nconst title: string | undefined = board.getState().tasks[0]?.title\nexport { title }\n' : 'export {}\n'
    writeFileSync(join(folder, `${name}.ts`), code + more)
    return `${name}.ts`
  })
  for (const [module, moduleResolution] of [['ESNext', 'bundler'], ['NodeNext', 'nodenext']]) {
    const compilerOptions = { noEmit: true, strict: true, skipLibCheck: false, target: 'es2022', lib: ['es2022', 'esnext.disposable', 'dom', 'dom.iterable'], types: [], module, moduleResolution }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [...apps.map((app) => `todo/${app}/after.ts`), ...blocks] }))
    const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', '.'], { cwd: folder, encoding: 'utf8' })
    expect([status, stdout]).toEqual([0, ''])
  }
})

test('adds little to the critical path', async () => {
  expect((await sizes()).zustand.brotli).toBeLessThanOrEqual(budgets.zustand)
})

