// npm run fuzz -- [--target NAME] [--seconds N] [--keep]: libFuzzer with AddressSanitizer and UBSan. With --keep the
// smallest inputs that reach everything become tests/fuzz/corpus/NAME, which npm test replays.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { main, root, run, StepError } from './lib/run.mjs'
import { setup } from './setup.mjs'

const targets = ['replica', 'frame', 'journal', 'checkpoint', 'json', 'lz']

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
    const kept = join(root, 'tests', 'fuzz', 'corpus', name)
    const program = join(root, 'build', 'sanitize', 'tests', `fuzz_${name}`)
    for (const folder of [corpus, kept]) mkdirSync(folder, { recursive: true })
    await run(program, [`-max_total_time=${seconds}`, '-print_final_stats=1', `-artifact_prefix=${corpus}/`, '-max_len=4096', corpus, kept], {
      hint: 'The input that failed is in build/fuzz; run the program on that file to see it again, and keep it in tests/fuzz/corpus.',
    })
    if (!process.argv.includes('--keep')) continue
    rmSync(kept, { recursive: true })
    mkdirSync(kept)
    await run(program, ['-merge=1', '-use_value_profile=0', '-max_len=256', kept, corpus])
  }
})
