// The package as a user gets it: packed, installed in an empty folder, and used by the README's three lines.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { build } from 'vite'
import { sizes } from '../../scripts/size.mjs'
import { launch, root, type Profile } from '../browser/harness.ts'
import { servedAndShared } from './two-tabs.ts'

let folder: string
let tarball: string
let profile: Profile
const example = /```js\n(import \{ createStore \}[\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))![1]!

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tabmesh-package-'))
  tarball = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root, encoding: 'utf8' }).trim().split('\n').at(-1)!
  writeFileSync(join(folder, 'package.json'), '{"name":"app","version":"1.0.0","type":"module"}')
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', join(folder, tarball)], { cwd: folder, stdio: 'pipe' })
  profile = await launch()
})
afterAll(async () => {
  await profile.close()
  rmSync(folder, { recursive: true, force: true })
})

const page = (script: string): string => `<!doctype html><html lang="en"><meta charset="utf-8"><title>app</title><link rel="icon" href="data:,"><script type="module">${script}</script></html>`

describe('the packed package', () => {
  test('holds one copy of the module and nothing that is not meant for users', () => {
    const names = readdirSync(join(folder, 'node_modules', 'tabmesh'), { recursive: true, encoding: 'utf8' })
    expect(names.filter((name) => name.endsWith('.wasm'))).toEqual(['dist/tabmesh.wasm'])
    expect(names.filter((name) => /\btests?\b|\.ts$|\.cc$/.test(name) && !/\.d\.m?ts$/.test(name))).toEqual([])
  })

  test("has the sizes that the README names", async () => {
    const measured = await sizes()
    const kilobytes = (bytes: number, digits: number): string => `${(bytes / 1000).toFixed(digits)} KB`
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    expect(readme).toContain(`${kilobytes(measured.critical.brotli, 1)} of JavaScript before the first paint, ${kilobytes(measured.javascript.brotli, 0)} in all, ${kilobytes(measured.wasm.brotli, 0)} of WebAssembly`)
  })

  test("works in Node by the README's lines", () => {
    writeFileSync(join(folder, 'node.js'), `${example}\nglobalThis.render = () => {}\nawait store.ready\nconsole.log(JSON.stringify(store.getState()))\nawait store.close()\n`.replace(/^/, 'globalThis.render = () => {}\n'))
    const printed = execFileSync(process.execPath, ['node.js'], { cwd: folder, encoding: 'utf8', timeout: 20_000 })
    expect(JSON.parse(printed.trim())).toMatchObject({ theme: 'dark' })
  })

  test('publint and are-the-types-wrong find nothing, for ES modules and for CommonJS', () => {
    // Resolvers of Node 10 know no entry points; the module has no types.
    for (const [tool, ...args] of [['publint', '--strict', root], ['attw', '--profile', 'node16', '--exclude-entrypoints', 'tabmesh.wasm', '--', join(folder, tarball)]] as const) {
      const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin', tool), args, { encoding: 'utf8' })
      expect(status, stdout + stderr).toBe(0)
    }
  })

  test('works in Node by require()', () => {
    const names = Object.keys((JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: object }).exports).filter((name) => !/json|wasm|react|redux|vue|zustand|service-worker|relay/.test(name))
    const script = names.map((name) => `require('tabmesh${name.slice(1)}')`).join(';')
    writeFileSync(join(folder, 'required.cjs'), `${script}\nconst { openStore, TabmeshError } = require('tabmesh')\nvoid openStore({ name: 'required', state: { n: 1 } }).then(async (store) => {\n  store.set(['n'], 2)\n  console.log(JSON.stringify([store.getState(), TabmeshError.name, require.resolve('tabmesh').endsWith('cjs/index.js')]))\n  await store.close()\n})`)
    expect(JSON.parse(execFileSync(process.execPath, ['required.cjs'], { cwd: folder, encoding: 'utf8', timeout: 20_000 }))).toEqual([{ n: 2 }, 'TabmeshError', true])
  })

  test('touches no global of a browser when it is imported', () => {
    const script = `for (const name of ['window','document','navigator','localStorage','indexedDB','BroadcastChannel','fetch']) Object.defineProperty(globalThis, name, { configurable: true, get() { throw new Error('touched ' + name) } })\nfor (const entry of ['', '/slim', '/inline', '/lz-string', '/service-worker', '/inspector', '/zustand', '/testing']) await import('tabmesh' + entry)\nconsole.log('clean')`
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: folder, encoding: 'utf8' }).trim()).toBe('clean')
  })

  test('exports the module and lz-string', () => {
    const script = `import { compressToUTF16, decompressFromUTF16, ready } from 'tabmesh/lz-string'\nawait ready\nconsole.log(decompressFromUTF16(compressToUTF16('text \\ud800')) === 'text \\ud800', import.meta.resolve('tabmesh/tabmesh.wasm').endsWith('dist/tabmesh.wasm'))`
    writeFileSync(join(folder, 'lz.js'), script)
    expect(execFileSync(process.execPath, ['lz.js'], { cwd: folder, encoding: 'utf8' }).trim()).toBe('true true')
  })

  test('type-checks in a strict project', () => {
    writeFileSync(join(folder, 'app.ts'), `import { createStore, type Store } from 'tabmesh'\nconst store: Store<{ theme: string; n: number }> = createStore({ name: 'app', state: { theme: 'light', n: 1 } })\nconst theme: string = store.getState().theme\nstore.setState({ n: 2 })\n// @ts-expect-error -- the state is read-only\nstore.getState().theme = 'x'\n// @ts-expect-error -- no such key\nstore.setState({ m: 2 })\nexport { theme }\n`)
    for (const [module, moduleResolution] of [['ESNext', 'bundler'], ['NodeNext', 'nodenext']]) {
      const compilerOptions = { noEmit: true, strict: true, skipLibCheck: false, target: 'es2022', lib: ['es2022', 'esnext.disposable', 'dom'], types: [], module, moduleResolution }
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.ts'] }))
      const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', '.'], { cwd: folder, encoding: 'utf8' })
      expect([status, stdout]).toEqual([0, ''])
    }
  })

  test('works in a plain module script', async () => {
    writeFileSync(join(folder, 'index.html'), page(`import { createStore } from './node_modules/tabmesh/dist/index.js'\nwindow.store = createStore({ name: 'plain', state: { theme: 'light' } })`))
    await servedAndShared(profile, folder)
  })

  test('works in a Vite build', async () => {
    writeFileSync(join(folder, 'index.html'), page(`import { createStore } from 'tabmesh'\nwindow.store = createStore({ name: 'vite', state: { theme: 'light' } })`))
    await build({ root: folder, logLevel: 'error', configFile: false, build: { outDir: 'built' } })
    expect(readdirSync(join(folder, 'built', 'assets')).filter((name) => name.endsWith('.wasm'))).toHaveLength(1)
    expect(await servedAndShared(profile, join(folder, 'built'))).toBe(2)
  })

  const wasmOf = (assets: string): string[] => readdirSync(assets).filter((name) => name.includes('wasm'))

  test('slim has no module until it is told where: nothing is copied, and nothing shared before', async () => {
    const slim = `import { createStore, init } from 'tabmesh/slim'\nconst store = createStore({ name: 'slim', state: { theme: 'light' } })\n`
    writeFileSync(join(folder, 'index.html'), page(`${slim}window.store = store; window.init = init`))
    await build({ root: folder, logLevel: 'error', configFile: false, build: { outDir: 'built-slim' } })
    expect(wasmOf(join(folder, 'built-slim', 'assets'))).toEqual([])
    writeFileSync(join(folder, 'index.html'), page(`${slim}import url from 'tabmesh/tabmesh.wasm?url'\nawait new Promise((resolve) => setTimeout(resolve))\ninit(url)\nwindow.store = store`))
    await build({ root: folder, logLevel: 'error', configFile: false, build: { outDir: 'built-slim', target: 'es2022' } })
    expect(wasmOf(join(folder, 'built-slim', 'assets'))).toHaveLength(1)
    expect(await servedAndShared(profile, join(folder, 'built-slim'))).toBe(2)
  })

  test('slim: a store that says where its module is does not wait for one that does not know', () => {
    writeFileSync(join(folder, 'slim.js'), `import { readFileSync } from 'node:fs'\nimport { createStore, openStore } from 'tabmesh/slim'\ncreateStore({ name: 'waits', state: {} })\nconst store = await openStore({ name: 'knows', state: { n: 1 }, wasm: readFileSync(new URL(import.meta.resolve('tabmesh/tabmesh.wasm'))) })\nconsole.log(JSON.stringify(store.getState()))\nprocess.exit()`)
    expect(execFileSync(process.execPath, ['slim.js'], { cwd: folder, encoding: 'utf8', timeout: 20_000 }).trim()).toBe('{"n":1}')
  })

  test('inline is one file, and fetches nothing', async () => {
    writeFileSync(join(folder, 'index.html'), page(`import { createStore } from './node_modules/tabmesh/dist/inline.js'\nwindow.store = createStore({ name: 'inline', state: { theme: 'light' } })`))
    expect(readFileSync(join(folder, 'node_modules/tabmesh/dist/inline.js'), 'utf8')).not.toMatch(/from\s*"|import\(/)
    expect(await servedAndShared(profile, folder)).toBe(0)
  })
})
