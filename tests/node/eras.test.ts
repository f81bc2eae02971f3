import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test, vi } from 'vitest'
import type { Store, Write } from '../../js-glue/index.ts'
import { createMesh, until, type AnyState, type Mesh } from './mesh.ts'

/** Leaves more history behind than state. */
async function setAndDelete(store: Store<AnyState>): Promise<void> {
  const keys = Array.from({ length: 400 }, (_, i) => `gone-${i}`)
  store.setState(Object.fromEntries(keys.map((key) => [key, 1])))
  await store.flush()
  store.setState(Object.fromEntries(keys.map((key) => [key, undefined])))
  await store.flush()
}

/** So that the leader ends the era. */
async function endEra(leader: Store<AnyState>): Promise<void> {
  const { era } = leader.stats()
  await setAndDelete(leader)
  await until(() => leader.stats().era > era, 'a new era')
  await until(() => leader.status.pendingDurable === 0)
}

/** Nothing of this tab is stored until what is returned is called. */
function refuse(mesh: Mesh, { tab: { label } }: Store<AnyState>): () => void {
  mesh.origin.faults.abort = (of) => (of === label ? new DOMException('busy', 'AbortError') : undefined)
  return () => delete mesh.origin.faults.abort
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
    const ids = [one.store.tab.id, two.store.tab.id]
    await endEra(one.store)
    await until(() => two.store.stats().era === 1, 'the new era in the other tab')
    await settled(one.store, two.store)
    expect([one.store.tab.id, two.store.tab.id]).toEqual(ids)
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

  // The whole promise: TABMESH_LOADS=18000 TABMESH_CYCLES=1008000.
  test('pages that come and go, and keys that are set and deleted, leave nothing behind', async () => {
    const loads = Number(process.env.TABMESH_LOADS ?? 60)
    const cycles = Math.floor(Number(process.env.TABMESH_CYCLES ?? 3000) / loads)
    const mesh = createMesh()
    let eras = 0
    let vector = 0
    let stored = 0
    for (let page = 1; page <= loads; page++) {
      const { store } = await mesh.ready()
      await until(() => store.leader.isLeader)
      for (let cycle = 0; cycle < cycles; cycle++) {
        const key = cycle % 2 === 0 ? `key-${cycle % 100}` : `task-${page}-${cycle}`
        store.set([key], { title: 'some text', done: false })
        await Promise.resolve()
        store.remove([key])
        await Promise.resolve()
      }
      store.set([`page-${page % 100}`], page)
      await store.flush()
      eras = Math.max(eras, store.stats().era)
      await store.close()
      const bytes = mesh.origin.stored('test').reduce((sum, { byteLength }) => sum + byteLength, 0)
      stored = Math.max(stored, bytes)
      expect(bytes).toBeLessThan(2 * JSON.stringify(store.getState()).length + 65_536 + cycles * 256) // and the last page's own
      // Checkpoints are of kind 3: 48 bytes of names and a digest, then the vector's count.
      for (const frame of mesh.origin.stored('test')) if (frame[3] === 3) vector = Math.max(vector, frame[48]!)
      mesh.origin.sent.length = 0
    }
    expect(vector).toBeGreaterThan(0)
    expect(vector).toBeLessThanOrEqual(64)
    const { store } = await mesh.ready()
    expect(Object.keys(store.getState())).toHaveLength(Math.min(loads, 100))
    if (process.env.TABMESH_LOADS) console.log(`${loads} loads, ${cycles * loads} cycles: ${eras} eras, a vector of at most ${vector}, at most ${stored} bytes stored`)
  }, 3_600_000)

  test('what was not stored is written again, once', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    await settled(one.store, two.store)
    // Two's frames are lost and its records cannot be stored while the era ends.
    let deaf = true
    mesh.origin.faults.lose = () => deaf
    const release = refuse(mesh, two.store)
    const write = two.store.setState({ late: 1 })
    two.store.increment(['n'], 3)
    await endEra(one.store)
    release()
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
    const release = refuse(mesh, two.store)
    two.store.increment(['n'], 3)
    await until(() => one.store.getState().n === 3)
    await endEra(one.store)
    release()
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
    await endEra(one.store)
    await until(() => two.store.stats().era === 1, 'a new era in the other tab', soonMs)
  })

  test('a tab that hears nothing finds out when it stores, and its writes count', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    await settled(one.store, two.store)
    mesh.origin.faults.lose = () => true
    await endEra(one.store)
    const write = two.store.setState({ a: 1 })
    await until(() => two.store.stats().era === 1, 'a new era in the other tab', soonMs)
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
    one.store.setState({ m: 1 })
    await Promise.resolve()
    expect(one.store.status.pendingDurable).toBe(1)
    const outcomes = await Promise.all([one.store.transaction((state) => ({ n: Number(state.n) + 1 })), two.store.transaction((state) => ({ n: Number(state.n) + 1 }))])
    expect(outcomes.map(({ status }) => status)).toEqual(['committed', 'committed'])
    await until(() => one.store.getState().n === 4 && two.store.getState().n === 4)
  })

  /** Two tabs; what the second writes reaches neither the first nor the journal until the era has ended. */
  async function apart(options: Parameters<ReturnType<typeof createMesh>['ready']>[0], act: (one: Store<AnyState>, two: Store<AnyState>) => void): Promise<[Store<AnyState>, Store<AnyState>, ReturnType<typeof createMesh>]> {
    const mesh = createMesh()
    const [{ store: one }, { store: two }] = [await mesh.ready(options), await mesh.ready(options)]
    await settled(one, two)
    await Promise.all([one.flush(), two.flush()])
    let deaf = true
    mesh.origin.faults.lose = () => deaf
    const release = refuse(mesh, two)
    act(one, two)
    await endEra(one)
    release()
    deaf = false
    await until(() => two.stats().era === 1 && two.status.pendingDurable === 0)
    await until(() => JSON.stringify(one.getState()) === JSON.stringify(two.getState()), 'one state')
    return [one, two, mesh]
  }

  test('a write that is made again leaves alone what others wrote meanwhile', async () => {
    const state = { list: [{ id: 1, x: 0 }, { id: 2 }], box: { a: 0, b: 0 } }
    const [one, , mesh] = await apart({ state, lists: { list: 'id' } }, (one, two) => {
      one.setState({ list: [{ id: 1, x: 0 }, { id: 2 }, { id: 3 }], box: { a: 1, b: 0 } })
      two.setState({ list: [{ id: 9 }, { id: 1, x: 5 }], box: { a: 0, b: 1 } })
    })
    expect(one.getState()).toEqual({ list: [{ id: 9 }, { id: 1, x: 5 }, { id: 3 }], box: { a: 1, b: 1 } })
    expect((await mesh.ready({ state, lists: { list: 'id' } })).store.getState()).toEqual(one.getState())
  })

  test('a write that is made again is one of two where both have to be kept', async () => {
    const options = { state: { seat: '', first: '' }, conflicts: { seat: 'prompt' as const, first: 'first-write-wins' as const } }
    const [one, two] = await apart(options, (one, two) => {
      one.setState({ seat: 'one', first: 'one' })
      two.setState({ seat: 'two', first: 'two' })
    })
    for (const store of [one, two]) {
      expect(store.getState().first).toBe('one')
      expect(store.conflicts.list()).toMatchObject([{ path: ['seat'], values: [{ value: 'one' }, { value: 'two', tab: two.tab.id }] }])
    }
    two.conflicts.resolve(two.conflicts.list()[0]!.id, 'local')
    await until(() => one.getState().seat === 'two' && one.conflicts.list().length === 0)
  })

  test('every promise of what has to be made again is kept, when it has been', async () => {
    const written: Promise<void>[] = []
    const [one, two] = await apart({}, (one, two) => {
      one.setState({ theme: 'dark' })
      written.push(two.setState({ theme: 'dark', c: 1 }).durable, Promise.resolve().then(() => two.setState({ a: 1 }).durable))
    })
    await Promise.all(written)
    expect(two.status.pendingDurable).toBe(0)
    await two.setState({ b: 1 }).shared
    expect(one.getState()).toEqual({ theme: 'dark', a: 1, b: 1, c: 1 })
  })

  test('what an era lacks that the journal has anyway is done', async () => {
    let write: Write | undefined
    await apart({}, (one, two) => {
      one.setState({ theme: 'dark' })
      write = two.setState({ theme: 'dark' })
    })
    await Promise.all([write?.durable, write?.shared])
  })

  test('what is made again in one era, and once more in the next, is not called durable in between', async () => {
    const mesh = createMesh()
    const [{ store: one }, { store: two }] = [await mesh.ready(), await mesh.ready()]
    await settled(one, two)
    mesh.origin.faults.lose = () => true
    const refused = (): void => void refuse(mesh, two)
    refused()
    const write = two.setState({ x: 1 })
    let durable = false
    void write.durable.then(() => (durable = true))
    for (let era = 1; era <= 2; era++) {
      await endEra(one)
      // It may read, and make its write again, but not store it.
      mesh.origin.faults.abort = (of) => (of === two.tab.label && two.stats().era === era ? new DOMException('busy', 'AbortError') : undefined)
      await until(() => two.stats().era === era, `era ${era}`)
      refused()
      expect(durable).toBe(false)
    }
    delete mesh.origin.faults.abort
    await write.durable
    expect((await mesh.ready()).store.getState()).toEqual({ x: 1 })
  })

  test('what a listener writes when a write is given up is not lost', async () => {
    const [one, two] = await apart({ state: { n: 0 } }, (one, two) => {
      two.on('error', () => two.setState({ lastError: 'seen' }))
      one.setState({ n: 'text' })
      two.increment(['n'])
    })
    await until(() => one.getState().lastError === 'seen')
    expect(two.getState()).toEqual({ n: 'text', lastError: 'seen' })
  })

  test('a page whose storage answers late in a later era keeps what it wrote before', async () => {
    const mesh = createMesh()
    const one = await mesh.ready()
    await until(() => one.store.leader.isLeader)
    one.store.setState({ theirs: 1 })
    for (let i = 0; i < 18; i++) await endEra(one.store)
    await one.store.close()
    let refused = true
    mesh.origin.faults.openError = () => (refused ? new Error('not now') : undefined)
    const { store } = mesh.open()
    const errors: unknown[] = []
    store.on('error', ({ error }) => void errors.push(error))
    const write = store.setState({ mine: 1 })
    await store.ready
    refused = false
    await write.durable
    expect(errors).not.toContainEqual(expect.objectContaining({ code: 'write-lost' }))
    expect((await mesh.ready()).store.getState()).toEqual({ theirs: 1, mine: 1 })
  })

  test('while a tab without storage is there it does not end, and one that slept meanwhile follows', async () => {
    const mesh = createMesh()
    const one = await mesh.ready()
    const bare = await mesh.ready({ persist: false })
    await settled(one.store, bare.store)
    await setAndDelete(one.store)
    one.store.setState({ n: 1 })
    await until(() => bare.store.getState().n === 1)
    await new Promise((resolve) => setTimeout(resolve, 400)) // a leader looks every 250 ms
    expect(one.store.stats().era).toBe(0)
    bare.tab.suspend()
    one.store.setState({ m: 1 })
    await until(() => one.store.stats().era === 1, 'a new era')
    bare.tab.resume()
    bare.store.increment(['n'])
    await until(() => bare.store.stats().era === 1 && bare.store.getState().m === 1, 'the tab without storage in the new era')
    await until(() => one.store.getState().n === 2)
    await one.store.flush()
    const late = await mesh.ready({ persist: false })
    await until(() => late.store.getState().n === 2)
    expect(late.store.getState()).toEqual({ n: 2, m: 1 })
    late.store.setState({ late: 1 })
    await until(() => one.store.getState().late === 1 && bare.store.getState().late === 1)
  })

  test('a tab that is behind erases the store in all of them', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    await settled(one.store, two.store)
    let deaf = true
    mesh.origin.faults.lose = () => deaf
    await endEra(one.store)
    deaf = false
    const ended = new Promise((resolve) => one.store.on('error', ({ error }) => resolve(error)))
    await two.store.destroy()
    expect(await ended).toMatchObject({ code: 'destroyed' })
    expect((await mesh.ready()).store.getState()).toEqual({})
  })

  test('who has slept through more eras than are remembered gives up what was never stored', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    await settled(one.store, two.store)
    mesh.origin.faults.lose = () => true
    const release = refuse(mesh, two.store)
    const write = two.store.setState({ late: 1 })
    write.durable.catch(() => undefined)
    two.tab.suspend()
    for (let i = 0; i < 18; i++) await endEra(one.store)
    release()
    const errors: unknown[] = []
    two.store.on('error', ({ error }) => void errors.push(error))
    mesh.origin.faults.lose = () => false
    two.tab.resume()
    await expect(write.durable).rejects.toMatchObject({ code: 'write-lost' })
    expect(errors).toMatchObject([{ code: 'write-lost' }])
    expect(two.store.getState()).toEqual({ late: 1 }) // but another tab has found it in time
    two.store.setState({ again: 1 })
    await two.store.flush()
    await until(() => one.store.getState().again === 1)
    expect(one.store.getState()).toEqual({ late: 1, again: 1 })
  }, 40_000)

  test('tabs that write all the while lose nothing and count nothing twice', async () => {
    const mesh = createMesh()
    const tabs = await Promise.all(Array.from({ length: 4 }, () => mesh.ready({ state: { n: 0 } })))
    const stores = tabs.map(({ store }) => store)
    await settled(...stores)
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
    await until(() => stores.every((store) => store.stats().era > 0), 'the end of an era')
    expect(stores.map((store) => store.getState())).toEqual(stores.map(() => ({ n: 600 })))
    expect((await mesh.ready({ state: { n: 0 } })).store.getState()).toEqual({ n: 600 })
  }, 40_000)
})

test('writes that cannot be stored hold what they replaced, and not the states they were made on', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const heap = (): number => {
    collect()
    return process.memoryUsage().heapUsed
  }
  let fails = false
  const mesh = createMesh({ abort: () => (fails ? new Error('no') : undefined) })
  const { store } = await mesh.ready({ state: { large: Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key ${i}`, i])) } })
  store.on('error', () => undefined)
  await store.set(['large', 'key 0'], -1).durable
  fails = true
  const before = heap()
  for (let i = 0; i < 1000; i++) {
    store.set(['large', `key ${i}`], -i)
    await Promise.resolve()
  }
  expect(store.status.pendingDurable).toBe(1000)
  expect(heap() - before).toBeLessThan(50e6) // an object of 5,000 members is 0.2 MB
  fails = false
  await store.flush()
})
