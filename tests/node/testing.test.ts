// `tabmesh/testing`: tabs on a clock that is moved by hand, with faults and a seed.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createTestMesh, type TestFaults, type TestMesh } from '../../js-glue/testing.ts'
import type { Store } from '../../js-glue/index.ts'
import { wasm, type AnyState } from './mesh.ts'

afterEach(() => {
  vi.useRealTimers()
})

const mesh = (faults: TestFaults = {}, seed = 1): Promise<TestMesh> => createTestMesh({ wasm, faults, seed })
const options = { name: 'test', state: { n: 0, by: {} } as AnyState }

test('two tabs share what they write; the clock stands still but when it is moved, whatever the runner does to timers', async () => {
  vi.useFakeTimers()
  const { openTab, settle, now, advance } = await mesh()
  const [a, b] = [await openTab().openStore(options), await openTab().openStore(options)]
  const at = now()
  a.setState({ n: 1 })
  b.set(['by', 'b'], true)
  expect(b.getState().n).toBe(0)
  expect(now()).toBe(at)
  await settle()
  expect([a.getState(), b.getState()]).toEqual([{ n: 1, by: { b: true } }, { n: 1, by: { b: true } }])
  expect(a.status.safeToClose).toBe(true)
  const before = now()
  await advance(60_000)
  expect(now() - before).toBe(60_000)
  await a.close()
})

test('one seed is one run, another is another', async () => {
  async function run(seed: number): Promise<string> {
    const { openTab, settle, now } = await mesh({ lose: 0.3, double: 0.2, delayMs: 40, abort: 0.1 }, seed)
    const stores = [openTab(), openTab(), openTab()].map((tab) => tab.createStore(options))
    for (const store of stores) store.on('error', () => undefined) // what cannot be stored at once
    await settle()
    for (let i = 0; i < 20; i++) stores[i % 3]!.set(['by', `key ${i % 7}`], i)
    await settle()
    expect(new Set(stores.map((store) => JSON.stringify(Object.entries(store.getState().by as object).sort()))).size).toBe(1)
    return JSON.stringify([stores.map((store) => [store.tab.id, store.stats(), store.leader.term, store.getState()]), now()])
  }
  const [one, again, other] = [await run(7), await run(7), await run(8)]
  expect(again).toBe(one)
  expect(other).not.toBe(one)
})

describe('faults', () => {
  test('a leader that is killed has an heir; one that is stopped, too, after half a minute, and follows when it goes on', async () => {
    const { openTab, advance, settle } = await mesh()
    const tabs = [openTab(), openTab(), openTab()]
    const stores: Store<AnyState>[] = []
    for (const tab of tabs) stores.push(await tab.openStore(options))
    await settle()
    const leads = (): number[] => stores.flatMap((store, i) => (store.leader.isLeader ? [i] : []))
    expect(leads()).toEqual([0])
    tabs[0]!.kill()
    await advance(100)
    expect(stores[1]!.leader.isLeader).toBe(true)
    tabs[1]!.stop()
    await advance(35_000)
    expect(stores[2]!.leader.isLeader).toBe(true)
    tabs[1]!.go()
    await settle()
    expect([stores[1]!.leader.isLeader, stores[2]!.leader.isLeader]).toEqual([false, true])
  })

  test('a tab in the cache misses what is written, and catches up', async () => {
    const { openTab, settle } = await mesh()
    const tab = openTab()
    const [a, b] = [await tab.openStore(options), await openTab().openStore(options)]
    tab.suspend()
    b.setState({ n: 5 })
    await settle()
    expect(a.getState().n).toBe(0)
    tab.resume()
    await settle()
    expect(a.getState().n).toBe(5)
  })

  test('a full disk keeps writes pending and shared, and is told; with room they are stored', async () => {
    const { openTab, settle, faults } = await mesh()
    const [a, b] = [await openTab().openStore(options), await openTab().openStore(options)]
    const full = vi.fn()
    a.on('storage-full', full)
    faults.full = true
    a.setState({ n: 1 })
    await settle()
    expect([b.getState().n, a.status.pendingDurable]).toEqual([1, 1])
    expect(full).toHaveBeenCalledTimes(1)
    faults.full = false
    await settle()
    expect(a.status.pendingDurable).toBe(0)
  })

  test('without a database, locks or a BroadcastChannel the status says so', async () => {
    const { openTab, faults, settle } = await mesh({ noDatabase: true, noLocks: true, noBroadcastChannel: true })
    const [a, b] = [openTab().createStore(options), openTab().createStore(options)]
    for (const store of [a, b]) store.on('error', () => undefined)
    a.setState({ n: 3 })
    await settle()
    expect(b.getState().n).toBe(3)
    expect(a.status).toMatchObject({ persistence: 'none', channel: 'storage-event' })
    expect(faults.noDatabase).toBe(true)
  })

  test('cleared databases are filled again, and clocks may differ by hours', async () => {
    const { openTab, evict, settle } = await mesh()
    const tab = openTab()
    const [a, b] = [await tab.openStore(options), await openTab().openStore(options)]
    for (const store of [a, b]) store.on('error', () => undefined)
    tab.shiftClock(-7_200_000)
    a.setState({ n: 1 })
    await settle()
    b.setState({ n: 2 })
    evict()
    await settle()
    a.setState({ n: 3 })
    await settle()
    expect((await openTab().openStore(options)).getState().n).toBe(3)
  })
})

test('settle compares versions with themselves, and leaves out tabs that a newer one has stopped', async () => {
  const { openTab, settle } = await mesh()
  const old = await openTab().openStore({ name: 'test', state: { a: 1 } })
  old.on('upgrade-required', () => undefined)
  await old.setState({ a: 2 }).applied
  await settle()
  const next = await openTab().openStore({ name: 'test', version: 2, state: { b: 0 }, migrations: [{ version: 2, up: ({ a }) => ({ b: a }) }] })
  await settle()
  expect([next.getState(), old.status.readOnly]).toEqual([{ b: 2 }, true])
})

test('settle names who differs', async () => {
  const { openTab, settle } = await mesh({ lose: 1, noStorageEvents: true })
  const [a] = [await openTab().openStore({ ...options, persist: false }), await openTab().openStore({ ...options, persist: false })]
  a.setState({ n: 1 })
  await expect(settle(5000)).rejects.toThrow(/After 5000 ms .*\ntest@1 of tab 2: {"by":{},"n":0}/)
})
