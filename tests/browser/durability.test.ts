import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, launch, openStoreTab, openTab, serve } from './harness.ts'

let server: Awaited<ReturnType<typeof serve>>
const folders: string[] = []

beforeAll(async () => {
  server = await serve()
})
afterAll(async () => {
  await server.close()
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 5 })))
})

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tabmesh-profile-'))
  folders.push(folder)
  return folder
}

describe('what was flushed', () => {
  const rounds = process.env.TABMESH_TIMES === 'strict' ? 20 : 5

  test(`is there after the browser was killed a second later, ${rounds} of ${rounds}`, async () => {
    const folder = await newFolder()
    const options = { name: 'killed', state: { log: {} as Record<string, number>, last: 0 } }
    for (let round = 1; round <= rounds; round++) {
      const profile = await launch(folder)
      const page = await openStoreTab(profile, server.url, options)
      const found = await page.evaluate(() => window.store.getState())
      expect(found.last, `round ${round}`).toBe(round - 1)
      expect(Object.keys(found.log as object)).toHaveLength((round - 1) * 3)
      await page.evaluate(async (n) => {
        window.store.setState({ last: n })
        for (const part of ['a', 'b', 'c']) window.store.set(['log', `${n}${part}`], n)
        await window.store.flush()
        await new Promise((resolve) => setTimeout(resolve, 1000))
      }, round)
      await profile.kill()
    }
  })

  test('is there when a killed browser has left half a record in the log of its database, and the next was killed, too', async () => {
    const folder = await newFolder()
    const options = { name: 'torn', state: { log: {} as Record<string, number> } }
    const found: number[] = []
    let torn: string | undefined
    for (let round = 1; round <= 3; round++) {
      const profile = await launch(folder)
      const page = await openStoreTab(profile, server.url, options)
      found.push(Object.keys(await page.evaluate(() => window.store.getState().log as object)).length)
      const logs = async (): Promise<string[]> => (await readdir(join(folder, 'Default', 'IndexedDB'), { recursive: true })).filter((name) => name.endsWith('.log'))
      await page.evaluate(async (n) => {
        for (let i = 0; i < 20; i++) await window.store.set(['log', `${n}-${i}`], i).durable
      }, round)
      if (round === 2) await eventually(logs, (now) => now.length === 1 && now[0] !== torn)
      await profile.kill()
      const [log] = await logs()
      if (round > 1) continue
      torn = log
      // What goes before a record: checksum, length and kind. The record itself was to follow.
      await appendFile(join(folder, 'Default', 'IndexedDB', log!), Uint8Array.of(0x12, 0x34, 0x56, 0x78, 77, 0, 1))
    }
    expect(found).toEqual([0, 20, 40])
  })

  for (const [moment, when] of [['before the page goes', 'now'], ["in the page's own pagehide handler", 'pagehide']] as const) {
    test(`is there after set and close without waiting, ${moment}, ${rounds} of ${rounds}`, async () => {
      const profile = await launch(await newFolder())
      for (let round = 1; round <= rounds; round++) {
        const page = await openStoreTab(profile, server.url, { name: 'closing', state: { last: 0 } })
        expect((await page.evaluate(() => window.store.getState())).last).toBe(round - 1)
        const gone = page.waitForEvent('close')
        await page
          .evaluate(
            ([n, when]) => {
              const write = (): void => void window.store.setState({ last: n })
              if (when === 'now') write()
              else addEventListener('pagehide', write)
              window.close()
            },
            [round, when] as const,
          )
          .catch(() => undefined)
        await page.close({ runBeforeUnload: true }).catch(() => undefined)
        await gone
      }
      await profile.close()
    })
  }
})

describe('the journal', () => {
  test('is folded into checkpoints by the leader, and the state is the same afterwards', async () => {
    const folder = await newFolder()
    const profile = await launch(folder)
    const options = { name: 'checkpoints', state: { n: 0, map: {} } }
    const page = await openStoreTab(profile, server.url, options)
    await eventually(() => page.evaluate(() => window.store.leader.isLeader), Boolean)
    await page.evaluate(async () => {
      for (let i = 1; i <= 1600; i++) {
        window.store.set(['map', `k${i % 50}`], `${i} `.repeat(100))
        window.store.setState({ n: i })
        await Promise.resolve()
        if (i % 100 === 0) await window.store.flush()
      }
      await window.store.flush()
    })
    const count = (): Promise<number> =>
      page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            const open = indexedDB.open('tabmesh:3:checkpoints')
            open.onsuccess = () => {
              const request = open.result.transaction('records').objectStore('records').count()
              request.onsuccess = () => (open.result.close(), resolve(request.result))
            }
          }),
      )
    expect(await eventually(count, (records) => records < 1400)).toBeLessThan(1400)
    const stored = await page.evaluate(
      () =>
        new Promise<Uint8Array[]>((resolve) => {
          const open = indexedDB.open('tabmesh:3:checkpoints')
          open.onsuccess = () => {
            const request = open.result.transaction('checkpoints').objectStore('checkpoints').getAll() as IDBRequest<ArrayBuffer[]>
            request.onsuccess = () => (open.result.close(), resolve(request.result.map((piece) => new Uint8Array(piece))))
          }
        }).then((pieces) => pieces.map((piece) => ({ head: String.fromCharCode(piece[0]!, piece[1]!), bytes: piece.byteLength }))),
    )
    expect(stored.length).toBeGreaterThan(0)
    for (const { head, bytes } of stored) expect([head, bytes < 10_000]).toEqual(['TP', true]) // of some 25,000
    const state = await page.evaluate(() => JSON.stringify(window.store.getState()))
    await page.close()
    const fresh = await openStoreTab(profile, server.url, options)
    expect(JSON.parse(await fresh.evaluate(() => JSON.stringify(window.store.getState())))).toEqual(JSON.parse(state))
    await profile.close()
  })

  test('is emptied by destroy, in other tabs too', async () => {
    const profile = await launch(await newFolder())
    const options = { name: 'destroyed', state: { secret: '' } }
    const pages = [await openStoreTab(profile, server.url, options), await openStoreTab(profile, server.url, options)]
    await pages[0]!.evaluate(async () => {
      window.store.setState({ secret: 'gone soon' })
      await window.store.flush()
    })
    const told = pages[1]!.evaluate(() => new Promise<string>((resolve) => window.store.on('error', ({ error }) => resolve((error as { code?: string }).code ?? ''))))
    await pages[0]!.evaluate(() => window.store.destroy())
    expect(await told).toBe('destroyed')
    await expect(pages[1]!.evaluate(() => window.store.setState({ secret: 'back' }))).rejects.toThrow(/erased/)
    const fresh = await openStoreTab(profile, server.url, options)
    expect((await fresh.evaluate(() => window.store.getState())).secret).toBe('')
    await profile.close()
  })
})

describe('an excluded key', () => {
  const canary = 'canary-7f3a9c51-never-leaves'

  test('is in no frame, no database and no localStorage, searched for byte by byte', async () => {
    const folder = await newFolder()
    const profile = await launch(folder)
    const listener = await openTab(profile, server.url)
    await listener.evaluate(() => {
      window.seen = []
      new BroadcastChannel('tabmesh:private').onmessage = ({ data }) => window.seen.push(Array.from(data as Uint8Array))
    })
    const page = await openTab(profile, server.url)
    await page.evaluate(async (secret) => {
      const log: unknown[] = []
      const store = (window.store = window.tabmesh.createStore({ name: 'private', state: { token: secret, shared: 'marker-of-what-is-shared' }, exclude: ['token'], debug: (event) => log.push(event) }))
      await store.ready
      store.setState({ token: secret + '-2', shared: 'marker-of-what-is-shared-2' })
      store.set(['token'], secret + '-3')
      await store.flush()
      window.seen = log
    }, canary)
    const second = await openStoreTab(profile, server.url, { name: 'private', state: { token: 'own', shared: '' }, exclude: ['token'] })
    expect(await second.evaluate(() => window.store.getState())).toEqual({ token: 'own', shared: 'marker-of-what-is-shared-2' })

    const frames = (await listener.evaluate(() => window.seen)) as number[][]
    const sent = frames.map((bytes) => Buffer.from(bytes).toString('latin1')).join('\n')
    expect(sent).toContain('marker-of-what-is-shared-2')
    expect(sent).not.toContain(canary)
    expect(JSON.stringify(await page.evaluate(() => [window.seen, Object.entries(localStorage), Object.entries(sessionStorage)]))).not.toContain(canary)
    await profile.close()

    // The profile on disk, every file of every store of the origin.
    const files = (await readdir(join(folder, 'Default'), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile() && /IndexedDB|Local Storage|Session Storage/.test(entry.parentPath))
    const stored = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')))
    expect(files.length).toBeGreaterThan(3)
    expect(stored.some((bytes) => bytes.includes('marker-of-what-is-shared-2')), 'the search finds what is stored').toBe(true)
    expect(stored.some((bytes) => bytes.includes(canary))).toBe(false)
  })
})
