// zustand's middleware `tabmesh`, alone and with the others.
import { describe, expect, expectTypeOf, test, vi } from 'vitest'
import { createStore } from 'zustand/vanilla'
import { createJSONStorage, devtools, persist, type StateStorage } from 'zustand/middleware'
import { immer } from 'zustand/middleware/immer'
import { middlewareOn, type TabmeshMiddleware } from '../../../js-glue/adapters/middleware.ts'
import { createMesh, until, type Mesh } from '../mesh.ts'

interface App {
  count: number
  tasks: Record<string, { title: string }>
  draft: string
  add: (id: string, title: string) => void
}

/** The middleware of a new tab. */
const middleware = (mesh: Mesh): TabmeshMiddleware => middlewareOn(mesh.createIn(mesh.origin.openTab()))

const options = { name: 'app', exclude: ['draft'] as const }

const open = (mesh: Mesh) =>
  createStore<App>()(
    middleware(mesh)((set) => ({ count: 0, tasks: {}, draft: '', add: (id, title) => set((state) => ({ tasks: { ...state.tasks, [id]: { title } } })) }), options),
  )

describe('the middleware', () => {
  test('shares values and not actions, and keeps what is excluded', async () => {
    const mesh = createMesh()
    const [a, b] = [open(mesh), open(mesh)]
    const { add } = a.getState()
    a.setState({ count: 1, draft: 'mine' })
    await until(() => b.getState().count === 1)
    b.getState().add('1', 'One')
    await until(() => a.getState().tasks['1'] !== undefined)
    expect(a.getState()).toEqual({ count: 1, tasks: { 1: { title: 'One' } }, draft: 'mine', add })
    expect(b.getState().draft).toBe('')
  })

  test('merges by path: both tabs keep what they add at one instant', async () => {
    const mesh = createMesh()
    const [a, b] = [open(mesh), open(mesh)]
    await Promise.all([a.tabmesh.ready, b.tabmesh.ready])
    a.getState().add('1', 'One')
    b.getState().add('2', 'Two')
    await until(() => Object.keys(a.getState().tasks).length === 2 && Object.keys(b.getState().tasks).length === 2)
  })

  test('has the tabmesh store, of the values alone', async () => {
    const mesh = createMesh()
    const a = open(mesh)
    expectTypeOf(a.tabmesh.getState().count).toEqualTypeOf<number>()
    expectTypeOf(a.tabmesh.getState()).not.toHaveProperty('add')
    await a.tabmesh.ready
    a.tabmesh.increment(['count'], 2)
    expect(a.getState().count).toBe(2)
    await a.tabmesh.flush()
    await a.tabmesh.close()
    const printed = vi.spyOn(console, 'error')
    a.setState({ count: 9 }) // by itself from now on
    expect(printed).not.toHaveBeenCalled()
    expect((await mesh.ready({ name: 'app' })).store.getState().count).toBe(2)
  })

  test('keeps what was written before the next task', async () => {
    const mesh = createMesh()
    const a = open(mesh)
    a.setState({ count: 5 })
    await a.tabmesh.flush()
    expect(a.getState().count).toBe(5)
    expect((await mesh.ready({ name: 'app' })).store.getState().count).toBe(5)
  })

  test('goes with immer and devtools', async () => {
    const mesh = createMesh()
    const make = () => createStore<App>()(devtools(middleware(mesh)(immer((set) => ({ count: 0, tasks: {}, draft: '', add: (id, title) => set((state) => void (state.tasks[id] = { title })) })), options), { enabled: false }))
    const [a, b] = [make(), make()]
    await a.tabmesh.ready
    a.getState().add('1', 'One')
    b.getState().add('2', 'Two')
    await until(() => Object.keys(a.getState().tasks).length === 2)
    b.getState().add('1', 'Eins')
    await until(() => a.getState().tasks['1']!.title === 'Eins')
  })
})

describe('with persist', () => {
  const kept = (state: object | undefined, late: boolean): { items: Map<string, string>; storage: StateStorage } => {
    const items = new Map(state ? [['kept', JSON.stringify({ state, version: 0 })]] : [])
    return {
      items,
      storage: {
        getItem: (key) => (late ? new Promise((resolve) => setTimeout(() => resolve(items.get(key) ?? null), 20)) : (items.get(key) ?? null)),
        setItem: (key, value) => void items.set(key, value),
        removeItem: (key) => void items.delete(key),
      },
    }
  }

  const initial = { count: 0, tasks: {} as Record<string, { title: string }> }
  type Kept = ReturnType<typeof kept>
  const ways = {
    around: (mesh: Mesh, { storage }: Kept) => createStore<typeof initial>()(persist(middleware(mesh)(() => initial, { name: 'app' }), { name: 'kept', storage: createJSONStorage(() => storage) })),
    within: (mesh: Mesh, { storage }: Kept) => createStore<typeof initial>()(middleware(mesh)(persist(() => initial, { name: 'kept', storage: createJSONStorage(() => storage) }), { name: 'app' })),
  }

  for (const [way, make] of Object.entries(ways)) {
    for (const late of [false, true]) {
      test(`${way} it, what it has kept${late ? ' and reads late' : ''} does not beat what was written`, async () => {
        const mesh = createMesh()
        const other = (await mesh.ready({ name: 'app' })).store
        await other.setState({ count: 7 }).durable
        const storage = kept({ count: 1, tasks: { 1: { title: 'kept' } } }, late)
        const store = make(mesh, storage)
        await until(() => store.getState().count === 7)
        expect(store.getState().tasks).toEqual({ 1: { title: 'kept' } })
        expect(other.getState().count).toBe(7)
        store.setState({ tasks: { 2: { title: 'new' } } })
        await until(() => (other.getState().tasks as object | undefined) !== undefined && '2' in (other.getState().tasks as object))
        await until(() => JSON.stringify(JSON.parse(storage.items.get('kept')!)).includes('"count":7'))
      })
    }
  }

  test('read again five times, it is bound once; and closed before it has read, nothing is thrown', async () => {
    const mesh = createMesh()
    const storage = kept({ count: 1, tasks: {} }, true)
    const store = ways.around(mesh, storage)
    const subscribed = vi.spyOn(store.tabmesh, 'subscribe')
    await until(() => store.getState().count === 1)
    for (let i = 0; i < 5; i++) await (store as unknown as { persist: { rehydrate: () => Promise<void> } }).persist.rehydrate()
    await store.tabmesh.ready
    expect(subscribed.mock.calls.length).toBe(1)
    const closed = ways.around(createMesh(), kept({ count: 1, tasks: {} }, true))
    await closed.tabmesh.close()
    await until(() => closed.getState().count === 1)
    await new Promise((resolve) => setImmediate(resolve)) // an unhandled rejection would fail the run
  })

  test('what it reads late is written where nobody has written anything', async () => {
    const mesh = createMesh()
    const store = ways.around(mesh, kept({ count: 1, tasks: {} }, true))
    await until(() => store.getState().count === 1)
    const other = (await mesh.ready({ name: 'app', state: { count: 0 } })).store
    await until(() => other.getState().count === 1)
    store.setState({ count: 2 })
    await until(() => other.getState().count === 2)
  })
})

test('a key that JSON can’t hold stays here, and is told', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const mesh = createMesh()
  const [a, b] = [open(mesh), open(mesh)]
  await a.tabmesh.ready
  a.setState({ tasks: new Date() as never, count: 1 })
  await until(() => b.getState().count === 1)
  expect(b.getState().tasks).toEqual({})
  expect(String(printed.mock.calls[0]![0])).toContain('state.tasks is a Date')
  printed.mockRestore()
})
