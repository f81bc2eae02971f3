// Databases that do not answer, or are lost for good: the store goes on, and stores when it can, without a reload.
import { describe, expect, test } from 'vitest'
import { chosenBrowser, type BrowserTab } from '../browsers/browser.ts'
import { eventually } from '../harness.ts'
import { useBrowser } from '../suite.ts'

const suite = useBrowser()

async function open(): Promise<BrowserTab> {
  const page = await suite.browser.open(suite.server.url)
  await eventually(() => page.evaluate(() => 'tabmesh' in window), Boolean)
  return page
}

/** What a page finds that has nothing but the disk. */
async function stored(name: string): Promise<unknown> {
  const page = await open()
  const state = await page.evaluate(async (name) => (await window.tabmesh.openStore({ name, state: {}, channels: [], persist: { hotCopy: false } })).getState(), name)
  await page.close()
  return state
}

describe(`in ${chosenBrowser()}`, () => {
  // WebKit keeps the transactions of a page that it caches, and has all others wait for them.
  test('a page that goes away in the middle of its transactions holds nobody up, and goes on when it comes back', async () => {
    const options = { name: 'left-busy', state: { n: 0, last: 0 }, persist: { hotCopy: false } }
    const keeper = await open()
    await keeper.evaluate((given) => void (window.store = window.tabmesh.createStore(given)), options)
    await keeper.evaluate(() => window.store.ready)
    const slowest: number[] = []
    for (let round = 1; round <= 5; round++) {
      const page = await open()
      await page.evaluate(async (given) => {
        document.title = 'left'
        window.store = await window.tabmesh.openStore(given)
        await window.store.leader.force()
        const count = (): unknown => window.store.transaction((state) => ({ n: (state.n as number) + 1 })).then(count, () => setTimeout(count, 100))
        for (let i = 0; i < 5; i++) count()
        setInterval(() => window.store.set(['last'], Math.random()), 1)
        setTimeout(() => location.assign('/tests/browser/other.html'), 300)
      }, options)
      await eventually(() => page.evaluate(() => location.pathname).catch(() => ''), (path) => path.endsWith('other.html'), 20_000)
      const took = await keeper.evaluate(async (given) => {
        const from = performance.now()
        await window.store.set(['last'], given).durable
        return performance.now() - from
      }, -round)
      slowest.push(took)
      await page.evaluate(() => void setTimeout(() => history.back()))
      const isBack = await eventually(() => page.evaluate(() => (location.pathname.endsWith('page.html') ? document.title === 'left' : undefined)).catch(() => undefined), (back) => back !== undefined, 20_000)
      if (isBack) {
        const before = await page.evaluate(() => window.store.getState().n as number)
        await eventually(() => page.evaluate(() => window.store.getState().n as number), (n) => n > before, 20_000)
      }
      await page.close()
    }
    expect(Math.max(...slowest)).toBeLessThan(2000)
    await keeper.close()
  })

  // In Firefox one transaction writes at a time, but there no append waits for its page; in WebKit too, but not in a session without a disk, as this is.
  test('an append that does not end holds up what others store, and is told, but not the next leader', async () => {
    const [holder, page, next] = [await open(), await open(), await open()]
    for (const one of [page, next]) {
      await one.evaluate(async () => {
        window.seen = []
        window.store = await window.tabmesh.openStore({ name: 'held', state: { n: 0 } })
        window.store.on('error', ({ error }) => window.seen.push((error as unknown as { code: string }).code))
        await window.store.set(['n'], 1).durable
      })
    }
    await eventually(() => page.evaluate(() => window.store.leader.isLeader), Boolean)
    await holder.evaluate(async () => {
      const database = await new Promise<IDBDatabase>((resolve) => {
        const request = indexedDB.open('tabmesh:3:held')
        request.onsuccess = () => resolve(request.result)
      })
      const until = performance.now() + 7000
      const transaction = database.transaction(['records', 'meta'], 'readwrite')
      await new Promise<void>((running) => {
        const again = (): void => {
          if (performance.now() < until) transaction.objectStore('meta').get('era').onsuccess = () => (running(), again())
        }
        again()
      })
    })
    // Asked for, and looked at later: WebDriver does one thing at a time.
    await page.evaluate(() => void window.store.set(['n'], 2).durable.then(() => window.seen.push('stored')))
    await next.evaluate(() => void window.store.leader.force())
    await eventually(() => next.evaluate(() => window.store.leader.isLeader), Boolean, 20_000)
    const seen = (): Promise<unknown[]> => page.evaluate(() => window.seen)
    if (chosenBrowser() !== 'firefox') expect(await seen(), 'when the next one leads').toEqual([])
    await eventually(() => page.evaluate(() => window.store.leader.isLeader), (leads) => !leads)
    await eventually(seen, (all) => all.includes('stored'), 20_000)
    expect(await seen()).toEqual(['storage-stalled', 'stored'])
    for (const one of [holder, page, next]) await one.close()
  })

  // Firefox completes a transaction that was committed before one of its requests failed, without that one.
  test('a request that fails in the middle of a transaction is not called durable, and is stored after all', async () => {
    for (const kind of ['write', 'transaction']) {
      const page = await open()
      await page.evaluate(async ([name, kind]) => {
        window.store = await window.tabmesh.openStore({ name, state: { a: 0, b: 0, c: 0 }, channels: [], leader: false, persist: { hotCopy: false } })
        await window.store.set(['a'], 1).durable
        const put = Reflect.get(IDBObjectStore.prototype, 'put')
        IDBObjectStore.prototype.put = function (value: unknown) {
          IDBObjectStore.prototype.put = put
          return this.add(value, 1) // the key is taken
        }
        const first = window.store.set(['b'], 2)
        await Promise.resolve().then(() => undefined) // what follows is a record of its own, in the same transaction
        if (kind === 'transaction') await window.store.transaction(() => ({ c: 3 }))
        else await window.store.set(['c'], 3).durable
        await first.durable
      }, [`failing-${kind}`, kind] as const)
      await page.close()
      expect(await stored(`failing-${kind}`), kind).toEqual({ a: 1, b: 2, c: 3 })
    }
  })

  // The first bytes of a record say of which store and era it is: one that lies there is not taken for another's in silence.
  test('a bit that flips in a stored record, wherever it is, is told, and the rest is there', async () => {
    const outcomes: [number, unknown, string[]][] = []
    for (const [round, byte] of [0, 5, 9, 15, 16, 30, -1].entries()) {
      const name = `flipped-${round}`
      const writer = await open()
      await writer.evaluate(async (name) => {
        window.store = await window.tabmesh.openStore({ name, state: { a: 0, b: 0, c: 0 }, channels: [], persist: { hotCopy: false } })
        for (const key of ['a', 'b', 'c']) await window.store.set([key], 1).durable
      }, name)
      await writer.close()
      const reader = await open()
      outcomes.push(await reader.evaluate(async ([name, byte]): Promise<[number, unknown, string[]]> => {
        const database = await new Promise<IDBDatabase>((resolve) => {
          const request = indexedDB.open(`tabmesh:3:${name}`)
          request.onsuccess = () => resolve(request.result)
        })
        const transaction = database.transaction('records', 'readwrite')
        await new Promise((resolve) => {
          transaction.oncomplete = resolve
          const records = transaction.objectStore('records')
          const keys = records.getAllKeys()
          const values = records.getAll()
          values.onsuccess = () => {
            const bytes = new Uint8Array(values.result[1] as ArrayBuffer)
            bytes[byte < 0 ? bytes.length + byte : byte]! ^= 4
            records.put(bytes.buffer, keys.result[1])
          }
        })
        database.close()
        const told: string[] = []
        const store = window.tabmesh.createStore({ name, state: { a: 0, b: 0, c: 0 }, channels: [], persist: { hotCopy: false } })
        store.on('error', ({ error }) => told.push((error as unknown as { code: string }).code))
        await store.ready
        return [byte, store.getState(), told]
      }, [name, byte] as const))
      await reader.close()
    }
    for (const [byte, state, told] of outcomes) expect([byte, state, told]).toEqual([byte, { a: 1, b: 0, c: 1 }, ['dropped']])
  })

  test('a journal that was emptied by hand is found out, and has everything again', async () => {
    const page = await open()
    const seen = await page.evaluate(async () => {
      window.store = await window.tabmesh.openStore({ name: 'emptied', state: { a: 0, b: 0, c: 0 }, channels: [], persist: { hotCopy: false } })
      for (const key of ['a', 'b', 'c']) await window.store.set([key], 1).durable
      const database = await new Promise<IDBDatabase>((resolve) => {
        const request = indexedDB.open('tabmesh:3:emptied')
        request.onsuccess = () => resolve(request.result)
      })
      const transaction = database.transaction(['records', 'checkpoints'], 'readwrite')
      transaction.objectStore('records').clear()
      transaction.objectStore('checkpoints').clear()
      await new Promise((resolve) => (transaction.oncomplete = resolve))
      database.close()
      const inspection = window.store.inspect()
      const differing = (await inspection.layers()).at(-1)!.differences
      const { mended, layers } = await inspection.syncNow()
      return [differing, mended, layers.at(-1)!.differences]
    })
    expect(seen).toEqual([3, ['indexed-db'], 0])
    await page.close()
    expect(await stored('emptied')).toEqual({ a: 1, b: 1, c: 1 })
  })

  test('an open that is never answered is begun anew', async () => {
    const page = await open()
    await page.evaluate(async () => {
      const open = Reflect.get(IDBFactory.prototype, 'open')
      IDBFactory.prototype.open = function () {
        IDBFactory.prototype.open = open
        return new EventTarget() as IDBOpenDBRequest
      }
      window.store = await window.tabmesh.openStore({ name: 'silent', state: { n: 0 } })
      window.store.on('error', () => undefined)
      await window.store.set(['n'], 1).durable
    })
    expect(await stored('silent')).toEqual({ n: 1 })
    await page.close()
  })

  // As WebKit does once the process that has the databases was lost.
  test('a page that is refused its databases for good finds another way to them', async () => {
    const page = await open()
    await page.evaluate(async () => {
      window.seen = []
      const connections: IDBDatabase[] = []
      const open = Reflect.get(IDBFactory.prototype, 'open')
      IDBFactory.prototype.open = function (...given) {
        const request = open.apply(this, given)
        request.addEventListener('success', () => connections.push(request.result))
        return request
      }
      const stores = await Promise.all(['refused', 'refused-too'].map((name) => window.tabmesh.openStore({ name, state: { n: 0 } })))
      for (const store of stores) {
        store.on('error', ({ error }) => window.seen.push((error as { code?: string }).code))
        await store.set(['n'], 1).durable
      }
      IDBFactory.prototype.open = () => {
        const request = new EventTarget() as unknown as { error: DOMException; onerror: () => void }
        request.error = new DOMException('Connection to Indexed Database server lost. Refresh the page to try again', 'UnknownError')
        setTimeout(() => request.onerror())
        return request as unknown as IDBOpenDBRequest
      }
      for (const connection of connections) connection.dispatchEvent(new Event('close'))
      await Promise.all(stores.map((store) => store.set(['n'], 2).durable))
      await new Promise((resolve) => setTimeout(resolve, 500))
      await Promise.all(stores.map((store) => store.transaction(({ n }) => ({ n: n + 1 }))))
    })
    expect(await page.evaluate(() => [window.seen, document.querySelectorAll('iframe').length])).toEqual([[], 2])
    for (const name of ['refused', 'refused-too']) expect(await stored(name)).toEqual({ n: 3 })
    await page.close()
  })
})
