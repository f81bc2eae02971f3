// An app in two tabs: what one writes the other must see, and neither complains.
import { createServer } from 'node:http'
import sirv from 'sirv'
import { expect } from 'vitest'
import { eventually, type Profile } from '../browser/harness.ts'

/** Opens an address whose page has its store, with a `theme`, at window.store. */
export async function sharedByTwoTabs(profile: Profile, url: string): Promise<void> {
  const problems: string[] = []
  const open = async () => {
    const page = await profile.context.newPage()
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    await page.goto(url)
    await page.waitForFunction(() => 'store' in window).catch((cause: unknown) => {
      throw new Error(problems.join('\n'), { cause })
    })
    await page.evaluate(() => window.store.ready)
    return page
  }
  const [one, two] = [await open(), await open()]
  await one.evaluate(() => window.store.setState({ theme: 'from the other tab' }))
  await eventually(() => two.evaluate(() => window.store.getState().theme as string), (theme) => theme === 'from the other tab')
  expect(problems).toEqual([])
  await Promise.all([one.close(), two.close()])
}

/** The same with the index.html of a folder. Resolves to how often a module was fetched. */
export async function servedAndShared(profile: Profile, folder: string): Promise<number> {
  let fetched = 0
  const files = sirv(folder, { dev: true })
  const server = createServer((request, response) => {
    if (request.url!.includes('.wasm')) fetched++
    files(request, response, () => void response.writeHead(404).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await sharedByTwoTabs(profile, `http://localhost:${(server.address() as { port: number }).port}/index.html`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
  return fetched
}
