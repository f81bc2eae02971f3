// npm run test:browser [-- --browser=chromium] [FILTER]: the real-browser suites.
import { join } from 'node:path'
import { buildAll } from './build.mjs'
import { main, root, run, StepError } from './lib/run.mjs'

await main(async () => {
  const args = process.argv.slice(2)
  const browser = args.find((arg) => arg.startsWith('--browser='))?.slice('--browser='.length) ?? 'chromium'
  if (browser !== 'chromium') throw new StepError(`Browser "${browser}" is not driven yet. Next: npm run test:browser -- --browser=chromium`)
  await buildAll()
  await (await import('./lib/steps.mjs')).buildWeb()
  await run(join(root, 'node_modules', '.bin', 'vitest'), ['run', '--project', 'browser', ...args.filter((arg) => !arg.startsWith('--browser='))], { env: { TABMESH_TIMES: process.env.TABMESH_TIMES ?? 'strict' } })
})
