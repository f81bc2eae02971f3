// The demo page as a visitor sees it: two tabs of one profile, at two widths, light and dark.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, launch, root, serve, type Profile } from './harness.ts'

const pictures = join(root, 'build', 'screenshots')
let profile: Profile
let server: Awaited<ReturnType<typeof serve>>
const problems: string[] = []

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true })
  server = await serve()
  profile = await launch()
})
afterAll(async () => {
  await profile.close()
  await server.close()
})

async function open(): Promise<Page> {
  const page = await profile.context.newPage()
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && problems.push(message.text()))
  await page.setViewportSize({ width: 1280, height: 900 })
  await page.goto(server.url.replace('/tests/browser/page.html', '/web/dist/index.html'))
  await page.waitForFunction(() => document.querySelectorAll('#tabs li').length > 0)
  return page
}

describe('the demo page', () => {
  test('shows one board in two tabs: tasks, filters, theme, layout, leader, write levels and frames', async () => {
    const [one, two] = [await open(), await open()]
    await eventually(() => two.locator('#tabs li').count(), (count) => count === 2)
    await eventually(() => one.locator('#self').textContent(), (text) => text!.startsWith('leads'))
    await eventually(() => two.locator('#self').textContent(), (text) => text!.startsWith('follows'))

    await one.getByLabel('Title of the new task').fill('Look at it in two windows')
    await one.getByRole('button', { name: 'Add', exact: true }).click()
    await two.getByText('Look at it in two windows').waitFor()
    await two.getByLabel('Look at it in two windows: done').check()
    await eventually(() => one.getByLabel('Look at it in two windows: done').isChecked(), Boolean)

    await one.getByRole('radio', { name: 'Ferry' }).check()
    await eventually(() => two.locator('.task').count(), (count) => count === 2)
    await one.getByRole('radio', { name: 'All' }).first().check()

    // A drag by the mouse: the widget's title onto another widget.
    const handle = (await one.locator('[data-id="load"] h2').boundingBox())!
    const target = (await one.locator('[data-id="progress"] h2').boundingBox())!
    await one.mouse.move(handle.x + 60, handle.y + 8)
    await one.mouse.down()
    await one.mouse.move(target.x + 40, target.y + 8, { steps: 12 })
    await one.mouse.move(target.x + 20, target.y + 8, { steps: 4 })
    await one.mouse.up()
    const order = (page: Page): Promise<string[]> => page.locator('.widget').evaluateAll((all) => all.map((widget) => widget.getAttribute('data-id')!))
    await eventually(() => order(two), (names) => names.indexOf('load') < names.indexOf('progress'))
    // And by the keyboard.
    await one.getByRole('button', { name: 'Move Open by person down' }).press('Enter')
    await eventually(() => order(two), (names) => names.indexOf('load') > names.indexOf('progress'))

    await one.locator('#stir').click()
    await eventually(() => one.locator('#stir').isEnabled(), Boolean)
    await eventually(() => one.locator('.levels .reached').count(), (count) => count === 3)
    expect(await one.locator('#figures').textContent()).toMatch(/p50 [\d.]+ ms/)
    expect(await one.locator('#frames tr').count()).toBeGreaterThan(20)

    for (const theme of ['light', 'dark'] as const) {
      if ((await one.locator('html').getAttribute('data-theme')) !== theme) await one.locator('#theme').click()
      await eventually(() => two.locator('html').getAttribute('data-theme'), (now) => now === theme)
      for (const width of [1280, 390]) {
        await one.setViewportSize({ width, height: width === 390 ? 844 : 900 })
        await one.screenshot({ path: join(pictures, `demo-${width}-${theme}.png`), fullPage: true })
        expect(await one.evaluate(() => document.documentElement.scrollWidth - innerWidth), `nothing hangs over at ${width}`).toBeLessThanOrEqual(0)
      }
      await one.setViewportSize({ width: 1280, height: 900 })
    }
    await two.close()
    await eventually(() => one.locator('#tabs li').count(), (count) => count === 1)
    await one.reload()
    await one.getByText('Look at it in two windows').waitFor()
    expect(problems).toEqual([])
  })
})
