// npm run fuzz -- [--target replica|json|lz] [--seconds N]: libFuzzer with AddressSanitizer and UBSan.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { main, root, run, StepError } from './lib/run.mjs'
import { setup } from './setup.mjs'

const targets = ['replica', 'json', 'lz']

await main(async () => {
  const option = (name, otherwise) => process.argv[process.argv.indexOf(`--${name}`) + 1 || Infinity] ?? otherwise
  const seconds = option('seconds', '60')
  const wanted = option('target', '')
  if (wanted && !targets.includes(wanted)) throw new StepError(`There is no target "${wanted}". Next: npm run fuzz -- --target ${targets.join(' | ')}`)
  await setup()
  const { buildNative } = await import('./lib/steps.mjs')
  const names = wanted ? [wanted] : targets
  await buildNative('sanitize', names.map((name) => `fuzz_${name}`))
  for (const name of names) {
    const corpus = join(root, 'build', 'fuzz', name)
    mkdirSync(corpus, { recursive: true })
    await run(join(root, 'build', 'sanitize', 'tests', `fuzz_${name}`), [`-max_total_time=${seconds}`, '-print_final_stats=1', `-artifact_prefix=${corpus}/`, '-max_len=4096', corpus], {
      hint: 'The input that failed is in build/fuzz; run the program on that file to see it again.',
    })
  }
})
