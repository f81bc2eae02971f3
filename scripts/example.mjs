// npm run example [-- NAME]: builds the package and serves an example of docs/examples/.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildAll } from './build.mjs'
import { main, root, say, StepError } from './lib/run.mjs'

const folder = join(root, 'docs', 'examples')

/** Vite's configuration for an example: the package is the one in dist/. */
export function exampleConfig(name) {
  const dist = (entry) => join(root, 'dist', `${entry}.js`)
  const alias = ['react', 'inspector'].map((entry) => ({ find: `tabmesh/${entry}`, replacement: dist(entry) }))
  return {
    configFile: false,
    root: join(folder, name),
    cacheDir: join(root, 'build', 'example', name),
    resolve: { alias: [...alias, { find: /^tabmesh$/, replacement: dist('index') }], dedupe: ['react', 'react-dom'] },
    server: { fs: { allow: [root] } },
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main(async () => {
    const [, , name = 'votes'] = process.argv
    if (!existsSync(join(folder, name, 'index.html'))) throw new StepError(`There is no example "${name}". Next: npm run example -- ${readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name).join('|')}`)
    await buildAll()
    const { createServer } = await import('vite')
    const server = await createServer(exampleConfig(name))
    await server.listen(Number(process.env.PORT) || undefined)
    say(`the example is at ${server.resolvedUrls?.local[0]} : open it in two windows. Ctrl-C ends it.`)
  })
}
