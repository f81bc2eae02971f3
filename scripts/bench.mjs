// npm run bench [-- NAME]: benchmarks in one run; a table, and JSON in bench-results/.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildAll } from './build.mjs'
import { main, root, say, step, StepError } from './lib/run.mjs'

const benches = {
  latency: async () => (await load('latency')).latency(),
  frames: async () => (await load('frames')).frames(),
  relay: async () => (await load('relay')).relay(),
  compute: async () => (await load('compute')).compute((url) => import(url)), // by Node itself, not by Vite's loader
}

/** Benchmarks are TypeScript: Vite's loader runs them in Node. */
async function load(name) {
  const { runnerImport } = await import('vite')
  return (await runnerImport(join(root, 'tests', 'bench', `${name}.ts`))).module
}

await main(async () => {
  const wanted = process.argv[2]
  if (wanted && !(wanted in benches)) throw new StepError(`There is no benchmark "${wanted}". Next: npm run bench -- ${Object.keys(benches).join(' | ')}`)
  await buildAll()
  mkdirSync(join(root, 'bench-results'), { recursive: true })
  for (const name of wanted ? [wanted] : Object.keys(benches)) {
    const rows = await step(`benchmark ${name}`, benches[name])
    console.table(Object.fromEntries(rows.map(({ name: row, ...figures }) => [row, Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, Number(Number(value).toFixed(3))]))])))
    writeFileSync(join(root, 'bench-results', `${name}.json`), JSON.stringify(rows, null, 2))
    say(`bench-results/${name}.json written`)
  }
})
