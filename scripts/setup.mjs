// Makes the checkout buildable: system packages, npm dependencies, Emscripten. Safe to run again; a second run takes a second.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureSystemPackages } from './lib/debian.mjs'
import { ensureEmscripten } from './lib/emscripten.mjs'
import { main, root, run, say, step, StepError } from './lib/run.mjs'

async function ensureNpmDependencies() {
  const lock = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex')
  const stamp = join(root, 'node_modules', '.tabmesh-lock')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return say('npm dependencies: all there')
  await step('installing npm dependencies', () => run('npm', ['ci', '--no-audit', '--no-fund'], { capture: true, hint: 'Is the npm registry reachable?' }))
  writeFileSync(stamp, lock)
}

/** Sets everything up and returns the Emscripten toolchain. */
export async function setup() {
  if (Number(process.versions.node.split('.')[0]) < 20) throw new StepError(`Node ${process.versions.node} is too old: install Node 20 or newer.`)
  await ensureSystemPackages()
  await ensureNpmDependencies()
  return ensureEmscripten()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(setup)
