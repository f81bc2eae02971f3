// The examples of docs/examples/, each in two tabs of Chromium, at two widths, light and dark.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createServer, type ViteDevServer } from 'vite'
import { exampleConfig } from '../../scripts/example.mjs'
import { eventually, launch, root, type Profile } from './harness.ts'
import { lookAt } from './look.ts'

const problems: string[] = []
let profile: Profile
let server: ViteDevServer | undefined

beforeAll(async () => {
  profile = await launch()
})
afterEach(async () => {
  await Promise.all(profile.context.pages().map((page) => page.close()))
  await server?.close()
})
afterAll(() => profile.close())

async function inTwoTabs(name: string): Promise<[Page, Page]> {
  server = await createServer({ ...exampleConfig(name), logLevel: 'error' })
  await server.listen()
  const url = server.resolvedUrls!.local[0]!
  const open = async (): Promise<Page> => {
    const page = await profile.context.newPage()
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && problems.push(message.text()))
    await page.goto(url)
    await page.waitForFunction(() => 'store' in window)
    await page.evaluate(() => window.store.ready)
    return page
  }
  const tabs: [Page, Page] = [await open(), await open()]
  for (const tab of tabs) await eventually(() => tab.evaluate(() => window.store.tabs.length), (count) => count === 2)
  return tabs
}

test('none is left out', () => {
  expect(readdirSync(join(root, 'docs', 'examples'), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort()).toEqual(['notes', 'votes'])
})

test('votes: two tabs vote at the same time, and add places', async () => {
  const [one, two] = await inTwoTabs('votes')
  await Promise.all([one, two].map(async (page) => {
    for (let n = 0; n < 10; n++) await page.getByRole('button', { name: 'Vote for Noodles' }).click()
  }))
  await Promise.all([one, two].map(async (page, i) => {
    await page.getByLabel('Another place').fill(['Soup', 'Curry'][i]!)
    await page.getByRole('button', { name: 'Add' }).click()
  }))
  for (const page of [one, two]) {
    await eventually(() => page.locator('output').allInnerTexts(), (counts) => counts[0] === '20' && counts.length === 4)
    await eventually(() => page.locator('#who').innerText(), (text) => text.startsWith('2 tabs are here'))
  }
  await eventually(() => two.locator('#toast').innerText(), (text) => text.startsWith('A new place from') || text.startsWith('A vote from'))
  await lookAt(one, 'example-votes')
  expect(problems).toEqual([])
})

test('notes: two tabs write different fields, one heading, and look at it in the inspector', async () => {
  const [one, two] = await inTwoTabs('notes')
  await one.getByLabel('Title').fill('Harbour at night')
  await two.getByLabel('Text of').fill('Lights')
  for (const page of [one, two]) {
    await eventually(() => page.getByLabel('Title').inputValue(), (value) => value === 'Harbour at night')
    await eventually(() => page.getByLabel('Text of').inputValue(), (value) => value === 'Lights')
  }
  await one.getByRole('button', { name: 'Add a note' }).click()
  await eventually(() => two.locator('li').count(), (count) => count === 2)
  await Promise.all([one, two].map((page, i) => page.evaluate(([value, at]) => {
    while (Date.now() < (at));
    window.store.setState({ heading: value })
  }, [`Notes ${'AB'[i]!}`, Date.now() + 150] as const)))
  await one.getByText('The heading awaits a choice').waitFor()
  await one.getByRole('button', { name: 'Show the inspector' }).click()
  await one.getByRole('tab', { name: /^Conflicts 1/ }).click()
  await lookAt(one, 'example-notes')
  await one.getByRole('button', { name: /^Keep this: what this tab/ }).click()
  await eventually(() => two.getByLabel('Heading').inputValue(), (value) => value === 'Notes A')
  await one.getByText('All is stored.').waitFor()
  await one.getByRole('button', { name: 'Hide the inspector' }).click()
  await eventually(() => one.locator('tabmesh-inspector').count(), (count) => count === 0)
  expect(problems).toEqual([])
})
