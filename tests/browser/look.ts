// A page as it is looked at: light and dark, at the widths of a desk and of a phone, and as axe sees it.
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { root } from './harness.ts'

const pictures = join(root, 'build', 'screenshots')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Four pictures, none wider than its window, and nothing that axe finds. `paint`: how the page becomes light or dark, where it does not go by the browser. */
export async function lookAt(page: Page, name: string, paint: (page: Page, scheme: 'light' | 'dark') => Promise<void> = (page, colorScheme) => page.emulateMedia({ colorScheme })): Promise<void> {
  mkdirSync(pictures, { recursive: true })
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe)
  for (const colorScheme of ['light', 'dark'] as const) {
    await paint(page, colorScheme)
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 800 })
      await page.screenshot({ path: join(pictures, `${name}-${colorScheme}-${width}.png`) })
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} at ${width}`).toBe(true)
      const found = await page.evaluate(async () => {
        const { violations } = await (window as unknown as { axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe.run()
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' ')}`)
      })
      expect(found, `${name}, ${colorScheme}, ${width}`).toEqual([])
    }
  }
}
