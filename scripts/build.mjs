// npm run build [web]: the package into dist/, and with `web` the demo page into web/dist/.
import { pathToFileURL } from 'node:url'
import { main } from './lib/run.mjs'
import { setup } from './setup.mjs'

/** Builds the module and the package; returns the toolchain for further steps. */
export async function buildAll() {
  const toolchain = await setup()
  const { buildPackage, buildWasm, copyGenerated } = await import('./lib/steps.mjs')
  await buildWasm(toolchain, ['tabmesh', 'compute'])
  copyGenerated()
  await buildPackage()
  return toolchain
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main(async () => {
    await buildAll()
    await (await import('./lib/steps.mjs')).buildReference()
    if (process.argv[2] === 'web') await (await import('./lib/steps.mjs')).buildWeb()
  })
}
