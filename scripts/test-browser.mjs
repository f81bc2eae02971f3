// npm run test:browser [-- --browser=chromium|firefox|webkit|all] [FILTER]: the real-browser suites. tests/browser/every
// runs in every browser, the rest in Chromium, whose processes and caches its tests reach into.
import { join } from 'node:path'
import { buildAll } from './build.mjs'
import { ensureBrowser } from './lib/debian.mjs'
import { main, root, run, say, StepError } from './lib/run.mjs'

const browsers = ['chromium', 'firefox', 'webkit']

await main(async () => {
  const args = process.argv.slice(2)
  const browser = args.find((arg) => arg.startsWith('--browser='))?.slice('--browser='.length) ?? 'chromium'
  if (browser !== 'all' && !browsers.includes(browser)) throw new StepError(`Browser "${browser}" is not driven. Next: npm run test:browser -- --browser=${browsers.join('|')}|all`)
  await buildAll()
  await (await import('./lib/steps.mjs')).buildWeb()
  const filters = args.filter((arg) => !arg.startsWith('--browser='))
  for (const name of browser === 'all' ? browsers : [browser]) {
    await ensureBrowser(name)
    const every = name === 'chromium' || filters.length > 0 ? [] : ['tests/browser/every']
    say(`in ${name} …`)
    await run(join(root, 'node_modules', '.bin', 'vitest'), ['run', '--project', 'browser', ...every, ...filters], { env: { TABMESH_TIMES: process.env.TABMESH_TIMES ?? 'strict', TABMESH_BROWSER: name } })
  }
})
