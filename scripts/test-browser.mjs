// npm run test:browser [-- --browser=chromium|firefox|webkit|all] [--long] [FILTER]: the real-browser suites; vitest.config.ts
// says which of them run where. --long: the hundreds of kills, closings and minutes of tests/browser/endurance instead.
import { join } from 'node:path'
import { buildAll } from './build.mjs'
import { browserNames, ensureBrowser } from './lib/debian.mjs'
import { main, root, run, say, StepError } from './lib/run.mjs'

await main(async () => {
  const args = process.argv.slice(2)
  const browser = args.find((arg) => arg.startsWith('--browser='))?.slice('--browser='.length) ?? 'chromium'
  if (browser !== 'all' && !browserNames.includes(browser)) throw new StepError(`Browser "${browser}" is not driven. Next: npm run test:browser -- --browser=${browserNames.join('|')}|all`)
  const long = args.includes('--long')
  await buildAll()
  await (await import('./lib/steps.mjs')).buildWeb()
  const filters = args.filter((arg) => !arg.startsWith('--'))
  for (const name of browser === 'all' ? browserNames : [browser]) {
    await ensureBrowser(name, long)
    say(`in ${name} …`)
    await run(join(root, 'node_modules', '.bin', 'vitest'), ['run', ...(long ? ['endurance'] : ['browser', 'calm']).flatMap((project) => ['--project', project]), '--no-file-parallelism', ...filters], { env: { TABMESH_TIMES: process.env.TABMESH_TIMES ?? 'strict', TABMESH_BROWSER: name } })
  }
})
