// npm run sim -- --seeds N [--seed S] [--ticks T] [--threads N] [--tabs N] [--faults a,b,…] [--verbose] [--shrink] [--canary]
// [--wasm]: the simulator; exit 1 on a violation. tests/sim/main.cc says what the options do.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { main, root } from './lib/run.mjs'
import { setup } from './setup.mjs'

await main(async () => {
  const args = process.argv.slice(2)
  const wasm = args.includes('--wasm')
  const toolchain = await setup()
  const { buildNative, buildWasm } = await import('./lib/steps.mjs')
  if (wasm) await buildWasm(toolchain, ['sim'])
  else await buildNative('native', ['sim'])
  const [command, ...before] = wasm ? [process.execPath, join(root, 'build', 'wasm', 'tests', 'sim.cjs')] : [join(root, 'build', 'native', 'tests', 'sim')]
  process.exitCode = spawnSync(command, [...before, ...args.filter((arg) => arg !== '--wasm')], { stdio: 'inherit' }).status ?? 1
})
