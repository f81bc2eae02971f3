// Bridges between windows of different origins: a port to the named window of the named origin, and nothing from anybody else.
import type { Frame, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, launch, serve, type Profile } from './harness.ts'

type Server = Awaited<ReturnType<typeof serve>>
let profile: Profile
/** Another port is another origin. */
let servers: Server[]

beforeAll(async () => {
  servers = await Promise.all([serve(), serve()])
  profile = await launch()
})
afterAll(async () => {
  await profile?.close()
  for (const server of servers ?? []) await server.close()
})

const originOf = ({ url }: Server): string => new URL(url).origin
const stateOf = (page: Page | Frame): Promise<Record<string, unknown>> => page.evaluate(() => window.store.getState())

async function openPage(server: Server): Promise<Page> {
  const page = await profile.context.newPage()
  await page.goto(server.url)
  await page.waitForFunction(() => 'tabmesh' in window)
  return page
}

/** An iframe of that server in the page, the n-th. */
async function addFrame(page: Page, server: Server): Promise<Frame> {
  await page.evaluate((url) => {
    const frame = document.createElement('iframe')
    frame.src = url
    document.body.append(frame)
  }, server.url)
  const count = await page.evaluate(() => document.querySelectorAll('iframe').length)
  const frame = await eventually(() => Promise.resolve(page.mainFrame().childFrames()[count - 1]), (one) => one?.url() === server.url)
  await frame!.waitForFunction(() => 'tabmesh' in window)
  return frame!
}

const openBridge = (page: Page, origin: string, name = 'bridged'): Promise<void> =>
  page.evaluate(async ([of, name]) => {
    const { contentWindow } = document.querySelector('iframe')!
    window.store = await window.tabmesh.openStore({ name, state: { shared: {}, own: 0 }, bridges: [{ window: contentWindow!, origin: of, include: ['shared'] }] })
  }, [origin, name] as const)

const openEnd = (frame: Frame, origin: string, name = 'bridged'): Promise<void> =>
  frame.evaluate(
    async ([of, name]) => {
      window.store = await window.tabmesh.openStore({ name, state: { shared: {}, own: 0 }, bridges: [{ window: parent, origin: of, include: ['shared'] }] })
    },
    [origin, name] as const,
  )

describe('a bridge in Chromium', () => {
  test('to an iframe of another origin: both write, both have it, also when the iframe is loaded again', async () => {
    const [here, there] = servers as [Server, Server]
    const page = await openPage(here)
    const frame = await addFrame(page, there)
    await openBridge(page, originOf(there))
    await openEnd(frame, originOf(here))
    await page.evaluate(() => window.store.setState({ shared: { fromPage: 1 }, own: 1 }))
    await frame.evaluate(() => window.store.set(['shared', 'fromFrame'], 2))
    for (const end of [page, frame]) await eventually(() => stateOf(end), ({ shared }) => JSON.stringify(Object.entries(shared as object).sort()) === '[["fromFrame",2],["fromPage",1]]')
    expect((await stateOf(frame)).own).toBe(0)
    await frame.evaluate(() => location.reload())
    await page.evaluate(() => window.store.set(['shared', 'fromPage'], 3))
    await eventually(() => frame.evaluate(() => 'tabmesh' in window && !('store' in window)).catch(() => false), Boolean)
    await openEnd(frame, originOf(here))
    await eventually(() => stateOf(frame), ({ shared }) => (shared as { fromPage: number }).fromPage === 3)
    await frame.evaluate(() => window.store.set(['shared', 'again'], true))
    await eventually(() => stateOf(page), ({ shared }) => (shared as { again?: boolean }).again === true)
    expect((await stateOf(page)).shared).toEqual({ fromPage: 3, fromFrame: 2, again: true })
    await page.close()
  })

  test('to a popup, and back', async () => {
    const [here, there] = servers as [Server, Server]
    const page = await openPage(here)
    const opened = profile.context.waitForEvent('page')
    await page.evaluate((url) => void ((window as { popup?: Window | null }).popup = window.open(url)), there.url)
    const popup = await opened
    await popup.waitForFunction(() => 'tabmesh' in window)
    await page.evaluate(async (origin) => {
      window.store = await window.tabmesh.openStore({ name: 'popped', state: { shared: {} }, bridges: [{ window: (window as { popup?: Window | null }).popup!, origin, include: ['shared'] }] })
    }, originOf(there))
    await popup.evaluate(async (origin) => {
      window.store = await window.tabmesh.openStore({ name: 'popped', state: { shared: {} }, bridges: [{ window: window.opener as Window, origin, include: ['shared'] }] })
    }, originOf(here))
    await popup.evaluate(() => window.store.set(['shared', 'x'], 'from the popup'))
    await eventually(() => stateOf(page), ({ shared }) => (shared as { x?: string }).x === 'from the popup')
    await Promise.all([page.close(), popup.close()])
  })
})
