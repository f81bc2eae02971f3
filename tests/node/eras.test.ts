import { describe, expect, test, vi } from 'vitest'
import type { Store } from '../../js-glue/index.ts'
import { createMesh, until, type AnyState } from './mesh.ts'

/** Leaves more history behind than state: the leader ends the era. */
async function endEra(leader: Store<AnyState>): Promise<void> {
  const { id } = leader.tab
  const keys = Array.from({ length: 400 }, (_, i) => `gone-${i}`)
  leader.setState(Object.fromEntries(keys.map((key) => [key, 1])))
  await leader.flush()
  leader.setState(Object.fromEntries(keys.map((key) => [key, undefined])))
  await leader.flush()
  await until(() => leader.tab.id !== id, 'a new era')
  await until(() => leader.status.pendingDurable === 0)
}

const settled = (...stores: Store<AnyState>[]): Promise<void> => until(() => stores.every((store) => store.tabs.length === stores.length && store.tabs.filter((tab) => tab.isLeader).length === 1), 'one leader that all know')

describe('when an era ends', () => {
  test('readers see nothing of it, tabs find each other again, and what is written goes on', async () => {
    const mesh = createMesh()
    const options = { state: { kept: { x: 0 }, hidden: 1 }, lists: { list: 'id' } }
    const [one, two] = [await mesh.ready(options), await mesh.ready(options)]
    await settled(one.store, two.store)
    one.store.setState({ kept: { x: 1 }, hidden: undefined, list: [{ id: 1 }, { id: 2 }], n: 5 })
    await until(() => two.store.getState().n === 5)
    const { kept, list } = two.store.getState()
    await endEra(one.store)
    const ids = [one.store.tab.id, two.store.tab.id]
    await until(() => two.store.tab.id !== ids[1] || two.store.tabs.length === 2)
    await settled(one.store, two.store)
    for (const { store } of [one, two]) expect(store.getState()).toEqual({ kept: { x: 1 }, list: [{ id: 1 }, { id: 2 }], n: 5 })
    expect(two.store.getState().kept).toBe(kept)
    expect(two.store.getState().list).toBe(list)
    two.store.increment(['n'])
    one.store.set(['kept', 'y'], 2)
    await Promise.all([one.store.flush(), two.store.flush()])
    await until(() => one.store.getState().n === 6 && two.store.getState().kept.y === 2)
    const three = await mesh.ready(options)
    expect(three.store.getState()).toEqual({ kept: { x: 1, y: 2 }, list: [{ id: 1 }, { id: 2 }], n: 6 })
  })

  test('the journal holds hardly more than the state', async () => {
    const mesh = createMesh()
    const { store } = await mesh.ready()
    store.setState({ a: 1 })
    await endEra(store)
    await endEra(store)
    const bytes = mesh.origin.stored('test').reduce((sum, { byteLength }) => sum + byteLength, 0)
    expect(bytes).toBeLessThan(1000)
    expect((await mesh.ready()).store.getState()).toEqual({ a: 1 })
  })

  test('sixty pages that came and went are one author', async () => {
    const mesh = createMesh()
    const ids = new Set<string>()
    for (let page = 0; page < 60; page++) {
      const { store } = await mesh.ready()
      await until(() => store.leader.isLeader)
      store.set([`page-${page}`], page)
      await store.flush()
      await vi.waitUntil(() => store.leader.isLeader)
      ids.add(store.tab.id)
      await store.close()
    }
    const { store } = await mesh.ready()
    expect(Object.keys(store.getState())).toHaveLength(60)
    const stored = mesh.origin.stored('test').reduce((sum, { byteLength }) => sum + byteLength, 0)
    expect(stored).toBeLessThan(60 * 60)
  })

  test('what was not stored is written again, once', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    await settled(one.store, two.store)
    // Two's frames are lost and its records cannot be stored while the era ends.
    let deaf = true
    mesh.origin.faults.lose = () => deaf
    let refused = false
    mesh.origin.faults.abort = () => (refused ? new DOMException('busy', 'AbortError') : undefined)
    refused = true
    const write = two.store.setState({ late: 1 })
    two.store.increment(['n'], 3)
    await until(() => two.store.status.pendingDurable > 0)
    await new Promise((resolve) => setTimeout(resolve, 30)) // its first attempt fails, and is tried again in 50 ms
    refused = false
    await endEra(one.store)
    deaf = false
    await write.durable
    await two.store.flush()
    await until(() => one.store.getState().late === 1 && one.store.getState().n === 3)
    expect(two.store.getState()).toEqual({ late: 1, n: 3 })
    expect((await mesh.ready()).store.getState()).toEqual({ late: 1, n: 3 })
  })

  test('what others have, but the journal has not, is not counted twice', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    await settled(one.store, two.store)
    let stuck = false
    mesh.origin.faults.abort = () => (stuck ? new DOMException('busy', 'AbortError') : undefined)
    stuck = true
    two.store.increment(['n'], 3)
    await until(() => one.store.getState().n === 3)
    await new Promise((resolve) => setTimeout(resolve, 30))
    stuck = false
    await endEra(one.store)
    await two.store.flush()
    two.store.increment(['n'], 1)
    await until(() => one.store.getState().n === 4)
    expect((await mesh.ready()).store.getState()).toEqual({ n: 4 })
  })

  // Who lives is looked at every 5 s, which would bring it up too.
  const soonMs = 2000

  test('a tab that only reads hears of it', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    await settled(one.store, two.store)
    const { id } = two.store.tab
    await endEra(one.store)
    await until(() => two.store.tab.id !== id, 'a new era in the other tab', soonMs)
  })

  test('a tab that hears nothing finds out when it stores, and its writes count', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    await settled(one.store, two.store)
    mesh.origin.faults.lose = () => true
    await endEra(one.store)
    const { id } = two.store.tab
    const write = two.store.setState({ a: 1 })
    await until(() => two.store.tab.id !== id, 'a new era in the other tab', soonMs)
    await write.durable
    expect((await mesh.ready()).store.getState()).toEqual({ a: 1 })
  })

  test('a transaction of a tab that hears nothing is made in the new one', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    await settled(one.store, two.store)
    mesh.origin.faults.lose = () => true
    await endEra(one.store)
    const calls = vi.fn((state: AnyState) => ({ n: Number(state.n ?? 0) + 1 }))
    expect(await two.store.transaction(calls)).toEqual({ status: 'committed', state: { n: 1 } })
    expect(calls).toHaveBeenCalledTimes(1)
    expect((await mesh.ready()).store.getState()).toEqual({ n: 1 })
  })

  test('a tab that is closing meanwhile is closed', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    await settled(one.store, two.store)
    mesh.origin.faults.lose = () => true
    await endEra(one.store)
    two.store.setState({ last: 1 }) // refused by the database while the store waits for it
    await two.store.close()
    expect(two.store.tabs).toEqual([])
    expect((await mesh.ready()).store.getState()).toEqual({ last: 1 })
  })

  test('a tab that slept through it wakes in the new one', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    await settled(one.store, two.store)
    two.store.setState({ before: 1, gone: 1 })
    await two.store.flush()
    two.tab.suspend()
    one.store.setState({ gone: undefined, after: 1 })
    await endEra(one.store)
    await endEra(one.store)
    two.tab.resume()
    await until(() => two.store.getState().after === 1)
    expect(two.store.getState()).toEqual({ before: 1, after: 1 })
    two.store.setState({ again: 1 })
    await two.store.flush()
    await until(() => one.store.getState().again === 1)
  })

  test('a transaction, undo and the inbox go on', async () => {
    const mesh = createMesh()
    const options = { conflicts: { seat: 'prompt' as const } }
    const [one, two] = [await mesh.ready(options), await mesh.ready(options)]
    await settled(one.store, two.store)
    let apart = true
    mesh.origin.faults.lose = () => apart
    one.store.setState({ seat: 'x' })
    two.store.setState({ seat: 'y' })
    apart = false
    await until(() => one.store.conflicts.list().length === 1 && two.store.conflicts.list().length === 1, 'a conflict', 10_000)
    one.store.setState({ n: 1 })
    one.store.setState({ n: 2 })
    await endEra(one.store)
    await settled(one.store, two.store)
    expect(one.store.conflicts.list()).toMatchObject([{ path: ['seat'], values: [{}, {}] }])
    const outcomes = await Promise.all([one.store.transaction((state) => ({ n: Number(state.n) + 1 })), two.store.transaction((state) => ({ n: Number(state.n) + 1 }))])
    expect(outcomes.map(({ status }) => status)).toEqual(['committed', 'committed'])
    await until(() => one.store.getState().n === 4 && two.store.getState().n === 4)
  })

  test('tabs that write all the while lose nothing and count nothing twice', async () => {
    const mesh = createMesh()
    const tabs = await Promise.all(Array.from({ length: 4 }, () => mesh.ready({ state: { n: 0 } })))
    const stores = tabs.map(({ store }) => store)
    await settled(...stores)
    const ids = new Set(stores.map((store) => store.tab.id))
    let lost = 0
    mesh.origin.faults.lose = () => ++lost % 5 === 0
    await Promise.all(
      stores.map(async (store, tab) => {
        for (let i = 0; i < 150; i++) {
          store.increment(['n'])
          const key = `t${tab}-${i}`
          store.set([key], 1)
          await new Promise((resolve) => setImmediate(resolve))
          store.remove([key])
          if (i % 10 === 9) await store.flush()
          else await new Promise((resolve) => setImmediate(resolve))
        }
        await store.flush()
      }),
    )
    mesh.origin.faults.lose = () => false
    await until(() => stores.every((store) => store.getState().n === 600), `600, not ${stores.map((store) => store.getState().n as number).join(', ')}`, 20_000)
    await until(() => stores.every((store) => !ids.has(store.tab.id)), 'the end of an era')
    expect(stores.map((store) => store.getState())).toEqual(stores.map(() => ({ n: 600 })))
    expect((await mesh.ready({ state: { n: 0 } })).store.getState()).toEqual({ n: 600 })
  }, 40_000)
})
