// Bridges between windows of different origins: a port to the named window of the named origin, and nothing from anybody else.
import type { Frame, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, launch, serve, type Profile } from './harness.ts'

type Server = Awaited<ReturnType<typeof serve>>
let profile: Profile
/** Another port is another origin. */
let servers: Server[]

beforeAll(async () => {
  servers = await Promise.all([serve(), serve(), serve()])
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

  test('10,000 well-formed frames of a foreign window, greetings and ports among them: none is applied', async () => {
    const [here, there, foreign] = servers as [Server, Server, Server]
    const page = await openPage(here)
    const named = await addFrame(page, there)
    const hostiles = [await addFrame(page, foreign), await addFrame(page, there)] // of another origin; of the right one, but not the window
    for (const hostile of hostiles) {
      await hostile.evaluate(async () => {
        // Real frames of a store of that name, as they go over its channel.
        const frames: Uint8Array[] = []
        const channel = new BroadcastChannel('tabmesh:forged')
        channel.onmessage = ({ data }: MessageEvent<Uint8Array>) => frames.push(data)
        const store = await window.tabmesh.openStore({ name: 'forged', state: {}, persist: false })
        for (let i = 0; i < 50; i++) await store.set(['shared', `forged${i}`], i).applied
        while (frames.length < 50) await new Promise((resolve) => setTimeout(resolve, 10))
        await store.close()
        channel.close()
        window.seen = frames
      })
    }
    await openBridge(page, originOf(there), 'forged')
    await openEnd(named, originOf(here), 'forged')
    await named.evaluate(() => window.store.set(['shared', 'x'], 1))
    await eventually(() => stateOf(page), ({ shared }) => JSON.stringify(shared) === '{"x":1}')
    await page.evaluate(() => window.store.flush())
    await page.evaluate(() => {
      window.seen = []
      addEventListener('message', ({ data }) => window.seen.push(data))
    })
    let flood = 0
    for (const hostile of hostiles) {
      const posted = await hostile.evaluate(() => {
        const frames = window.seen
        let count = 0
        const answered: MessagePort[] = []
        addEventListener('message', ({ ports }) => answered.push(...ports))
        for (; count < 5000; count++) {
          const frame = frames[count % frames.length]!
          const { port1, port2 } = new MessageChannel()
          port1.postMessage(frame)
          const kinds = [
            [frame, []],
            [{ tabmesh: 'forged', hello: '0'.repeat(32) }, []],
            [{ tabmesh: 'forged', hello: 'f'.repeat(32), port: '0'.repeat(32) }, [port2]],
            [{ tabmesh: 'forged', hello: String(count).padStart(32, '0'), frame }, []],
          ] as const
          const [message, transfer] = kinds[count % 4]!
          parent.postMessage(message, '*', [...transfer])
          for (const port of answered) port.postMessage(frame)
        }
        ;(window as { answered?: MessagePort[] }).answered = answered
        return count
      })
      flood += posted
      await eventually(() => page.evaluate(() => window.seen.length), (heard) => heard >= flood) // after the product, whose listener is the older
      expect(await hostile.evaluate(() => (window as { answered?: MessagePort[] }).answered!.length)).toBe(0)
    }
    expect(await page.evaluate(() => [window.store.stats().framesIn, window.store.stats().dropped, window.store.stats().writes, window.store.tabs.length])).toEqual([0, 0, 1, 1])
    expect(flood).toBe(10_000)
    expect(await stateOf(page)).toEqual({ shared: { x: 1 }, own: 0 })
    await named.evaluate(() => window.store.set(['shared', 'x'], 2)) // the one that is meant still comes through
    await eventually(() => stateOf(page), ({ shared }) => JSON.stringify(shared) === '{"x":2}')
    await page.close()
  })
})
