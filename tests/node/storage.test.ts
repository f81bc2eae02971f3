// Storage that does not answer, and storage that the browser clears away under open tabs.
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { startEngine } from '../../js-glue/engine.ts'
import type { Store } from '../../js-glue/index.ts'
import { createStoreOn } from '../../js-glue/open.ts'
import type { Platform } from '../../js-glue/platform.ts'
import { createMesh, until, wasm, type AnyState, type Mesh } from './mesh.ts'

describe('storage that does not answer', () => {
  test('does not keep the store from being ready, and merges in when it does', { timeout: 15_000 }, async () => {
    const mesh = createMesh()
    const first = await mesh.ready()
    first.store.setState({ stored: 1 })
    await first.store.close()
    mesh.origin.faults.openMs = 4000
    const started = Date.now()
    const { store } = mesh.open()
    store.setState({ early: 2 })
    await store.ready
    expect(Date.now() - started).toBeLessThan(3600)
    expect(store.getState()).toEqual({ early: 2 })
    await until(() => store.getState().stored === 1)
    await store.flush()
    expect(store.getState()).toEqual({ early: 2, stored: 1 })
  })
})

test.each([1, 5])('a first reading that fails %i times is tried again: who is ready shows what is stored, and nothing is told', async (times) => {
  const mesh = createMesh()
  const one = await mesh.ready({ state: { n: 0 } })
  await one.store.setState({ n: 1 }).durable
  await one.store.close()
  let failures = 0
  mesh.origin.faults.abort = (label) => (label === 'tab 2' && failures < times ? (failures++, new DOMException('', 'AbortError')) : undefined)
  const { store } = mesh.open({ state: { n: 0 }, persist: { hotCopy: false } })
  const errors: unknown[] = []
  store.on('error', ({ error }) => errors.push(error))
  await store.ready
  expect([store.getState().n, errors, failures]).toEqual([1, [], times])
})

describe('storage that the browser clears away', () => {
  const settled = (...stores: Store<AnyState>[]): Promise<void> => until(() => stores.every((store) => store.tabs.length === stores.length && store.leader.id !== undefined), 'tabs that know each other')
  const durableAgain = async (mesh: Mesh, wanted: AnyState): Promise<void> => {
    const { store } = await mesh.ready({ channels: [] })
    await until(() => isDeepStrictEqual(store.getState(), wanted), JSON.stringify(wanted))
    await store.close()
  }

  test('is filled again by the open tabs, without a reload; what was durable stays, and what was not becomes it', async () => {
    const mesh = createMesh()
    const tabs = [await mesh.ready(), await mesh.ready(), await mesh.ready()]
    const [one, two, three] = tabs.map(({ store }) => store) as [Store<AnyState>, Store<AnyState>, Store<AnyState>]
    await settled(one, two, three)
    const errors: unknown[] = []
    for (const store of [one, two, three]) store.on('error', ({ error }) => errors.push((error as { code?: string }).code))
    const { term } = one.leader
    await one.set(['a'], 1).durable
    await two.set(['b'], 2).durable
    await until(() => three.getState().b === 2)
    mesh.origin.evict()
    const pending = three.set(['c'], 3).durable
    await pending
    await until(() => errors.length >= 3)
    expect(new Set(errors)).toEqual(new Set(['storage-cleared']))
    for (const store of [one, two, three]) {
      expect(store.getState()).toEqual({ a: 1, b: 2, c: 3 })
      expect(store.status.persistence).toBe('indexed-db')
    }
    await until(() => one.leader.term > term && [one, two, three].filter((store) => store.leader.isLeader).length === 1, 'a leader of a new term')
    await one.set(['d'], 4).durable
    await Promise.all([one, two, three].map((store) => store.close()))
    await durableAgain(mesh, { a: 1, b: 2, c: 3, d: 4 })
  })

  test('a tab that was away fills it too, with what nobody else had', async () => {
    const mesh = createMesh()
    const { store, tab } = await mesh.ready()
    await store.set(['a'], 1).durable
    tab.suspend()
    mesh.origin.evict()
    const other = await mesh.ready()
    await other.store.set(['b'], 2).durable
    tab.resume()
    await until(() => store.getState().b === 2 && other.store.getState().a === 1)
    await Promise.all([store.close(), other.store.close()])
    await durableAgain(mesh, { a: 1, b: 2 })
  })

  test('is read again from its beginning', async () => {
    const mesh = createMesh()
    const [one, two] = [(await mesh.ready({ channels: [] })).store, (await mesh.ready({ channels: [] })).store]
    for (let n = 1; n <= 20; n++) await one.set(['n'], n).durable
    await two.transaction((state) => ({ n: Number(state.n) + 1 }))
    mesh.origin.evict()
    await two.set(['two'], 1).durable
    await one.set(['one'], 1).durable
    await one.transaction((state) => ({ n: Number(state.n) + 1 }))
    expect((await two.transaction((state) => ({ n: Number(state.n) + 1 }))).state).toEqual({ n: 23, one: 1, two: 1 })
  })

  test('what was erased stays erased, also when it is cleared afterwards', async () => {
    const mesh = createMesh()
    const { store, tab } = await mesh.ready()
    await store.set(['a'], 1).durable
    tab.suspend()
    const other = await mesh.ready()
    await other.store.destroy()
    const third = await mesh.ready()
    expect(third.store.getState()).toEqual({})
    const codes: unknown[] = []
    store.on('error', ({ error }) => codes.push((error as { code?: string }).code))
    tab.resume()
    await until(() => codes.length > 0)
    expect(codes).toEqual(['destroyed'])
    expect(mesh.origin.stored('test')).toEqual([])
  })

  test('a tab whose era is over there gives up, and loads anew', async () => {
    const mesh = createMesh()
    const { store, tab } = await mesh.ready()
    await store.set(['a'], 1).durable
    tab.suspend()
    tab.stop()
    mesh.origin.evict()
    const other = await mesh.ready()
    const keys = Array.from({ length: 300 }, (_, i) => `k${i}`)
    other.store.setState(Object.fromEntries(keys.map((key) => [key, 1])))
    await other.store.flush()
    other.store.setState(Object.fromEntries(keys.map((key) => [key, undefined])))
    await until(() => other.store.stats().era > 0)
    await other.store.set(['b'], 2).durable
    const codes: unknown[] = []
    store.on('error', ({ error }) => codes.push((error as { code?: string }).code))
    tab.go()
    tab.resume()
    await until(() => codes.length > 0)
    expect(codes).toEqual(['storage-cleared'])
    expect(other.store.getState()).toEqual({ b: 2 })
  })

  test('erased after it was cleared and filled again, it stays erased for who was away all the time', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    await one.store.set(['secret'], 1).durable
    await until(() => two.store.getState().secret === 1)
    two.tab.suspend()
    two.tab.stop()
    mesh.origin.evict()
    await one.store.set(['more'], 2).durable
    await one.store.destroy()
    const codes: unknown[] = []
    two.store.on('error', ({ error }) => codes.push((error as { code?: string }).code))
    two.tab.go()
    two.tab.resume()
    await until(() => codes.length > 0)
    expect(codes).toEqual(['destroyed'])
    expect((await mesh.ready()).store.getState()).toEqual({})
  })

  test('a page that opens just then finds what the open tabs have, in their era', async () => {
    const mesh = createMesh()
    const one = (await mesh.ready()).store
    const keys = Array.from({ length: 300 }, (_, i) => `k${i}`)
    one.setState(Object.fromEntries(keys.map((key) => [key, 1])))
    await one.flush()
    one.setState(Object.fromEntries(keys.map((key) => [key, undefined])))
    await until(() => one.stats().era > 0)
    await one.set(['precious'], 1).durable
    mesh.origin.evict()
    const { store } = mesh.open()
    await store.set(['fresh'], 1).durable
    await until(() => isDeepStrictEqual({ ...store.getState(), ...one.getState() }, { precious: 1, fresh: 1 }))
    await one.set(['after'], 1).durable
    await until(() => store.getState().after === 1)
  })

  test('while it does not fit, no connection is left open, and nothing is opened after close', async () => {
    const mesh = createMesh()
    const tab = mesh.origin.openTab()
    let open = 0
    let opened = 0
    const openJournal: Platform['openJournal'] = async (...given) => {
      const journal = (await tab.platform.openJournal(...given))!
      open++
      opened++
      return { ...journal, refound: () => Promise.reject(new DOMException('full', 'QuotaExceededError')), close: () => (open--, journal.close()) }
    }
    const store = createStoreOn<AnyState>(tab, () => Promise.resolve({ startEngine, platform: { ...tab.platform, openJournal } }), { name: 'test', state: {}, wasm })
    store.on('error', () => undefined)
    await store.ready
    await store.set(['a'], 1).durable
    mesh.origin.evict()
    await until(() => opened > 3)
    await until(() => open === 1) // the one that was cleared away
    const closing = store.close()
    const until300 = Date.now() + 300
    await closing
    const then = opened
    await until(() => Date.now() > until300)
    expect(opened).toBe(then)
  })
})
