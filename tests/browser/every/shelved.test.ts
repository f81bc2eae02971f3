// What localStorage is for: the first frame, and what a page could not store before it went.
import { describe, expect, test } from 'vitest'
import { chosenBrowser, type BrowserTab } from '../browsers/browser.ts'
import { eventually } from '../harness.ts'
import { useBrowser } from '../suite.ts'

const suite = useBrowser()

async function open(): Promise<BrowserTab> {
  const page = await suite.browser.open(suite.server.url)
  await eventually(() => page.evaluate(() => 'tabmesh' in window), Boolean)
  return page
}

describe(`in ${chosenBrowser()}`, () => {
  test('a store shows in its first task what it showed last, and the same object when it is ready', async () => {
    const first = await open()
    await first.evaluate(async () => {
      const store = await window.tabmesh.openStore({ name: 'hot', state: { theme: 'light', secret: '' }, exclude: ['secret'] })
      store.setState({ theme: 'dark', secret: 'kept here' })
      await store.close()
    })
    await first.close()
    const second = await open()
    const shown = await second.evaluate(async () => {
      const store = window.tabmesh.createStore({ name: 'hot', state: { theme: 'light', secret: '' }, exclude: ['secret'] })
      const hot = store.getState()
      await store.ready
      return { hot, same: store.getState() === hot, stored: Object.values(localStorage).join() }
    })
    expect([shown.hot, shown.same]).toEqual([{ theme: 'dark', secret: '' }, true])
    expect(shown.stored).not.toContain('kept here')
    await second.close()
  })

  test('a page whose database never answers leaves what it wrote to the next', async () => {
    const stuck = await open()
    await stuck.evaluate(async () => {
      indexedDB.open = () => new EventTarget() as IDBOpenDBRequest
      window.store = await window.tabmesh.openStore({ name: 'stuck', state: { log: {} } })
      window.store.set(['log', 'stuck'], 'ä\ud83d\ude00')
    })
    expect(await stuck.evaluate(() => window.store.status.safeToClose)).toBe(false)
    const next = await open()
    await stuck.evaluate((url) => void setTimeout(() => location.assign(url)), suite.server.url.replace('page.html', 'other.html'))
    await eventually(() => next.evaluate(() => Object.keys(localStorage).filter((key) => key.includes(':last:')).length), (count) => count === 1)
    await next.evaluate(async () => {
      window.store = await window.tabmesh.openStore({ name: 'stuck', state: { log: {} }, channels: [] })
    })
    await eventually(() => next.evaluate(() => window.store.getState().log as unknown), (log) => JSON.stringify(log) === '{"stuck":"ä😀"}')
    await eventually(() => next.evaluate(() => Object.keys(localStorage).filter((key) => key.includes(':last:')).length), (count) => count === 0)
    await next.close()
    const last = await open() // alone with the disk
    await last.evaluate(async () => {
      localStorage.clear()
      window.store = await window.tabmesh.openStore({ name: 'stuck', state: { log: {} } })
    })
    expect(await last.evaluate(() => window.store.getState())).toEqual({ log: { stuck: 'ä😀' } })
    await Promise.all([last.close(), stuck.close()])
  })
})
