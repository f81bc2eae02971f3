// npm run size: what a user's bundle gets, after a minifying bundler and brotli. Fails over budget.
import { build } from 'esbuild'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { main, root, StepError } from './lib/run.mjs'

/**
 * Budgets in bytes of brotli. Merging alone fits into 6,000 and 18,000; counters, keyed lists, conflicts, undo and
 * transactions have cost 900 on the critical path and 3,800 in all, eras another 100 and 2,700,
 * outcomes of transactions that nobody knows 500, the second way to other tabs 50 and 1,200, calls of the leader 60 and 1,000,
 * the lease, cleared storage and leaders that are stopped 1,300, versions and migrations 270 and 2,400, bridges 100 and 1,200,
 * the tab's name and advisory leaders 500, hot copies and last words 350 and 1,150, databases that are lost 250, visible leaders 20 and 220,
 * transactions that are given up, and full disks, 240, appends that ask nothing before and databases that are held up 500,
 * pace and what shouldSync keeps 520 and 870, the identity of parts of whole keys 60, tabs whose locks come late 70, entries that say where the module is 90, what pages have left to a later era 760, times and what tools look at 40 and 900, ways of the app's own 60 and 190, views of other states 130, compressed checkpoints 180, the way to store.compute and to layers 90 and 770, the way to a relay 120 and 800 (its client is loaded by who has one, 2,900); a second entry makes one more file, 160.
 */
export const budgets = { critical: 9_050, javascript: 40_800, wasm: 90_000, later: 12_700, zustand: 1_500 }

const brotli = (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length

const app = `import { createStore } from './dist/index.js'\nglobalThis.store = createStore({ name: 'app', state: {} })\n`
const adapters = { zustand: `import { createBroadcastSync } from './dist/zustand.js'\nglobalThis.sync = createBroadcastSync(globalThis.app, { channelName: 'app' })\n` }

/** Sizes of the smallest app that shares a state: { critical, javascript, wasm, later: what is loaded only by those who use it }, and what an adapter adds to the critical path, as { raw, gzip, brotli }. */
export async function sizes() {
  const { critical, javascript, later } = await sizesOf(app)
  const wasm = measured([join(root, 'dist', 'tabmesh.wasm')])
  const all = { critical, javascript, wasm, later }
  for (const [name, script] of Object.entries(adapters)) {
    const more = (await sizesOf(app + script)).critical
    all[name] = Object.fromEntries(Object.entries(more).map(([unit, size]) => [unit, size - critical[unit]]))
  }
  return all
}

function measured(files) {
  const bytes = files.map((file) => readFileSync(file))
  return { raw: sum(bytes.map((b) => b.length)), gzip: sum(bytes.map((b) => gzipSync(b, { level: 9 }).length)), brotli: sum(bytes.map(brotli)) }
}

async function sizesOf(script) {
  const folder = mkdtempSync(join(tmpdir(), 'tabmesh-size-'))
  try {
    writeFileSync(join(folder, 'app.js'), script)
    // Beside the app: the order of modules goes by their paths, and with it the size.
    mkdirSync(join(folder, 'dist'))
    for (const file of readdirSync(join(root, 'dist'))) if (file.endsWith('.js')) copyFileSync(join(root, 'dist', file), join(folder, 'dist', file))
    const { metafile } = await build({
      entryPoints: [join(folder, 'app.js')],
      outdir: join(folder, 'out'),
      bundle: true,
      splitting: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      platform: 'browser',
      legalComments: 'none',
      metafile: true,
      absWorkingDir: folder,
    })
    const out = join(folder, 'out')
    const files = readdirSync(out).filter((name) => name.endsWith('.js'))
    // The critical path: the entry and what it imports statically. Then what that loads, and what is loaded only by those who use it.
    const importsOf = (path, kind) => metafile.outputs[path].imports.filter((one) => one.kind === kind && !one.external).map((one) => one.path)
    const withImports = (paths, among = new Set()) => {
      for (const path of paths) if (!among.has(path)) withImports(importsOf(path, 'import-statement'), among.add(path))
      return among
    }
    const critical = withImports(['out/app.js'])
    const javascript = withImports([...critical].flatMap((path) => importsOf(path, 'dynamic-import')), new Set(critical))
    const at = (paths) => measured([...paths].map((path) => join(folder, path)))
    return { critical: at(critical), javascript: at(javascript), later: at(files.map((name) => `out/${name}`).filter((path) => !javascript.has(path))) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0)

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main(async () => {
    const { buildAll } = await import('./build.mjs')
    await buildAll()
    const all = await sizes()
    console.table(Object.fromEntries(Object.entries(all).map(([name, size]) => [name, { ...size, budget: budgets[name] }])))
    const over = Object.entries(all).filter(([name, size]) => size.brotli > budgets[name])
    if (over.length) throw new StepError(`Over budget: ${over.map(([name]) => name).join(', ')}. Make it smaller, or change the budget in scripts/size.mjs with a reason.`)
  })
}
