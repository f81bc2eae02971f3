// npm start: sets up, builds, serves the demo page and prints its address.
import { buildAll } from './build.mjs'
import { main, say, root } from './lib/run.mjs'
import { join } from 'node:path'

await main(async () => {
  await buildAll()
  const { createServer } = await import('vite')
  const server = await createServer({ configFile: join(root, 'web', 'vite.config.ts'), root: join(root, 'web') })
  await server.listen(Number(process.env.PORT) || undefined)
  const url = server.resolvedUrls?.local[0]
  say(`the demo is at ${url} : open it in two windows. Ctrl-C ends it.`)
})
