// What a page may be: a copy of another, and one whose policy forbids what the package might want.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, launch, openStoreTab, openTab, serve, within, type Profile } from './harness.ts'

let profile: Profile

beforeAll(async () => {
  profile = await launch()
})
afterAll(() => profile.close())

test('a tab and the 20 windows that it opens, each with a copy of its sessionStorage, are 21 instances with 21 names that all know each other', async () => {
  const server = await serve()
  const options = { name: 'copies', state: { count: 0 } }
  const first = await openStoreTab(profile, server.url, options)
  await first.evaluate(() => sessionStorage.setItem('copied', 'yes'))
  const pages: Page[] = [first]
  for (let i = 0; i < 20; i++) {
    const opened = profile.context.waitForEvent('page')
    await first.evaluate((url) => void window.open(url), server.url)
    const page = await opened
    await page.waitForFunction(() => 'tabmesh' in window)
    expect(await page.evaluate(() => sessionStorage.getItem('copied'))).toBe('yes')
    await page.evaluate(async (given) => {
      window.store = await window.tabmesh.openStore(given)
    }, options)
    pages.push(page)
  }
  const ids = await Promise.all(pages.map((page) => page.evaluate(() => window.store.tab.id)))
  expect(new Set(ids).size).toBe(21)
  const labelOf = (page: Page): Promise<string> => page.evaluate(() => window.store.tab.label)
  const labels = await Promise.all(pages.map(labelOf))
  expect(new Set(labels).size, 'labels that were copied').toBe(21)
  await Promise.all(pages.map((page) => page.evaluate(() => window.store.increment(['count']).durable)))
  for (const page of pages) {
    await eventually(() => page.evaluate(() => window.store.getState().count as number), (count) => count === 21)
    await eventually(() => page.evaluate(() => window.store.tabs.length), (count) => count === 21)
  }
  // Loaded again, the tab has its name again, and is another instance.
  for (const page of [first, pages[7]!]) {
    await page.goto(`${server.url}?again`)
    await page.waitForFunction(() => 'tabmesh' in window)
    await page.evaluate(async (given) => {
      window.store = await window.tabmesh.openStore(given)
    }, options)
    expect(await labelOf(page)).toBe(labels[pages.indexOf(page)])
    expect(ids).not.toContain(await page.evaluate(() => window.store.tab.id))
  }
  await Promise.all(pages.map((page) => page.close()))
  await server.close()
})

describe('a Content-Security-Policy', () => {
  const policy = (scripts: string): Record<string, string> => ({ 'Content-Security-Policy': `default-src 'self'; script-src 'self' ${scripts}; img-src data:` })

  test("without 'wasm-unsafe-eval': the error names it at once, and the page goes on by itself", async () => {
    const server = await serve(policy(''))
    const page = await openTab(profile, server.url)
    const outcome = await page.evaluate(async () => {
      const store = (window.store = window.tabmesh.createStore({ name: 'forbidden', state: { n: 0 } }))
      const told: string[] = []
      store.on('error', ({ error }) => told.push((error as { code?: string }).code ?? String(error)))
      const at = performance.now()
      const rejected = await store.ready.then(
        () => 'ready',
        (error: unknown) => (error as { code?: string }).code,
      )
      const took = performance.now() - at
      store.setState({ n: 1 })
      let seen = 0
      store.subscribe((state) => (seen = state.n))
      store.setState({ n: 2 })
      return { told, rejected, took, n: store.getState().n, seen }
    })
    expect(outcome).toMatchObject({ told: ['csp-wasm-blocked'], rejected: 'csp-wasm-blocked', n: 2, seen: 2 })
    console.info(`csp-wasm-blocked after ${outcome.took.toFixed(0)} ms`)
    expect(outcome.took).toBeLessThanOrEqual(within(100))
    await page.close()
    await server.close()
  })

  test("with it and without 'unsafe-eval': two tabs share, store and lead", async () => {
    const server = await serve(policy("'wasm-unsafe-eval'"))
    const options = { name: 'allowed', state: { n: 0 } }
    const [one, two] = [await openStoreTab(profile, server.url, options), await openStoreTab(profile, server.url, options)]
    await one.evaluate(() => window.store.set(['n'], 1).durable)
    await eventually(() => two.evaluate(() => window.store.getState().n as number), (n) => n === 1)
    await eventually(() => two.evaluate(() => window.store.leader.id), (id) => id !== undefined)
    expect(await two.evaluate(() => window.store.transaction((state) => ({ n: Number(state.n) + 1 })).then(({ status }) => status))).toBe('committed')
    await Promise.all([one.close(), two.close()])
    await server.close()
  })
})
