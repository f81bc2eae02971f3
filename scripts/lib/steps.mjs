// The build's steps: each does only what is out of date, where its tool can tell.
import { build, transform } from 'esbuild'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join, relative, sep } from 'node:path'
import { gzipSync } from 'node:zlib'
import { minify } from 'terser'
import { root, run, step } from './run.mjs'

const bin = join(root, 'node_modules', '.bin')

/** Environment in which emcc, tsc and the rest are found. */
export function toolEnvironment(toolchain) {
  return { ...toolchain.env, PATH: [bin, toolchain.bin, process.env.PATH].filter(Boolean).join(delimiter) }
}

/** Configures (once) and builds a CMake preset natively. */
export async function buildNative(preset, targets = []) {
  await step(`building C++ (${preset}${targets.length ? `: ${targets.join(' ')}` : ''})`, async () => {
    if (!existsSync(join(root, 'build', preset, 'build.ninja'))) await run('cmake', ['--preset', preset, '-Wno-dev'], { capture: true })
    await run('ninja', ['-C', join('build', preset), ...targets], { capture: true, hint: `Repeat it with: ninja -C build/${preset}` })
  })
}

/** Builds targets of the Emscripten preset. */
export async function buildWasm(toolchain, targets) {
  const env = toolEnvironment(toolchain)
  await step(`building WebAssembly (${targets.join(' ')})`, async () => {
    if (!existsSync(join(root, 'build', 'wasm', 'build.ninja'))) await run('emcmake', ['cmake', '--preset', 'wasm', '-Wno-dev'], { env, capture: true })
    await run('ninja', ['-C', join('build', 'wasm'), ...targets], { env, capture: true, hint: 'The first link also builds the system libraries: about a minute.' })
  })
}

/** Puts the linked module, its loader and its types where the glue imports them from. */
export function copyGenerated() {
  const from = join(root, 'build', 'wasm', 'wasm', 'bindings')
  const to = join(root, 'js-glue', 'generated')
  mkdirSync(to, { recursive: true })
  cpSync(join(from, 'tabmesh.mjs'), join(to, 'tabmesh.mjs'))
  cpSync(join(from, 'tabmesh.d.ts'), join(to, 'tabmesh.d.mts'))
  cpSync(join(from, 'tabmesh.wasm'), join(to, 'tabmesh.wasm'))
  // As text within the chunk that needs it: one file less to serve, and to find.
  writeFileSync(join(to, 'compute.mjs'), `export default '${gzipSync(readFileSync(join(from, 'compute.wasm')), { level: 9 }).toString('base64')}'\n`)
  writeFileSync(join(to, 'compute.d.mts'), 'declare const packed: string\nexport default packed\n')
}

/** The package's entry points, by the name of the file in dist/. */
export const entries = {
  index: 'js-glue/index.ts',
  slim: 'js-glue/slim.ts',
  'lz-string': 'js-glue/lz-string.ts',
  zustand: 'js-glue/adapters/zustand.ts',
  redux: 'js-glue/adapters/redux.ts',
  react: 'js-glue/adapters/react.ts',
  vue: 'js-glue/adapters/vue.ts',
  offline: 'js-glue/offline/keep.ts',
}
/** By themselves: what they share with the others would be one more request in pages. */
const wholeEntries = { neutral: { inline: 'js-glue/inline.ts', testing: 'js-glue/testing.ts', 'service-worker': 'js-glue/service-worker.ts' }, node: { node: 'js-glue/node.ts', relay: 'js-glue/relay.ts', 'relay-command': 'js-glue/relay/command.ts' } }
/** The form of lit-html that also loads without a document; with its licence. */
const inspectorEntry = { entryPoints: [{ in: 'js-glue/inspector/index.ts', out: 'inspector' }], platform: 'neutral', conditions: ['node'], legalComments: 'eof', minify: true }

/** Emscripten's own way to the module, which is never gone: bundlers would copy the file for it. */
const ownWay = /new URL\("tabmesh\.wasm",\s*import\.meta\.url\)\.href/

/** jsdom has none of its own. */
const decoder = '(globalThis.TextDecoder??globalThis.process.getBuiltinModule("node:util").TextDecoder)'

/** Emscripten's loader without its dead branches: users' bundlers do not remove them, for they lie within one function. */
const smallLoader = {
  name: 'small-loader',
  setup: ({ onLoad }) =>
    onLoad({ filter: /generated[\\/]tabmesh\.mjs$/ }, async ({ path }) => {
      const { code } = await minify(readFileSync(path, 'utf8'), { module: true, toplevel: true, compress: { passes: 3, unsafe: true } })
      if (!ownWay.test(code)) throw new Error('Emscripten\'s loader looks for the module in another way than scripts/lib/steps.mjs knows: see ownWay there')
      return { contents: code.replace(ownWay, '""').replaceAll('new TextDecoder', `new ${decoder}`), loader: 'js' }
    }),
}

/** The module as text, for `tabmesh/inline`. */
const packedModule = {
  name: 'packed-module',
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /^tabmesh\.wasm\.gz$/ }, () => ({ path: join(root, 'js-glue', 'generated', 'tabmesh.wasm'), namespace: 'packed' }))
    onLoad({ filter: /.*/, namespace: 'packed' }, ({ path }) => ({ contents: gzipSync(readFileSync(path), { level: 9 }).toString('base64'), loader: 'text' }))
  },
}

/** For `import.meta.url` in CommonJS: of dist/, where the module is. In a browser the option wasm, or a page beside the module, has to help. */
const distUrl = `const distUrl = globalThis.process?.getBuiltinModule ? new URL('..', process.getBuiltinModule('node:url').pathToFileURL(__dirname + '/')).href : (globalThis.document?.baseURI ?? globalThis.location?.href)\n`

/** dist/cjs/: each file of dist/ once more, for require() and for test runners that know nothing else. */
async function buildCommonJs() {
  const dist = join(root, 'dist')
  const to = join(dist, 'cjs')
  for (const file of readdirSync(dist, { recursive: true })) {
    if (file.endsWith('.d.ts')) {
      mkdirSync(dirname(join(to, file)), { recursive: true })
      writeFileSync(join(to, file), readFileSync(join(dist, file), 'utf8').replaceAll('generated/tabmesh.mjs', 'generated/tabmesh.js'))
    }
  }
  for (const file of readdirSync(dist)) {
    if (!file.endsWith('.js')) continue
    const code = readFileSync(join(dist, file), 'utf8')
    const options = { format: 'cjs', platform: 'node', target: 'es2022', supported: { 'dynamic-import': false }, define: { 'import.meta.url': 'distUrl' }, legalComments: 'none' }
    const { code: made } = await transform(code, options)
    writeFileSync(join(to, file), made.includes('distUrl') ? distUrl + made : made)
  }
  mkdirSync(join(to, 'generated'), { recursive: true })
  cpSync(join(root, 'js-glue', 'generated', 'tabmesh.d.mts'), join(to, 'generated', 'tabmesh.d.ts'))
  writeFileSync(join(to, 'package.json'), '{ "type": "commonjs" }\n')
}

/** dist/: ES modules with shared chunks, declarations, the one copy of the module, and the same as CommonJS. */
export async function buildPackage() {
  await step('building the package into dist/', async () => {
    rmSync(join(root, 'dist'), { recursive: true, force: true })
    const options = {
      absWorkingDir: root,
      outdir: 'dist',
      bundle: true,
      format: 'esm',
      target: 'es2022',
      chunkNames: '[name]-[hash]',
      legalComments: 'none',
      logLevel: 'warning',
      plugins: [smallLoader, packedModule],
    }
    const points = (of) => Object.entries(of).map(([out, path]) => ({ in: path, out }))
    const { outputFiles } = await build({ ...options, entryPoints: points(entries), platform: 'neutral', splitting: true, write: false, external: ['react', 'vue'] })
    mkdirSync(join(root, 'dist'))
    // An import for its side effects alone: there are none, and users' bundlers would warn of it.
    for (const { path, text } of outputFiles) if (text !== '') writeFileSync(path, text.replace(/^import "\.\/chunk-[^"]+";\n/gm, ''))
    for (const [platform, whole] of Object.entries(wholeEntries)) await build({ ...options, entryPoints: points(whole), platform, external: ['ws', '@redis/client'], mainFields: ['module', 'main'], define: { 'process.env.NODE_ENV': '"production"' }, legalComments: 'eof' })
    await build({ ...options, ...inspectorEntry })
    await run(join(bin, 'tsc'), ['-p', 'tsconfig.package.json'], { capture: true })
    cpSync(join(root, 'js-glue', 'generated', 'tabmesh.wasm'), join(root, 'dist', 'tabmesh.wasm'))
    // The declarations of the module itself are generated: tsc reads them, but does not emit them.
    mkdirSync(join(root, 'dist', 'generated'))
    cpSync(join(root, 'js-glue', 'generated', 'tabmesh.d.mts'), join(root, 'dist', 'generated', 'tabmesh.d.mts'))
    await buildCommonJs()
  })
}

/** The reference, from the declarations' comments, into dist/reference/: a page an entry point. Fails where something is named that no entry point exports. */
export async function buildReference() {
  await step('writing the reference', () => {
    const points = [...Object.values(entries), ...Object.values(wholeEntries).flatMap((whole) => Object.values(whole)).filter((path) => !path.endsWith('/command.ts')), 'js-glue/inspector/index.ts']
    const options = ['--plugin', 'typedoc-plugin-markdown', '--out', 'dist/reference', '--readme', 'none', '--name', 'tabmesh', '--outputFileStrategy', 'modules', '--hidePageHeader', '--hideBreadcrumbs', '--flattenOutputFiles', '--disableSources', '--excludeExternals', '--excludeInternal', '--treatWarningsAsErrors', '--logLevel', 'Warn']
    return run(join(bin, 'typedoc'), ['--tsconfig', 'tsconfig.json', ...options, ...points.flatMap((point) => ['--entryPoints', point])], { capture: true, hint: 'Export what it names, or leave it out of what is exported.' })
  })
}

/** All files of a folder as Workbox lists them; what has a hash in its name needs no revision. */
function offlineFiles(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort()
  return files.map((file) => {
    const url = relative(folder, file).split(sep).join('/')
    return { url, revision: url.startsWith('assets/') ? null : createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16) }
  })
}

/** The demo as a static site in web/dist/, with a service worker that knows its files. */
export async function buildWeb() {
  await step('building the demo page', async () => {
    await run(join(bin, 'vite'), ['build', 'web', '--logLevel', 'warn'], { capture: true })
    const dist = join(root, 'web', 'dist')
    // One classic script: not every browser has modules in service workers. The place of the module is told.
    const options = { absWorkingDir: root, entryPoints: ['web/src/service-worker.ts'], outdir: 'web/dist', bundle: true, minify: true, format: 'iife', target: 'es2022', logOverride: { 'empty-import-meta': 'silent' }, logLevel: 'warning' }
    await build({ ...options, define: { FILES: JSON.stringify(offlineFiles(dist)) } })
  })
}
