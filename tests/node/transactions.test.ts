import { describe, expect, test } from 'vitest'
import { startEngine } from '../../js-glue/engine.ts'
import type { Store, Write } from '../../js-glue/index.ts'
import { createStoreOn } from '../../js-glue/open.ts'
import type { Platform } from '../../js-glue/platform.ts'
import type { MemoryTab } from '../../js-glue/platform/memory.ts'
import { createMesh, until, wasm, type AnyState, type Mesh } from './mesh.ts'

const plusOne = (state: AnyState): AnyState => ({ n: Number(state.n) + 1 })

describe('transaction', () => {
  test('never loses one of many from several tabs', async () => {
    const mesh = createMesh()
    const stores = await Promise.all([1, 2, 3, 4].map(async () => (await mesh.ready({ state: { n: 0 } })).store))
    const outcomes = await Promise.all(stores.flatMap((store) => Array.from({ length: 25 }, () => store.transaction(plusOne))))
    expect(outcomes.every(({ status }) => status === 'committed')).toBe(true)
    expect(new Set(outcomes.map(({ state }) => state.n)).size).toBe(100)
    await until(() => stores.every((store) => store.getState().n === 100))
    expect((await mesh.ready({ state: { n: 0 } })).store.getState().n).toBe(100)
  })

  test('counts right beside plain writes of the same tab and of others', async () => {
    const mesh = createMesh()
    const [a, b] = [(await mesh.ready({ state: { n: 0, other: 0 } })).store, (await mesh.ready({ state: { n: 0, other: 0 } })).store]
    const all: Promise<unknown>[] = []
    for (let i = 1; i <= 20; i++) {
      all.push(a.transaction(plusOne), b.transaction(plusOne))
      a.setState({ other: i })
      b.set(['deep', `k${i}`], i)
      await new Promise((resolve) => setTimeout(resolve))
    }
    await Promise.all(all)
    await Promise.all([a.flush(), b.flush()])
    await until(() => a.getState().n === 40 && b.getState().n === 40 && Object.keys((b.getState().deep ?? {}) as object).length === 20 && b.getState().other === 20)
    expect(JSON.stringify((await mesh.ready({ state: { n: 0, other: 0 } })).store.getState().deep)).toBe(JSON.stringify(b.getState().deep))
  })

  test('sees what a tab stored that nobody told it about', async () => {
    const mesh = createMesh({ lose: () => true })
    const [a, b] = [(await mesh.ready({ state: { n: 0 } })).store, (await mesh.ready({ state: { n: 0 } })).store]
    await a.transaction(() => ({ n: 7 }))
    expect(b.getState().n).toBe(0)
    expect(await b.transaction(plusOne)).toEqual({ status: 'committed', state: { n: 8 } })
  })

  test('shows nothing of what it writes before it is stored', async () => {
    const mesh = createMesh()
    const [a, b] = [(await mesh.ready({ state: { n: 0 } })).store, (await mesh.ready({ state: { n: 0 } })).store]
    let inside: unknown
    const done = a.transaction(() => {
      inside = a.getState().n
      a.setState({ beside: 1 })
      return { n: 1 }
    })
    expect((await done).state).toEqual({ n: 1, beside: 1 })
    expect(inside).toBe(0)
    await until(() => b.getState().n === 1 && b.getState().beside === 1)
  })

  test('that throws, reads only, or returns what is there writes nothing', async () => {
    const mesh = createMesh()
    const { store } = await mesh.ready({ state: { n: 1 }, exclude: ['mine'] })
    const stored = mesh.origin.stored('test').length
    await expect(store.transaction(() => { throw new DOMException('mine', 'AbortError') })).rejects.toThrow('mine')
    await expect(store.transaction((() => Promise.resolve({})))).rejects.toThrow(/must not be async/)
    await expect(store.transaction(() => ({ mine: 1 }))).rejects.toThrow(/not shared/)
    await expect(store.transaction(() => ({ n: 2 }), { keys: ['m'] })).rejects.toThrow(/not among the keys/)
    await expect(store.transaction(() => ({ n: () => 1 }))).rejects.toThrow(/state\.n is a function/)
    expect(await store.transaction(() => undefined)).toEqual({ status: 'committed', state: { n: 1 } })
    expect(await store.transaction(() => ({ n: 1 }))).toEqual({ status: 'committed', state: { n: 1 } })
    expect(mesh.origin.stored('test').length).toBe(stored)
    store.setState({ n: 5 }) // and the store goes on
    await store.flush()
    expect(store.getState().n).toBe(5)
  })

  test('of one id is done once, whichever tab repeats it', async () => {
    const mesh = createMesh()
    const [a, b] = [(await mesh.ready({ state: { n: 0 } })).store, (await mesh.ready({ state: { n: 0 } })).store]
    await a.transaction(plusOne, { id: 'order-1' })
    await Promise.all([a.transaction(plusOne, { id: 'order-1' }), b.transaction(plusOne, { id: 'order-1' }), b.transaction(plusOne, { id: 'order-2' })])
    await until(() => a.getState().n === 2 && b.getState().n === 2)
  })

  test('is tried again when the database aborts, and refused clearly when it goes on doing so', async () => {
    let aborts = 2
    const mesh = createMesh({ abort: () => (aborts-- > 0 ? new DOMException('full', 'QuotaExceededError') : undefined) })
    aborts = 0
    const { store } = await mesh.ready({ state: { n: 0 } })
    await store.flush()
    aborts = 2
    expect((await store.transaction(plusOne)).status).toBe('committed')
    aborts = Infinity
    await expect(store.transaction(plusOne)).rejects.toThrow(expect.objectContaining({ code: 'storage-failed' }) as Error)
    expect(store.getState().n).toBe(1)
    aborts = 0
    expect((await store.transaction(plusOne)).state.n).toBe(2)
  }, 20_000)

  test('goes on when its tab was suspended meanwhile, and counts once', async () => {
    const mesh = createMesh()
    const { store, tab } = await mesh.ready({ state: { n: 0 } })
    const done = store.transaction(({ n }) => {
      queueMicrotask(() => tab.suspend())
      return { n: Number(n) + 1 }
    })
    setTimeout(() => tab.resume(), 50)
    expect((await done).status).toBe('committed')
    await store.flush()
    expect((await mesh.ready({ state: { n: 0 } })).store.getState().n).toBe(1)
  })

  /** A tab whose database tells the first transaction that it has failed: after it was stored, or in its place. */
  async function misled(mesh: Mesh, first: { readonly stored: boolean; readonly then?: (tab: MemoryTab) => void | Promise<void>; readonly unreadable?: number; readonly asked?: () => void }): Promise<{ store: Store<AnyState>; unreadable: () => number }> {
    const tab = mesh.origin.openTab()
    let told = false
    let unreadable = 0
    const openJournal: Platform['openJournal'] = async (...given) => {
      const journal = (await tab.platform.openJournal(...given))!
      return {
        ...journal,
        async read(cursor, era) {
          if (unreadable > 0) {
            unreadable--
            throw new DOMException('not now', 'UnknownError')
          }
          if (told) first.asked?.()
          return journal.read(cursor, era)
        },
        async transact(cursor, era, id, now, run) {
          if (told) return journal.transact(cursor, era, id, now, run)
          told = true
          if (first.stored) await journal.transact(cursor, era, id, now, run)
          else run(await journal.read(cursor, era), false)
          unreadable = first.unreadable ?? 0
          await first.then?.(tab)
          throw new DOMException('given up', 'AbortError')
        },
      }
    }
    const store = createStoreOn<AnyState>(tab, () => Promise.resolve({ startEngine, platform: { ...tab.platform, openJournal } }), { name: 'test', state: { n: 0 }, wasm })
    await store.ready
    return { store, unreadable: () => unreadable }
  }

  test('does not overwrite what others did while its page was away and the database gave it up', async () => {
    const mesh = createMesh()
    const other = (await mesh.ready({ state: { n: 0 } })).store
    let done: Promise<unknown> = Promise.resolve()
    const { store } = await misled(mesh, {
      stored: false,
      then(tab) {
        tab.suspend()
        done = other.transaction(plusOne)
        setTimeout(() => tab.resume(), 100)
      },
    })
    expect((await store.transaction(plusOne)).status).toBe('committed')
    await done
    await store.flush()
    expect(store.getState().n).toBe(2)
    await until(() => other.getState().n === 2, 'the other tab has both')
  })

  test.each([true, false])('lets other writes go on while nobody knows whether it was stored (it was: %s)', async (stored) => {
    const mesh = createMesh()
    const other = (await mesh.ready({ state: { n: 0 } })).store
    let written: Write | undefined
    const { store, unreadable } = await misled(mesh, { stored, unreadable: 6, then: () => void setTimeout(() => (written = store.setState({ beside: 1 })), 30) })
    const done = store.transaction(plusOne)
    await until(() => other.getState().beside === 1, 'the other write has reached the other tab')
    expect(unreadable()).toBeGreaterThan(0)
    expect((await done).status).toBe('committed')
    await written!.durable
    await written!.shared
    await store.flush()
    expect(store.getState()).toEqual({ n: 1, beside: 1 })
    expect((await mesh.ready({ state: { n: 0 } })).store.getState()).toEqual({ n: 1, beside: 1 })
    await until(() => other.getState().n === 1, 'the other tab has the transaction')
    expect(other.stats().divergences + store.stats().divergences).toBe(0)
  })

  test('is unknown, and nothing else, when its store is closed while the journal is asked', async () => {
    const mesh = createMesh()
    const { store } = await misled(mesh, { stored: false, asked: () => void store.close() })
    expect((await store.transaction(plusOne)).status).toBe('unknown')
    await store.close()
    expect((await mesh.ready({ state: { n: 0 } })).store.getState().n).toBe(0)
  })

  test('is not made again when its era has ended while its page was away', async () => {
    const mesh = createMesh()
    const leader = (await mesh.ready({ state: { n: 0 } })).store
    await until(() => leader.leader.isLeader, 'it leads')
    const { store } = await misled(mesh, {
      stored: true,
      async then(tab) {
        tab.suspend()
        const { era } = leader.stats()
        const keys = Array.from({ length: 400 }, (_, i) => `gone-${i}`)
        for (const value of [1, undefined]) {
          leader.setState(Object.fromEntries(keys.map((key) => [key, value])))
          await leader.flush()
        }
        await until(() => leader.stats().era > era, 'the era ends')
        setTimeout(() => tab.resume(), 100)
      },
    })
    let calls = 0
    const { status } = await store.transaction((state) => {
      calls++
      return plusOne(state)
    })
    expect([status, calls]).toEqual(['committed', 1])
    await until(() => store.stats().era === leader.stats().era && store.getState().n === 1, 'it has followed')
    expect(leader.getState().n).toBe(1)
  })

  test('ends with its store when the database does not answer; others do not wait for it', async () => {
    const mesh = createMesh()
    const other = (await mesh.ready({ state: { n: 0 } })).store
    const tab = mesh.origin.openTab()
    const openJournal: Platform['openJournal'] = async (...given) => {
      const journal = (await tab.platform.openJournal(...given))!
      return { ...journal, transact: () => new Promise<never>(() => undefined) }
    }
    const store = createStoreOn<AnyState>(tab, () => Promise.resolve({ startEngine, platform: { ...tab.platform, openJournal } }), { name: 'test', state: { n: 0 }, wasm })
    await store.ready
    const both = [store.transaction(plusOne), store.transaction(plusOne)].map((outcome) => outcome.then(({ status }) => status, (error: unknown) => (error as { readonly code?: unknown }).code))
    store.setState({ beside: 1 })
    await until(() => other.getState().beside === 1, 'the other write has gone out')
    await store.close()
    expect(await Promise.all(both)).toEqual(['closed', 'closed'])
  })

  test('counts once though the debug function of the app throws', async () => {
    const mesh = createMesh()
    const errors: unknown[] = []
    const { store } = await mesh.ready({
      state: { n: 0 },
      debug: () => {
        throw new Error('of the app')
      },
    })
    store.on('error', ({ error }) => errors.push((error as { readonly code?: unknown }).code))
    expect((await store.transaction(plusOne)).status).toBe('committed')
    expect(store.getState().n).toBe(1)
    expect(errors).toContain('listener-failed')
  })

  test('is refused where there is no database', async () => {
    const { store } = await createMesh().ready({ persist: false, state: { n: 0 } })
    await expect(store.transaction(plusOne)).rejects.toThrow(expect.objectContaining({ code: 'unsupported' }) as Error)
    expect(store.getState().n).toBe(0)
  })
})

test('a transaction of a store that is closed before it is ready is refused', async () => {
  const { store } = createMesh().open()
  const outcome = store.transaction(() => ({ n: 1 }))
  const refused = expect(outcome).rejects.toMatchObject({ code: 'closed' })
  await store.close()
  await refused
})

describe('a transaction before the journal could be read', () => {
  test('reads it first', async () => {
    let refused = true
    const mesh = createMesh()
    const first = await mesh.ready({ state: { n: 0 } })
    await first.store.transaction(() => ({ n: 41 }))
    await first.store.close()
    mesh.origin.faults.abort = () => (refused ? new Error('busy') : undefined)
    const { store } = mesh.open({ state: { n: 0 } })
    await store.ready
    refused = false
    expect(await store.transaction(plusOne)).toEqual({ status: 'committed', state: { n: 42 } })
  })
})

describe('compareAndSet', () => {
  test('writes at the expected version only', async () => {
    const mesh = createMesh()
    const [a, b] = [(await mesh.ready({ state: { n: 0 } })).store, (await mesh.ready({ state: { n: 0 } })).store]
    const { version } = a
    expect((await b.transaction(plusOne)).status).toBe('committed')
    expect(await a.compareAndSet(version, { n: 50 })).toEqual({ status: 'conflict', state: { n: 1 } })
    expect(await a.compareAndSet(a.version, { n: 50 })).toEqual({ status: 'committed', state: { n: 50 } })
    await until(() => b.getState().n === 50)
  })
})
