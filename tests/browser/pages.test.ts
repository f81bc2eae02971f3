// What a page may be: a copy of another.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, launch, openStoreTab, serve, type Profile } from './harness.ts'

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
