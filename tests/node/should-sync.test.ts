import { describe, expect, test, vi } from 'vitest'
import type { DebugEvent, Store, StoreOptions } from '../../js-glue/index.ts'
import { createMesh, until, type AnyState } from './mesh.ts'

const state = { items: { a: { x: 0, y: 0 }, b: { x: 0, y: 0 } }, n: 0, title: '', dragging: false }

/** A store that keeps what is written while `dragging`, and another tab. */
async function two(options: Partial<StoreOptions<AnyState>> = {}): Promise<{ store: Store<AnyState>; other: Store<AnyState>; sent: () => number; mesh: ReturnType<typeof createMesh> }> {
  const mesh = createMesh()
  let frames = 0
  const { store } = await mesh.ready({
    state,
    exclude: ['dragging'],
    shouldSync: (_, next) => !next.dragging,
    debug(event) {
      if (event.type === 'frame' && event.direction === 'out' && event.kind === 'ops') frames++
    },
    ...options,
  })
  const other = (await mesh.ready({ state, exclude: ['dragging'], ...options, shouldSync: () => true })).store
  return { store, other, sent: () => frames, mesh }
}

/** Whatever is on its way arrives: a write of the other tab goes there and back. */
async function settle(store: Store<AnyState>, other: Store<AnyState>): Promise<void> {
  const n = Math.random()
  await other.setState({ settled: n }).shared
  await until(() => store.getState().settled === n)
}

describe('what shouldSync says no to', () => {
  test('stays in this tab, until a later change of the same key is shared', async () => {
    const { store, other, sent } = await two()
    store.setState({ dragging: true })
    for (let i = 1; i <= 5; i++) store.set(['items', 'a', 'x'], i)
    store.setState({ title: 'kept' })
    await settle(store, other)
    expect(sent()).toBe(0)
    expect(store.getState().items.a.x).toBe(5)
    expect(other.getState()).toMatchObject({ items: state.items, title: '' })
    store.setState({ dragging: false })
    store.set(['items', 'a', 'y'], 7)
    await until(() => other.getState().items.a.y === 7)
    expect(other.getState().items).toEqual({ a: { x: 5, y: 7 }, b: { x: 0, y: 0 } })
    expect(other.getState().title).toBe('') // another key
    expect(sent()).toBe(1)
  })

  test('is shown over what others write elsewhere, and gives way to what they write at the same place', async () => {
    const { store, other } = await two()
    store.setState({ dragging: true })
    store.set(['items', 'a', 'x'], 5)
    store.set(['items', 'b', 'x'], 6)
    other.set(['items', 'a', 'y'], 1)
    other.set(['items', 'b'], { x: 9 })
    await until(() => store.getState().items.a.y === 1)
    expect(store.getState().items).toEqual({ a: { x: 5, y: 1 }, b: { x: 9 } })
    store.setState({ dragging: false, items: { ...store.getState().items, c: {} } })
    await until(() => other.getState().items.c !== undefined)
    expect(other.getState().items).toEqual(store.getState().items)
    expect(store.getState().items).toEqual({ a: { x: 5, y: 1 }, b: { x: 9 }, c: {} })
  })

  test('goes when something above it is written by another', async () => {
    const { store, other } = await two()
    store.setState({ dragging: true })
    store.set(['items', 'a', 'x'], 5)
    other.set(['items', 'a'], 'gone')
    await until(() => store.getState().items.a === 'gone')
    await settle(store, other)
    expect(store.getState().items).toEqual(other.getState().items)
  })

  test('goes when something within it is written by another, and so do increments of what is set', async () => {
    const { store, other } = await two()
    store.setState({ dragging: true })
    store.set(['items', 'a'], { x: 5 })
    store.increment(['n'], 2)
    other.set(['items', 'a', 'y'], 1)
    other.setState({ n: 10 })
    await until(() => store.getState().items.a.y === 1 && store.getState().n === 10)
    expect(store.getState()).toMatchObject({ items: other.getState().items, n: 10 })
    store.setState({ dragging: false })
    store.increment(['n'])
    await until(() => other.getState().n === 11)
    expect(store.getState()).toMatchObject({ items: other.getState().items, n: 11 })
  })

  test('counts: increments wait, too, and add up later', async () => {
    const { store, other } = await two()
    store.setState({ dragging: true })
    store.increment(['n'], 2)
    store.increment(['n'])
    await settle(store, other)
    expect([store.getState().n, other.getState().n]).toEqual([3, 0])
    store.setState({ dragging: false })
    store.increment(['n'])
    other.increment(['n'], 10)
    await until(() => store.getState().n === 14 && other.getState().n === 14)
  })

  test('is sent by broadcastState: of the keys that are named, or all', async () => {
    const { store, other } = await two()
    store.setState({ dragging: true, n: 1, title: 'a', items: {} })
    store.broadcastState(['title', 'unknown'])
    await until(() => other.getState().title === 'a')
    expect(other.getState()).toMatchObject({ n: 0, items: state.items })
    store.broadcastState()
    await until(() => other.getState().n === 1)
    expect(other.getState()).toMatchObject({ n: 1, title: 'a', items: {} })
    await store.flush()
    expect(store.status.safeToClose).toBe(true)
  })

  test('is written before the store is ready, and kept when it is', async () => {
    const mesh = createMesh()
    await (await mesh.ready({ state })).store.setState({ n: 1, title: 'stored' }).durable
    const { store } = mesh.open({ state, shouldSync: (_, next) => next.title !== 'draft' })
    store.setState({ title: 'draft' })
    await store.ready
    expect(store.getState()).toMatchObject({ n: 1, title: 'draft' })
    expect(store.status.pendingDurable).toBe(0)
    store.setState({ title: 'done' })
    await store.flush()
    expect((await mesh.ready({ state })).store.getState().title).toBe('done')
  })

  test('is sent by broadcastState before the store is ready, too', async () => {
    const mesh = createMesh()
    const { store, tab } = mesh.open({ state, shouldSync: () => false })
    store.setState({ title: 'draft' })
    store.broadcastState()
    await store.flush()
    tab.kill()
    expect((await mesh.ready({ state })).store.getState().title).toBe('draft')
  })

  test('does not go with what was written before it, nor counts twice', async () => {
    for (const pace of [{}, { debounceMs: 100_000 }]) {
      const { store, other } = await two(pace)
      store.setState({ title: 'shared' })
      store.setState({ dragging: true, title: 'kept' })
      store.setState({ dragging: false, n: 5 })
      store.setState({ dragging: true })
      store.increment(['n'])
      expect(store.getState()).toMatchObject({ title: 'kept', n: 6 })
      await store.flush()
      await settle(store, other)
      expect(other.getState()).toMatchObject({ title: 'shared', n: 5 })
      for (let i = 0; i < 3; i++) await settle(store, other)
      expect(store.getState()).toMatchObject({ title: 'kept', n: 6 })
      store.setState({ n: 10 })
      for (let i = 0; i < 3; i++) await settle(store, other)
      expect([store.getState().n, other.getState().n]).toEqual([10, 5])
    }
  })

  test('leaves by no other door: not by exportState, a transaction, the hot copy, or a removal that is undone by nobody', async () => {
    const { store, other, mesh } = await two()
    await store.setState({ n: 1 }).durable
    store.setState({ dragging: true })
    store.setState({ title: 'draft', n: 100, items: undefined })
    expect(store.exportState()).toMatchObject({ title: '', n: 1, items: state.items })
    await store.transaction((now) => ({ n: (now.n as number) + 1 }))
    await until(() => other.getState().n === 2)
    expect(store.getState()).toMatchObject({ n: 2, title: 'draft' })
    await store.transaction(() => ({ title: 'draft' }))
    await until(() => other.getState().title === 'draft')
    store.setState({ title: 'secret draft' })
    const copies = (): string => [...mesh.origin.shelf.values()].join()
    const before = copies()
    await other.setState({ settled: 1 }).durable
    await until(() => copies() !== before, 'the hot copy that is renewed every 2 s')
    expect(mesh.open({ state }).store.getState().title, 'in the first task').toBe('draft')
    store.broadcastState()
    await until(() => !('items' in other.getState()) && other.getState().title === 'secret draft')
  })

  test('can be undone, and is told to subscribers', async () => {
    const { store, other } = await two()
    const told = vi.fn()
    store.subscribe((now) => now.title, told)
    store.setState({ dragging: true })
    store.setState({ title: 'x' })
    expect(told.mock.calls).toEqual([['x', '']])
    store.history.undo()
    await settle(store, other)
    expect([store.getState().title, other.getState().title]).toEqual(['', ''])
  })

  test('of a key that is shared whole is the whole key', async () => {
    const { store, other } = await two({ conflicts: 'last-write-wins' })
    store.setState({ dragging: true })
    store.set(['items', 'a', 'x'], 5)
    other.set(['items', 'b', 'x'], 1)
    await until(() => store.getState().items.b.x === 1)
    expect(store.getState().items).toEqual(other.getState().items)
  })

  test('and where it throws, the change is shared and the error told', async () => {
    const { store, other } = await two({
      shouldSync: () => {
        throw new Error('no')
      },
    })
    const told = vi.fn()
    store.on('error', told)
    store.setState({ n: 1 })
    await until(() => other.getState().n === 1)
    expect(told).toHaveBeenCalledTimes(1)
    expect(told.mock.calls[0]![0].error).toMatchObject({ code: 'listener-failed', cause: new Error('no') })
  })
})

test('requestState asks at once for what was missed', async () => {
  let lost = false
  const kinds: string[] = []
  const mesh = createMesh({ lose: () => lost })
  const debug = (event: DebugEvent): void => {
    if (event.type === 'frame' && event.direction === 'out') kinds.push(event.kind)
  }
  const one = (await mesh.ready({ state, persist: false, debug })).store
  const other = (await mesh.ready({ state, persist: false })).store
  await until(() => one.tabs.length === 2 && other.tabs.length === 2)
  lost = true
  other.setState({ n: 1 })
  await new Promise((resolve) => setImmediate(resolve))
  lost = false
  kinds.length = 0
  one.requestState()
  expect(kinds).toEqual(['hello'])
  await until(() => one.getState().n === 1)
})
