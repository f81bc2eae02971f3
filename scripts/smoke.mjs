// npm run smoke [FILTER]: the packed package under the bundlers, Next and Jest, in Chromium. Some minutes; the tools are installed into build/smoke.
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildAll } from './build.mjs'
import { ensureBrowser } from './lib/debian.mjs'
import { main, root, run, step } from './lib/run.mjs'

await main(async () => {
  await buildAll()
  await ensureBrowser('chromium', false)
  const place = join(root, 'build', 'smoke')
  mkdirSync(place, { recursive: true })
  for (const file of readdirSync(place)) if (file.endsWith('.tgz')) rmSync(join(place, file))
  rmSync(join(place, 'node_modules', 'tabmesh'), { recursive: true, force: true })
  cpSync(join(root, 'tests', 'smoke', 'package.json'), join(place, 'package.json'))
  await step('installing the tools into build/smoke', async () => {
    await run('npm', ['pack', '--silent', '--pack-destination', place], { capture: true })
    const [tarball] = readdirSync(place).filter((file) => file.endsWith('.tgz'))
    await run('npm', ['install', '--no-audit', '--no-fund', '--no-save', '--no-package-lock', '--legacy-peer-deps', `./${tarball}`], { cwd: place, capture: true, hint: 'The package registry must be within reach.' })
  })
  await run(join(root, 'node_modules', '.bin', 'vitest'), ['run', '--project', 'smoke', ...process.argv.slice(2)])
})
