// The demo without its server: starts, works, is equal afterwards; and another version of it waits until it may come.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import sirv from 'sirv'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually, launch, root, type Profile } from './harness.ts'

let profile: Profile
let folder: string
let server: Server
let url: string

/** A host of static files, as any. */
async function host(port = 0): Promise<void> {
  const files = sirv(folder, { dev: true, etag: true })
  server = createServer((request, response) => files(request, response, () => void response.writeHead(404).end()))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  url = `http://localhost:${(server.address() as { port: number }).port}/`
}

const stop = (): Promise<void> => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve())))

async function open(): Promise<Page> {
  const page = await profile.context.newPage()
  await page.goto(url)
  await page.waitForFunction(() => /leads|follows/.test(document.querySelector('#self')?.textContent ?? ''))
  return page
}

const kept = (page: Page): Promise<unknown> => page.locator('#offline[data-kept=true]').waitFor({ state: 'attached' })

async function add(page: Page, title: string): Promise<void> {
  await page.getByLabel('Title of the new task').fill(title)
  await page.getByRole('button', { name: 'Add', exact: true }).click()
}

const titles = (page: Page): Promise<string[]> => page.locator('.task .title').allInnerTexts()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabmesh-site-'))
  await cp(join(root, 'web', 'dist'), folder, { recursive: true })
  await host()
  profile = await launch()
})
afterEach(async () => {
  await profile.close()
  await stop().catch(() => undefined)
  await rm(folder, { recursive: true })
})

describe('without its server', () => {
  test('the page starts, works in every view, and what two tabs change is there and equal afterwards', async () => {
    const one = await open()
    await kept(one)
    const port = Number(new URL(url).port)
    await stop()
    await expect(fetch(url)).rejects.toThrow()
    await one.reload()
    const two = await open() // a tab that has never seen the server
    await eventually(() => one.locator('#tabs li').count(), (count) => count === 2)
    await add(one, 'Written without a network')
    await add(two, 'And here')
    for (const page of [one, two]) await eventually(() => titles(page), (list) => list.includes('Written without a network') && list.includes('And here'))
    // What no view had loaded before is in the cache, too: three.js, the module that computes, and the records.
    await two.getByRole('link', { name: 'Particles' }).click()
    await two.getByRole('img', { name: /^Particles/ }).waitFor()
    await eventually(() => two.locator('.figures').innerText(), (text) => /\n[1-9]\d* a second/.test(text), 20_000)
    await two.goto(`${url}?relay=ws://127.0.0.1:9#/devices`) // what is behind the ? makes no other file of it
    await eventually(() => two.locator('#relay').innerText(), (text) => /^not connected/.test(text), 20_000)
    const wanted = await titles(one)
    await Promise.all([one.close(), two.close()])
    await host(port)
    const after = await open()
    await eventually(() => titles(after), (list) => JSON.stringify(list) === JSON.stringify(wanted))
  })
})

/** Another version of the page is put in place of this one. */
async function publish(): Promise<void> {
  const page = await readFile(join(folder, 'index.html'), 'utf8')
  await writeFile(join(folder, 'index.html'), page.replace('<html lang="en"', '<html lang="en" data-edition="second"'))
  const script = await readFile(join(folder, 'service-worker.js'), 'utf8')
  const changed = script.replace(/(url:"index\.html",revision:")[0-9a-f]+/, '$1second')
  expect(changed).not.toBe(script)
  await writeFile(join(folder, 'service-worker.js'), changed)
}

describe('a new version', () => {
  test('waits, says so in every tab, and comes when one of them is asked for it; nothing is lost', async () => {
    const one = await open()
    await kept(one)
    await one.reload() // by the service worker, from now on
    const two = await open()
    await publish()
    await two.evaluate(async () => {
      await (await navigator.serviceWorker.getRegistration())!.update()
    })
    for (const page of [one, two]) await page.getByText('A newer version of this page is ready.').waitFor()
    await one.reload() // still the old one
    await one.waitForFunction(() => /leads|follows/.test(document.querySelector('#self')?.textContent ?? ''))
    expect(await one.locator('html').getAttribute('data-edition')).toBe(null)
    await one.getByText('A newer version of this page is ready.').waitFor()

    await add(two, 'Written just before')
    await one.getByRole('button', { name: 'Use it, in all tabs' }).click()
    for (const page of [one, two]) await eventually(() => page.locator('html').getAttribute('data-edition').catch(() => null), (edition) => edition === 'second')
    for (const page of [one, two]) await eventually(() => titles(page).catch((): string[] => []), (list) => list.includes('Written just before'))
    expect(await one.getByText('A newer version of this page is ready.').count()).toBe(0)
  })
})

describe('the service worker', () => {
  test('stores again what a page has and the journal lacks, without a network', async () => {
    const page = await open()
    await kept(page)
    await add(page, 'Of which the journal knows nothing')
    const stored = (act: 'clear' | 'count'): Promise<number> =>
      page.evaluate(
        (act) =>
          new Promise<number>((resolve) => {
            const opening = indexedDB.open('tabmesh:3:demo@3')
            opening.onsuccess = () => {
              const request = opening.result.transaction('records', 'readwrite').objectStore('records')[act]() as IDBRequest<number | undefined>
              request.onsuccess = () => (opening.result.close(), resolve(request.result ?? 0))
            }
          }),
        act,
      )
    await eventually(() => stored('count'), (count) => count > 0)
    await stop()
    await stored('clear')
    expect(await stored('count')).toBe(0)
    await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())!.active!.postMessage({ tabmesh: 'reconcile' }))
    await eventually(() => stored('count'), (count) => count > 0, 15_000)
  })

  test('takes part for a moment when it is asked to, and never leads', async () => {
    const page = await open()
    await kept(page)
    const seen = await page.evaluate(async () => {
      const counts = new Set<number>()
      const leads = new Set<boolean>()
      const look = new MutationObserver(() => {
        counts.add(document.querySelectorAll('#tabs li').length)
        leads.add(document.querySelector('#self')!.textContent.startsWith('leads'))
      })
      look.observe(document.body, { subtree: true, childList: true, characterData: true })
      const { active } = (await navigator.serviceWorker.getRegistration())!
      active!.postMessage({ tabmesh: 'reconcile' })
      active!.postMessage({ tabmesh: 'reconcile' }) // one at a time
      while (!counts.has(2)) await new Promise((resolve) => setTimeout(resolve, 20))
      while (document.querySelectorAll('#tabs li').length !== 1) await new Promise((resolve) => setTimeout(resolve, 20))
      look.disconnect()
      return { most: Math.max(...counts), leads: [...leads] }
    })
    expect(seen).toEqual({ most: 2, leads: [true] })
  })
})
