// Every view of the demo, in every browser that is driven: it starts, does what it is for, and axe finds nothing.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { chosenBrowser, type BrowserTab } from '../browsers/browser.ts'
import { eventually } from '../harness.ts'
import { useBrowser } from '../suite.ts'

const suite = useBrowser()
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const open = async (view: string): Promise<BrowserTab> => {
  const tab = await suite.browser.open(new URL(`/web/dist/index.html#/${view}`, suite.server.url).href)
  await eventually(() => tab.evaluate(() => /leads|follows/.test(document.querySelector('#self')?.textContent ?? '')), Boolean, 30_000)
  return tab
}

/** What shows that a view works, asked in its page until it is so. */
const views: Record<string, () => boolean> = {
  dashboard: () => document.querySelectorAll('.task').length >= 6 && document.querySelectorAll('#tabs li').length >= 1,
  particles: () => /[1-9]\d* a second/.test(document.querySelectorAll('.figures dd')[2]?.textContent ?? ''),
  conflicts: () => document.querySelector('#equal')?.textContent === 'both show the same',
  tabs: () => document.querySelectorAll('#census tr').length >= 1,
  storage: () => document.querySelectorAll('tbody code').length === 2 && new Set([...document.querySelectorAll('tbody code')].map((code) => code.textContent)).size === 1,
  latency: () => document.querySelectorAll('iframe').length === 3,
}

describe(`the demo in ${chosenBrowser()}`, () => {
  test.each(Object.keys(views))('%s', async (view) => {
    const tab = await open(view)
    await eventually(() => tab.evaluate(views[view]!), Boolean, 30_000)
    await tab.evaluate((text) => {
      const script = document.createElement('script')
      script.textContent = text
      document.head.append(script)
    }, axe)
    const found = await tab.evaluate(async () => {
      const { violations } = await (window as unknown as { axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe.run()
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' ')}`)
    })
    expect(found).toEqual([])
    await tab.close()
  })
})
