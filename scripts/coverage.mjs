// npm run coverage: lines of wasm/ (without bindings) that the core's unit and law tests run. Prints those they do not.
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { main, root, run, StepError } from './lib/run.mjs'
import { setup } from './setup.mjs'

const wantedPercent = 97

/** llvm-cov as it is called here: plain, or with clang's version as Debian does. */
function tool(name) {
  const found = process.env.PATH.split(':').flatMap((folder) => {
    try {
      return readdirSync(folder).filter((file) => new RegExp(`^${name}(-\\d+)?$`).test(file)).map((file) => join(folder, file))
    } catch {
      return []
    }
  })
  if (found.length === 0) throw new StepError(`${name} is missing: it comes with clang (Debian: llvm).`)
  return found[0]
}

function sources(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return entry.name === 'bindings' ? [] : sources(path)
    return /\.(cc|h)$/.test(entry.name) ? [join(root, path)] : []
  })
}

await main(async () => {
  await setup()
  const { buildNative } = await import('./lib/steps.mjs')
  await buildNative('coverage', ['core_tests'])
  const program = join(root, 'build', 'coverage', 'tests', 'core_tests')
  const raw = join(root, 'build', 'coverage', 'core.profraw')
  const data = join(root, 'build', 'coverage', 'core.profdata')
  await run(program, ['--gtest_brief=1'], { env: { ...process.env, LLVM_PROFILE_FILE: raw } })
  await run(tool('llvm-profdata'), ['merge', '-o', data, raw])
  const cov = (...args) => execFileSync(tool('llvm-cov'), [args[0], program, `-instr-profile=${data}`, ...args.slice(1), ...sources('wasm')], { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] })
  let file = ''
  for (const line of cov('show').split('\n')) {
    if (line.startsWith(root)) file = line.slice(root.length + 1, -1)
    const missed = /^ +(\d+)\| +0\|(.*)/.exec(line)
    if (missed) console.log(`${file}:${missed[1]}${missed[2]}`)
  }
  const [lines, missed] = cov('report').trim().split('\n').at(-1).split(/\s+/).slice(7, 9).map(Number)
  const percent = (100 * (lines - missed)) / lines
  console.log(`\n${lines - missed} of ${lines} lines: ${percent.toFixed(2)} %`)
  if (percent < wantedPercent) throw new StepError(`Less than ${wantedPercent} %: test the lines above, or remove them.`)
})
