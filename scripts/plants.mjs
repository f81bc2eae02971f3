// npm run plants: a build in which faults can be planted; the simulator must catch each within 2,000 seeds.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { main, root, say, StepError } from './lib/run.mjs'
import { setup } from './setup.mjs'

/** Seeds are tried in growing lots: most faults are caught by the first. */
const lots = [[1, 10], [11, 90], [101, 400], [501, 1500]]

function names(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return names(path)
    return [...readFileSync(join(root, path), 'utf8').matchAll(/Planted\("([a-z-]+)"\)/g)].map(([, name]) => name)
  })
}

await main(async () => {
  await setup()
  const { buildNative } = await import('./lib/steps.mjs')
  await buildNative('plants', ['sim'])
  const sim = join(root, 'build', 'plants', 'tests', 'sim')
  const run = (plant, first, seeds) => spawnSync(sim, ['--plant', plant, '--seed', `${first}`, '--seeds', `${seeds}`], { encoding: 'utf8', maxBuffer: 1 << 28, timeout: 600_000 })
  const missed = []
  const all = [...new Set([...names('wasm'), ...names('tests/sim')])].sort()
  const wanted = process.argv.slice(2)
  for (const plant of wanted.length > 0 ? wanted : all) {
    let caught
    for (const [first, seeds] of lots) {
      const { stdout, status, signal } = run(plant, first, seeds)
      const found = /^seed (\d+): (.*)$/m.exec(stdout)
      if (found) caught = `seed ${found[1]}: ${found[2].slice(0, 90)}`
      // Who ends it by hand, or takes too long, has caught nothing.
      else if (signal === 'SIGTERM') throw new StepError(`The simulator was ended with ${plant} at the seeds from ${first}. Next: npm run plants ${plant}`)
      else if (signal || (status !== 0 && status !== 1)) caught = `one of the seeds from ${first}: ${signal ?? `exit ${status}`}`
      if (caught) break
    }
    if (!caught) missed.push(plant)
    say(`${plant}: ${caught ?? 'NOT CAUGHT within 2,000 seeds'}`)
  }
  const count = wanted.length > 0 ? wanted.length : all.length
  say(`${count - missed.length} of ${count} planted faults caught`)
  if (missed.length > 0) throw new StepError(`Not caught: ${missed.join(', ')}. Improve the simulator until they are.`)
})
