// npm test: sets up what is missing, builds, and runs every gate of a change. Ends with one line that counts.
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildAll } from './build.mjs'
import { main, root, say, step, StepError } from './lib/run.mjs'

let passed = 0
let failed = 0

/** Runs a program, passes its output on, and returns it with the exit code. */
function output(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
      process.stdout.write(chunk)
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, text }))
  })
}

/** A gate that counts as one test. */
async function gate(title, task) {
  try {
    await step(title, task)
    passed++
  } catch (error) {
    failed++
    process.stderr.write(`${error instanceof StepError ? error.message : (error.stack ?? error)}\n`)
  }
}

/** A GoogleTest program: its own counts are added. */
async function googleTest(title, command, args) {
  say(`${title} …`)
  const { code, text } = await output(command, [...args, '--gtest_brief=1'])
  const good = Number(/\[ {2}PASSED {2}\] (\d+) test/.exec(text)?.[1] ?? 0)
  const bad = Number(/(\d+) FAILED TEST/.exec(text)?.[1] ?? 0)
  passed += good
  failed += code === 0 ? bad : Math.max(1, bad)
}

/** Vitest: counts come from its report. */
async function vitest(name, projects, workers) {
  const report = join(root, 'build', `vitest-${name}.json`)
  rmSync(report, { force: true })
  const { code } = await output(join(root, 'node_modules', '.bin', 'vitest'), ['run', ...projects.flatMap((project) => ['--project', project]), `--maxWorkers=${workers}`, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`])
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'))
    passed += numPassedTests
    failed += code === 0 ? numFailedTests : Math.max(1, numFailedTests)
  } catch {
    failed++
  }
}

async function sim(title, command, args) {
  say(`${title} …`)
  const { code, text } = await output(command, args)
  if (code !== 0) throw new StepError('The simulator found a violation; the lines above say how to replay it.')
  return /digest=(\w+)/.exec(text)[1]
}

await main(async () => {
  const toolchain = await buildAll()
  const { buildNative, buildReference, buildWasm, buildWeb } = await import('./lib/steps.mjs')
  const bin = (name) => join(root, 'node_modules', '.bin', name)
  const check = async (command, args) => {
    if ((await output(command, args)).code !== 0) throw new StepError(`Mend what is listed above, then run: npx ${command.split('/').pop()} ${args.join(' ')}`)
  }

  await Promise.all([
    gate('lint', () => check(bin('eslint'), ['.'])),
    gate('types', () => check(bin('tsc'), ['-p', '.']))
      .then(() => gate('types of the examples', () => check(bin('tsc'), ['-p', 'docs/examples'])))
      .then(() => gate('C++ format', () => check('sh', ['-c', "clang-format --dry-run --Werror $(git ls-files '*.cc' '*.h')"])))
      .then(() => gate('reference', buildReference)),
  ])

  await buildNative('sanitize', ['core_tests', 'sim'])
  await buildNative('native', ['sim'])
  await buildWasm(toolchain, ['core_tests', 'sim'])
  await Promise.all([
    googleTest('core, natively with sanitizers', join(root, 'build', 'sanitize', 'tests', 'core_tests'), []),
    googleTest('core, as WebAssembly', process.execPath, [join(root, 'build', 'wasm', 'tests', 'core_tests.cjs')]),
  ])
  // So many as there is time for; thousands: npm run sim.
  await gate('simulator', () => sim('300 seeds', join(root, 'build', 'native', 'tests', 'sim'), ['--seeds', '300']))
  await gate('simulator with sanitizers', () => sim('20 seeds', join(root, 'build', 'sanitize', 'tests', 'sim'), ['--seeds', '20', '--seed', '5000']))
  await gate('simulator: a wrong expectation is noticed', async () => {
    const { code } = await output(join(root, 'build', 'native', 'tests', 'sim'), ['--seeds', '1', '--canary'])
    if (code !== 1) throw new StepError('The simulator did not notice that its canary died: its checks are not connected.')
  })
  await gate('simulator: the same digest natively and as WebAssembly', async () => {
    const seeds = ['--seeds', '40']
    const native = await sim('natively', join(root, 'build', 'native', 'tests', 'sim'), seeds)
    const wasm = await sim('as WebAssembly', process.execPath, [join(root, 'build', 'wasm', 'tests', 'sim.cjs'), ...seeds])
    if (native !== wasm) throw new StepError(`The digests differ: ${native} natively, ${wasm} as WebAssembly.`)
  })
  await gate('size', async () => {
    const { budgets, sizes } = await import('./size.mjs')
    for (const [name, size] of Object.entries(await sizes())) {
      say(`${name}: ${size.brotli} of ${budgets[name]} bytes brotli`)
      if (size.brotli > budgets[name]) throw new StepError(`${name} is over budget.`)
    }
  })
  await gate('demo page', buildWeb)
  // Most of these wait: three at a time keep two cores busy. Then, by themselves, those that look at the clock.
  await vitest('calm', ['node', 'package', 'calm'], 3)
  await vitest('browser', ['browser'], 1)

  process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
  if (failed > 0) process.exitCode = 1
})
