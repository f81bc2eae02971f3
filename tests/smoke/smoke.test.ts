// The package under the tools that people build with: each makes an app of three lines, which two tabs of Chromium open.
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createServer as createVite } from 'vite'
import { eventually, launch, root, type Profile } from '../browser/harness.ts'
import { servedAndShared, sharedByTwoTabs } from '../package/two-tabs.ts'

/** Where scripts/smoke.mjs has installed the tools and the packed package. */
const place = join(root, 'build', 'smoke')
const run = promisify(execFile)
let profile: Profile

beforeAll(async () => {
  profile = await launch()
})
afterAll(() => profile.close())

/** An app's folder, made anew. */
function app(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(place, name)
  rmSync(folder, { recursive: true, force: true })
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  return folder
}

const tool = (name: string): string => join(place, 'node_modules', '.bin', name)
const html = (script: string): string => `<!doctype html><html lang="en"><meta charset="utf-8"><title>app</title><link rel="icon" href="data:,"><body><script type="module" src="${script}"></script></body></html>`
const main = (name: string, from = 'tabmesh', options = ''): string => `import { createStore } from '${from}'\nwindow.store = createStore({ name: '${name}', state: { theme: 'light' }${options} })\n`

const served = (folder: string): Promise<number> => servedAndShared(profile, folder)

/** The one copy of the module that a tool has made. */
const modules = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /tabmesh[^/]*\.wasm$|\.wasm$/.test(name))

test("Vite's dev server, without any configuration", async () => {
  const folder = app('vite-dev', { 'index.html': html('./main.js'), 'main.js': main('vite-dev') })
  const server = await createVite({ root: folder, configFile: false, logLevel: 'error', server: { port: 0, host: '127.0.0.1' }, cacheDir: join(folder, '.vite') })
  await server.listen()
  await sharedByTwoTabs(profile, `http://localhost:${(server.httpServer!.address() as { port: number }).port}/index.html`)
  await server.close()
})

test('a module worker in a Vite build', async () => {
  const { build } = await import('vite')
  const folder = app('vite-worker', {
    'index.html': html('./main.js'),
    'main.js': `${main('vite-worker')}new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })\nawait new Promise((resolve) => window.store.on('tabs', (tabs) => tabs.length > 1 && resolve()))\n`,
    'worker.js': `import { createStore } from 'tabmesh'\ncreateStore({ name: 'vite-worker', state: { theme: 'light' } })\n`,
  })
  await build({ root: folder, configFile: false, logLevel: 'error', worker: { format: 'es' }, build: { outDir: 'built', target: 'es2022' } })
  expect(modules(join(folder, 'built'))).toHaveLength(1)
  await served(join(folder, 'built'))
})

test('webpack 5, without any loader', async () => {
  const folder = app('webpack', {
    'main.js': main('webpack'),
    'webpack.config.js': `export default { mode: 'production', entry: './main.js', output: { path: import.meta.dirname + '/built', filename: 'main.js' } }\n`,
    'built/index.html': html('./main.js'),
  })
  const { stdout } = await run(tool('webpack'), ['--config', 'webpack.config.js'], { cwd: folder })
  expect(stdout.replace(/WARNING in asset size limit[^]*?\n\n/, '')).not.toMatch(/WARNING in|ERROR in/) // the module has 247 KiB, and webpack recommends 244
  expect(modules(join(folder, 'built'))).toHaveLength(1)
  await served(join(folder, 'built'))
})

test('esbuild, which copies nothing by itself: the module is imported as a file', async () => {
  const folder = app('esbuild', { 'main.js': `import url from 'tabmesh/tabmesh.wasm'\n${main('esbuild', 'tabmesh', ', wasm: new URL(url, import.meta.url)')}`, 'built/index.html': html('./main.js') })
  await run(join(root, 'node_modules', '.bin', 'esbuild'), ['main.js', '--bundle', '--format=esm', '--splitting', '--outdir=built', '--loader:.wasm=file', '--log-level=warning'], { cwd: folder })
  expect(modules(join(folder, 'built'))).toHaveLength(1)
  await served(join(folder, 'built'))
})

test('esbuild, a classic script with everything inside', async () => {
  const folder = app('classic', { 'main.js': main('classic', 'tabmesh/inline'), 'built/index.html': '<!doctype html><html lang="en"><meta charset="utf-8"><title>app</title><link rel="icon" href="data:,"><script src="./main.js"></script></html>' })
  await run(join(root, 'node_modules', '.bin', 'esbuild'), ['main.js', '--bundle', '--format=iife', '--outdir=built', '--log-level=warning'], { cwd: folder })
  await served(join(folder, 'built'))
})

test('Rollup', async () => {
  const folder = app('rollup', {
    'main.js': main('rollup'),
    'rollup.config.mjs': `import { nodeResolve } from '@rollup/plugin-node-resolve'\nimport { importMetaAssets } from '@web/rollup-plugin-import-meta-assets'\nexport default { input: 'main.js', output: { dir: 'built', format: 'es' }, plugins: [nodeResolve({ browser: true }), importMetaAssets()] }\n`,
    'built/index.html': html('./main.js'),
  })
  const { stderr } = await run(tool('rollup'), ['-c', 'rollup.config.mjs'], { cwd: folder })
  expect(stderr).not.toMatch(/\(!\)/)
  expect(modules(join(folder, 'built'))).toHaveLength(1)
  await served(join(folder, 'built'))
})

test('Parcel', async () => {
  const folder = app('parcel', { 'index.html': html('./main.js'), 'main.js': main('parcel') })
  await run(tool('parcel'), ['build', 'index.html', '--dist-dir', 'built', '--no-cache', '--cache-dir', '.cache', '--no-autoinstall', '--public-url', './'], { cwd: folder, env: { ...process.env, PARCEL_WORKERS: '0' } })
  expect(modules(join(folder, 'built'))).toHaveLength(1)
  await served(join(folder, 'built'))
})

test('Next: rendered on the server, and shared by two tabs', async () => {
  const folder = app('next', {
    'package.json': '{"private":true,"type":"module"}',
    'next.config.js': 'export default { turbopack: { root: new URL("..", import.meta.url).pathname } }\n',
    'app/layout.js': `export default function Layout({ children }) {\n  return <html lang="en"><head><link rel="icon" href="data:," /></head><body>{children}</body></html>\n}\n`,
    'app/page.js': `'use client'\nimport { createStore } from 'tabmesh'\nimport { useStore } from 'tabmesh/react'\nconst store = createStore({ name: 'next', state: { theme: 'light' } })\nif (typeof window !== 'undefined') window.store = store\nexport default function Page() {\n  return <p>{useStore(store, (state) => state.theme)}</p>\n}\n`,
  })
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' }
  await run(tool('next'), ['build'], { cwd: folder, env })
  const port = 20_000 + Math.floor(Math.random() * 20_000)
  const server = spawn(tool('next'), ['start', '--port', String(port), '--hostname', '127.0.0.1'], { cwd: folder, env, stdio: 'ignore' })
  try {
    const url = `http://localhost:${port}/`
    const text = await eventually(() => fetch(url).then((response) => response.text(), () => ''), Boolean, 20_000)
    expect(text).toContain('<p>light</p>')
    await sharedByTwoTabs(profile, url)
  } finally {
    server.kill()
  }
})

test('Jest with jsdom, and node:test: a store works in a test that knows nothing of it, and so does tabmesh/testing', async () => {
  const folder = app('jest', {
    'package.json': '{"private":true,"jest":{"testEnvironment":"jsdom"}}',
    'store.test.js': `const { createStore } = require('tabmesh')
test('a store', async () => {
  const store = createStore({ name: 'jest', state: { n: 1 } })
  store.setState({ n: 2 })
  expect(store.getState()).toEqual({ n: 2 })
  await store.ready
  store.increment(['n'])
  expect(store.getState()).toEqual({ n: 3 })
  await store.close()
})
`,
  })
  const mesh = `const { createTestMesh } = require('tabmesh/testing')
test('two tabs', async () => {
  const mesh = await createTestMesh({ seed: 3, faults: { lose: 0.2 } })
  const [a, b] = [await mesh.openTab().openStore({ name: 'jest', state: { n: 1 } }), await mesh.openTab().openStore({ name: 'jest', state: { n: 1 } })]
  a.setState({ n: 2 })
  await mesh.settle()
  expect(b.getState()).toEqual({ n: 2 })
})
`
  writeFileSync(join(folder, 'mesh.test.js'), mesh)
  writeFileSync(join(folder, 'by-node.cjs'), `const test = require('node:test')\nconst assert = require('node:assert')\nconst expect = (value) => ({ toEqual: (wanted) => assert.deepEqual(value, wanted) })\n${mesh}`)
  await run(process.execPath, ['--test', 'by-node.cjs'], { cwd: folder })
  const { stderr } = await run(tool('jest'), ['--ci', '--rootDir', folder], { cwd: folder })
  expect(stderr).toContain('Tests:       2 passed, 2 total')
})
