// What is written of `createBroadcastSync`: each option, strategy, callback and method, with zustand's own stores in tabs of their own.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createStore, type StoreApi } from 'zustand/vanilla'
import { createJSONStorage, persist, subscribeWithSelector } from 'zustand/middleware'
import { immer } from 'zustand/middleware/immer'
import { createBroadcastSyncOn, type BroadcastSync, type BroadcastSyncConfig, type SyncState } from '../../../js-glue/adapters/broadcast-sync.ts'
import type { MemoryTab } from '../../../js-glue/platform/memory.ts'
import { createMesh, until, type AnyState, type Mesh } from '../mesh.ts'

interface App {
  tasks: Record<string, { title: string; done?: boolean }>
  filter: string
  count: number
  secret: string
  add: (id: string, title: string) => void
}

const createApp = (): StoreApi<App> =>
  createStore<App>((set) => ({
    tasks: {},
    filter: 'all',
    count: 0,
    secret: '',
    add: (id, title) => set((state) => ({ tasks: { ...state.tasks, [id]: { title } } })),
  }))

interface Tab {
  store: StoreApi<App>
  sync: BroadcastSync<App>
  tab: MemoryTab
}

/** A tab with the app, started. */
function open(mesh: Mesh, config: Partial<BroadcastSyncConfig<App>> = {}, store = createApp()): Tab {
  const tab = mesh.origin.openTab()
  const sync = createBroadcastSyncOn(mesh.createIn(tab), store, { channelName: 'app', ...config })
  sync.start()
  return { store, sync, tab }
}

async function connected(mesh: Mesh, config: Partial<BroadcastSyncConfig<App>> = {}): Promise<Tab> {
  let is = false
  const tab = open(mesh, { ...config, onSyncStateChange: (state) => ((is = true), config.onSyncStateChange?.(state)) })
  await until(() => is, 'connected')
  return tab
}

const pair = async (config: Partial<BroadcastSyncConfig<App>> = {}, mesh = createMesh()): Promise<[Tab, Tab]> => [await connected(mesh, config), await connected(mesh, config)]

/** Neither hears the other until it is undone. */
function apart(): { mesh: Mesh; cut: (on: boolean) => void } {
  let cut = false
  return { mesh: createMesh({ lose: () => cut }), cut: (on) => (cut = on) }
}

afterEach(() => vi.restoreAllMocks())

describe('a zustand store', () => {
  test('is shared as it is: values and not actions, by its own setState and actions', async () => {
    const [a, b] = await pair()
    const { add } = b.store.getState()
    a.store.getState().add('1', 'One')
    a.store.setState({ filter: 'done' })
    await until(() => b.store.getState().filter === 'done')
    expect(b.store.getState()).toEqual({ ...b.store.getState(), tasks: { 1: { title: 'One' } }, count: 0 })
    expect(b.store.getState().add).toBe(add)
    b.store.getState().add('2', 'Two')
    await until(() => a.store.getState().tasks['2'] !== undefined)
    expect(a.store.getState().tasks).toEqual({ 1: { title: 'One' }, 2: { title: 'Two' } })
  })

  test('tells its subscribers once of what came, and of nothing that it sent', async () => {
    const [a, b] = await pair()
    const [told, toldB] = [vi.fn(), vi.fn()]
    a.store.subscribe(told)
    b.store.subscribe(toldB)
    a.store.setState({ count: 1, filter: 'x' })
    await until(() => b.store.getState().count === 1)
    await a.sync.stop()
    expect([told.mock.calls.length, toldB.mock.calls.length]).toEqual([1, 1])
  })

  test('keeps the identity of what did not change', async () => {
    const [a, b] = await pair()
    a.store.setState({ tasks: { 1: { title: 'One' }, 2: { title: 'Two' } } })
    await until(() => b.store.getState().tasks['2'] !== undefined)
    const before = b.store.getState().tasks
    a.store.setState((state) => ({ tasks: { ...state.tasks, 2: { title: 'Zwei' } } }))
    await until(() => b.store.getState().tasks['2']!.title === 'Zwei')
    expect(b.store.getState().tasks['1']).toBe(before['1'])
  })

  test('removes keys, and replaces whole states', async () => {
    const [a, b] = await pair()
    a.store.setState({ filter: undefined } as never)
    await until(() => !('filter' in b.store.getState()))
    expect(b.store.getState().add).toBeTypeOf('function')
    const { add } = a.store.getState()
    a.store.setState({ add, count: 5 } as never, true)
    await until(() => b.store.getState().count === 5)
    expect(Object.keys(b.store.getState()).sort()).toEqual(['add', 'count'])
  })

  test('keeps its actions, whatever another version of the app has under their names', async () => {
    const [a, b] = await pair()
    b.store.setState({ add: 5 as never, count: 1 })
    await until(() => a.store.getState().count === 1)
    expect(a.store.getState().add).toBeTypeOf('function')
    a.store.setState({ count: 2 })
    await until(() => b.store.getState().count === 2)
    expect(b.store.getState().add).toBe(5)
  })

  test('may write in a subscriber of what came', async () => {
    const [a, b] = await pair()
    b.store.subscribe(({ count }) => {
      if (b.store.getState().filter !== `seen ${count}`) b.store.setState({ filter: `seen ${count}` })
    })
    a.store.setState({ count: 3 })
    await until(() => a.store.getState().filter === 'seen 3')
    expect(b.store.getState()).toMatchObject({ count: 3, filter: 'seen 3' })
  })

  test('keeps here what JSON can’t hold, says so, and shares the rest', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const [a, b] = await pair()
    a.store.setState({ secret: new Map() as never, count: 1 })
    await until(() => b.store.getState().count === 1)
    expect([a.store.getState().secret, b.store.getState().secret]).toEqual([new Map(), ''])
    a.store.setState({ count: 2 })
    await until(() => b.store.getState().count === 2)
    expect(printed.mock.calls.map(([error]) => String(error))).toEqual(["TypeError: state.secret is a Map, which JSON can't hold: exclude it, or store a plain value instead"])
    a.store.setState({ secret: new Map() as never })
    expect(printed).toHaveBeenCalledTimes(1)
    a.store.setState({ secret: 'text' })
    await until(() => b.store.getState().secret === 'text')
  })

  test('shows what is stored when all tabs were gone', async () => {
    const mesh = createMesh()
    const first = await connected(mesh)
    first.store.getState().add('1', 'One')
    await first.sync.stop()
    expect((await connected(mesh)).store.getState().tasks).toEqual({ 1: { title: 'One' } })
  })
})

describe('with middleware', () => {
  test('immer: drafts are shared, and what came can be drafted', async () => {
    const mesh = createMesh()
    const make = () => createStore<AnyState>()(immer(() => ({ tasks: { 1: { title: 'One' } } })))
    const [one, other] = [make(), make()]
    for (const store of [one, other]) createBroadcastSyncOn(mesh.createIn(mesh.origin.openTab()), store, { channelName: 'app', conflictStrategy: 'merge' }).start()
    one.setState((draft) => void (draft.tasks['1'].title = 'Eins'))
    await until(() => other.getState().tasks['1'].title === 'Eins')
    other.setState((draft) => void (draft.tasks['2'] = { title: 'Two' }))
    other.setState((draft) => void (draft.tasks['2'].done = true))
    await until(() => one.getState().tasks['2']?.done === true)
    one.setState((draft) => void (draft.tasks['2'].title = 'Zwei'))
    await until(() => other.getState().tasks['2'].title === 'Zwei')
    expect(other.getState()).toEqual(one.getState())
  })

  const storage = (text: string, late: boolean): { items: Map<string, string>; make: () => StoreApi<AnyState> } => {
    const items = new Map([['kept', text]])
    const kept = {
      getItem: (key: string) => (late ? new Promise<string | null>((resolve) => setTimeout(() => resolve(items.get(key) ?? null), 20)) : (items.get(key) ?? null)),
      setItem: (key: string, value: string) => void items.set(key, value),
      removeItem: (key: string) => void items.delete(key),
    }
    return { items, make: () => createStore<AnyState>()(subscribeWithSelector(persist<AnyState>(() => ({ count: 0, filter: 'all' }), { name: 'kept', storage: createJSONStorage(() => kept) }))) }
  }

  for (const late of [false, true]) {
    test(`persist: what it has kept is the initial state, and beats nothing that was written${late ? ', though it comes late' : ''}`, async () => {
      const mesh = createMesh()
      const tab = await connected(mesh)
      tab.store.setState({ count: 7 })
      await until(() => tab.sync.getTabId() !== '')
      const { items, make } = storage(JSON.stringify({ state: { count: 1, filter: 'kept' }, version: 0 }), late)
      const store = make()
      createBroadcastSyncOn(mesh.createIn(mesh.origin.openTab()), store, { channelName: 'app' }).start()
      await until(() => store.getState().count === 7)
      expect(store.getState().filter).toBe('kept')
      expect(tab.store.getState()).toMatchObject({ count: 7, filter: 'all' })
      store.setState({ filter: 'mine' })
      await until(() => tab.store.getState().filter === 'mine')
      expect(tab.store.getState().count).toBe(7)
      expect(JSON.parse(items.get('kept')!)).toMatchObject({ state: { count: 7, filter: 'mine' } })
    })
  }

  test('persist: storage that fails keeps nobody waiting for ever', async () => {
    const mesh = createMesh()
    const store = storage('{broken', false).make()
    const tab = await connected(mesh)
    createBroadcastSyncOn(mesh.createIn(mesh.origin.openTab()), store, { channelName: 'app' }).start()
    tab.store.setState({ count: 7 })
    await until(() => store.getState().count === 7)
  })

  test('persist: stopped before it has read, nothing starts', async () => {
    const { make } = storage(JSON.stringify({ state: { count: 1 }, version: 0 }), true)
    const mesh = createMesh()
    const create = vi.fn(mesh.createIn(mesh.origin.openTab()))
    const store = make()
    const sync = createBroadcastSyncOn(create, store, { channelName: 'app' })
    sync.start()
    await sync.stop()
    await until(() => store.getState().count === 1)
    expect([create.mock.calls.length, sync.isActive()]).toEqual([0, false])
  })
})

describe('syncKeys, excludeKeys', () => {
  test('only keys of the one are shared', async () => {
    const [a, b] = await pair({ syncKeys: ['count'] })
    a.store.setState({ filter: 'here', count: 1 })
    await until(() => b.store.getState().count === 1)
    expect([a.store.getState().filter, b.store.getState().filter]).toEqual(['here', 'all'])
  })

  test('none of the other ever leaves', async () => {
    const mesh = createMesh()
    const [a, b] = await pair({ excludeKeys: ['secret'], syncKeys: ['secret', 'count'] }, mesh)
    a.store.setState({ secret: 'hunter2-in-this-tab', count: 1, add: () => 'hunter2-in-this-tab' } as never)
    await until(() => b.store.getState().count === 1)
    a.sync.broadcastState()
    await a.sync.stop()
    expect(b.store.getState().secret).toBe('')
    const everything = [...mesh.origin.sent, ...mesh.origin.stored('app')].map((bytes) => Buffer.from(bytes).toString('latin1')).join() + [...mesh.origin.shelf.values()].join()
    expect(everything).toContain('count')
    expect(everything).not.toContain('hunter2')
  })
})

describe('throttleMs, debounceMs', () => {
  test('100 changes in a row are few frames, and the last is everywhere', async () => {
    for (const pace of [{ throttleMs: 50 }, { debounceMs: 50 }]) {
      const mesh = createMesh()
      const [a, b] = await pair(pace, mesh)
      const before = mesh.origin.sent.length
      for (let i = 1; i <= 100; i++) {
        a.store.setState({ count: i })
        await new Promise((resolve) => setImmediate(resolve))
      }
      await until(() => b.store.getState().count === 100)
      expect(mesh.origin.sent.length - before).toBeLessThan(40)
    }
  })
})

describe('conflictStrategy', () => {
  /** Both write what they were given without having heard of each other, the second later. */
  async function concurrently(config: Partial<BroadcastSyncConfig<App>>, first: Partial<App>, second: Partial<App>): Promise<App> {
    const { mesh, cut } = apart()
    const [a, b] = await pair(config, mesh)
    a.store.setState({ tasks: { 1: { title: 'One' } } })
    await until(() => b.store.getState().tasks['1'] !== undefined)
    cut(true)
    b.tab.shiftClock(1000)
    a.store.setState(first)
    b.store.setState(second)
    await new Promise((resolve) => setImmediate(resolve)) // both are lost
    cut(false)
    for (const { sync } of [a, b]) sync.broadcastState()
    for (const { sync } of [a, b]) sync.requestState()
    const values = ({ store }: Tab): string => JSON.stringify({ ...store.getState(), tasks: Object.entries(store.getState().tasks).sort() })
    await until(() => values(a) === values(b) && a.store.getState().filter === 'end', 'the same in both')
    return a.store.getState()
  }
  const [left, right] = [{ tasks: { 1: { title: 'One', done: true } } }, { tasks: { 1: { title: 'Eins' } }, filter: 'end' }]

  test("'last-write-wins' is the default: the later value of a key, whole", async () => {
    expect((await concurrently({}, left, right)).tasks).toEqual({ 1: { title: 'Eins' } })
    expect((await concurrently({ conflictStrategy: 'last-write-wins' }, left, right)).tasks).toEqual({ 1: { title: 'Eins' } })
  })

  test("'first-write-wins': the earlier", async () => {
    expect((await concurrently({ conflictStrategy: 'first-write-wins' }, left, right)).tasks).toEqual({ 1: { title: 'One', done: true } })
  })

  test("'merge': both, field by field", async () => {
    expect((await concurrently({ conflictStrategy: 'merge' }, left, right)).tasks).toEqual({ 1: { title: 'Eins', done: true } })
  })

  test("'custom': what customResolver makes of both, asked once, its own value first", async () => {
    const resolver = vi.fn((local: unknown, remote: unknown) => (typeof local === 'number' ? Math.max(local, remote as number) : remote))
    const end = await concurrently({ conflictStrategy: 'custom', customResolver: resolver }, { count: 7 }, { count: 5, filter: 'end' })
    await until(() => resolver.mock.calls.length > 0)
    expect(end.count).toBe(7)
    expect(resolver.mock.calls).toEqual([[7, 5]]) // the first tab leads
  })

  test("'custom' that throws: the later, and the error is told", async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const customResolver = (): never => {
      throw new Error('no idea')
    }
    expect((await concurrently({ conflictStrategy: 'custom', customResolver }, { count: 7 }, { count: 5, filter: 'end' })).count).toBe(5)
    await until(() => printed.mock.calls.length > 0)
    expect(printed.mock.calls[0]![0]).toMatchObject({ cause: new Error('no idea') })
  })

  test("'custom' needs a resolver", () => {
    expect(() => createBroadcastSyncOn(() => createMesh().open().store, createApp(), { channelName: 'app', conflictStrategy: 'custom' })).toThrow(TypeError)
  })
})

describe('enableLeaderElection', () => {
  test('one leads; forceLeader makes it another; when it stops, the next does', async () => {
    const [a, b] = await pair()
    await until(() => a.sync.isLeader() !== b.sync.isLeader())
    expect(a.sync.isLeader()).toBe(true)
    await b.sync.forceLeader()
    await until(() => b.sync.isLeader() && !a.sync.isLeader())
    await b.sync.stop()
    await until(() => a.sync.isLeader())
    expect(b.sync.isLeader()).toBe(false)
  })

  test('false: nobody does, as far as is told', async () => {
    const states: SyncState[] = []
    const [a, b] = await pair({ enableLeaderElection: false, leaderHeartbeatMs: 10, onSyncStateChange: (state) => states.push(state) })
    a.store.setState({ count: 1 })
    await until(() => b.store.getState().count === 1)
    expect([a.sync.isLeader(), b.sync.isLeader(), states]).toEqual([false, false, ['connected', 'connected']])
    await expect(a.sync.forceLeader()).rejects.toThrow('enableLeaderElection')
  })
})

describe('debug, onSyncStateChange, onRemoteUpdate, shouldSync', () => {
  test('debug prints frames', async () => {
    const printed = vi.spyOn(console, 'debug').mockImplementation(() => undefined)
    await pair({ debug: true })
    expect(printed.mock.calls.some(([prefix, , kind]) => /^\[tabmesh:.+\]$/.test(prefix as string) && kind === 'frame')).toBe(true)
  })

  test('onSyncStateChange: connected, then leader or follower as it changes, then disconnected', async () => {
    const mesh = createMesh()
    const statesA: SyncState[] = []
    const statesB: SyncState[] = []
    const a = await connected(mesh, { onSyncStateChange: (state) => statesA.push(state) })
    await until(() => a.sync.isLeader())
    const b = await connected(mesh, { onSyncStateChange: (state) => statesB.push(state) })
    await until(() => statesB.length === 2)
    await a.sync.stop()
    await until(() => b.sync.isLeader())
    expect(statesA).toEqual(['connected', 'leader', 'disconnected'])
    expect(statesB).toEqual(['connected', 'follower', 'leader'])
  })

  test('onSyncStateChange: disconnected, when the store ends by itself', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const mesh = createMesh()
    const states: SyncState[] = []
    const tab = await connected(mesh, { onSyncStateChange: (state) => states.push(state) })
    await (await mesh.ready({ name: 'app' })).store.destroy()
    await until(() => states.at(-1) === 'disconnected')
    expect(tab.sync.isActive()).toBe(false)
    tab.store.setState({ count: 1 })
    expect(tab.store.getState().count).toBe(1)
  })

  test('onRemoteUpdate: which keys, and whose', async () => {
    const told: [readonly string[], string | undefined][] = []
    const [a, b] = await pair({ onRemoteUpdate: (keys, source) => told.push([[...keys].sort(), source]) })
    a.store.setState({ count: 1, filter: 'x' })
    await until(() => b.store.getState().count === 1)
    expect(told).toEqual([[['count', 'filter'], a.sync.getTabId()]])
  })

  test('a callback that throws is told, and stops nothing', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const callback = (): never => {
      throw new Error('callback')
    }
    const mesh = createMesh()
    const [a, b] = [open(mesh, { onRemoteUpdate: callback, onSyncStateChange: callback }), open(mesh, { onRemoteUpdate: callback, onSyncStateChange: callback })]
    a.store.setState({ count: 1 })
    await until(() => b.store.getState().count === 1)
    await until(() => printed.mock.calls.length > 0)
    b.store.setState({ count: 2 })
    await until(() => a.store.getState().count === 2)
  })

  test('shouldSync sees the whole states, private keys too; what it keeps goes with the next change of the key', async () => {
    const seen: [App, App][] = []
    const [a, b] = await pair({
      excludeKeys: ['secret'],
      shouldSync: (previous, next) => {
        seen.push([previous, next])
        return next.secret !== 'dragging'
      },
    })
    const before = a.store.getState()
    a.store.setState({ secret: 'dragging', count: 1 })
    expect(seen).toEqual([[before, a.store.getState()]])
    a.store.setState({ count: 2 })
    expect(seen[1]![0]).toBe(seen[0]![1])
    a.store.setState({ secret: '', filter: 'x' })
    await until(() => b.store.getState().filter === 'x')
    expect(b.store.getState().count).toBe(0)
    a.store.setState({ count: 3 })
    await until(() => b.store.getState().count === 3)
  })
})

describe('start, stop, isActive, getTabId, getConnectedTabs, requestState, broadcastState', () => {
  test('start and stop may be called twice; tabs know each other', async () => {
    const [a, b] = await pair()
    a.sync.start()
    await until(() => a.sync.getConnectedTabs().length === 2 && b.sync.getConnectedTabs().length === 2)
    expect(a.sync.getConnectedTabs().map(({ id }) => id)).toEqual([a.sync.getTabId(), b.sync.getTabId()])
    expect(a.sync.isActive()).toBe(true)
    await Promise.all([a.sync.stop(), a.sync.stop()])
    expect([a.sync.isActive(), a.sync.getTabId(), a.sync.getConnectedTabs()]).toEqual([false, '', []])
    await until(() => b.sync.getConnectedTabs().length === 1)
    b.store.setState({ count: 1 })
    a.store.setState({ filter: 'alone' })
    expect([a.store.getState().count, b.store.getState().filter]).toEqual([0, 'all'])
  })

  test('what was changed between stop and start is written, and no more than that', async () => {
    const [a, b] = await pair({ conflictStrategy: 'merge' })
    a.store.setState({ tasks: { 1: { title: 'One' }, 2: { title: 'Two' } }, count: 1 })
    await until(() => b.store.getState().count === 1)
    await a.sync.stop()
    b.store.setState({ tasks: { 1: { title: 'One', done: true }, 2: { title: 'Two' }, 3: { title: 'Three' } }, count: 2 })
    a.store.setState({ tasks: { 1: { title: 'Eins' } } })
    a.sync.start()
    await until(() => a.store.getState().count === 2 && b.store.getState().tasks['2'] === undefined)
    const wanted = { 1: { title: 'Eins', done: true }, 3: { title: 'Three' } }
    await until(() => JSON.stringify(a.store.getState().tasks) === JSON.stringify(wanted))
    expect(b.store.getState().tasks).toEqual(wanted)
  })

  test('requestState brings what was lost; broadcastState sends what was kept, of some keys', async () => {
    const { mesh, cut } = apart()
    const [a, b] = await pair({ shouldSync: () => false }, mesh)
    a.store.setState({ count: 1, filter: 'kept' })
    a.sync.broadcastState(['count'])
    await until(() => b.store.getState().count === 1)
    expect(b.store.getState().filter).toBe('all')
    cut(true)
    a.sync.broadcastState()
    await new Promise((resolve) => setImmediate(resolve))
    cut(false)
    b.sync.requestState()
    await until(() => b.store.getState().filter === 'kept')
  })

  test('two stores of one page share a core; what is stopped hears nothing more', async () => {
    const mesh = createMesh()
    const create = mesh.createIn(mesh.origin.openTab())
    const told: string[] = []
    const [first, second] = ['first', 'second'].map((name) => {
      const store = createApp()
      const sync = createBroadcastSyncOn(create, store, { channelName: 'app', onRemoteUpdate: () => told.push(name), onSyncStateChange: (state) => told.push(`${name} ${state}`) })
      sync.start()
      return { store, sync }
    }) as [Tab, Tab]
    const other = await connected(mesh)
    first.store.setState({ count: 1 })
    expect(second.store.getState().count).toBe(1)
    await until(() => other.store.getState().count === 1 && other.sync.getConnectedTabs().length === 2)
    await first.sync.stop()
    told.length = 0
    other.store.setState({ count: 2 })
    await until(() => second.store.getState().count === 2)
    await other.sync.forceLeader()
    await until(() => told.length > 1)
    expect(first.store.getState().count).toBe(1)
    expect(told).toEqual(['second', 'second follower'])
  })

  test('two stores of one page are equal, though a subscriber of the one writes when it hears', async () => {
    const mesh = createMesh()
    const create = mesh.createIn(mesh.origin.openTab())
    const [first, second] = [createApp(), createApp()].map((store) => {
      createBroadcastSyncOn(create, store, { channelName: 'app' }).start()
      return store
    }) as [StoreApi<App>, StoreApi<App>]
    const other = await connected(mesh)
    first.subscribe(({ count }) => {
      if (first.getState().filter !== `seen ${count}`) first.setState({ filter: `seen ${count}` })
    })
    other.store.setState({ count: 3 })
    await until(() => other.store.getState().filter === 'seen 3')
    expect(second.getState()).toMatchObject({ count: 3, filter: 'seen 3' })
    other.store.setState({ secret: undefined } as never)
    await until(() => !('secret' in second.getState()))
    const third = createApp()
    createBroadcastSyncOn(create, third, { channelName: 'app' }).start()
    expect(third.getState()).toMatchObject({ count: 3, filter: 'seen 3' })
    expect('secret' in third.getState()).toBe(false)
  })

  test('what shouldSync has kept is not taken for shared by stop and start, and what is changed in between is asked of it', async () => {
    const mesh = createMesh()
    const kept = await connected(mesh, { shouldSync: () => false })
    kept.store.setState({ count: 1 })
    await kept.sync.stop()
    kept.sync.start()
    kept.sync.broadcastState()
    const other = await connected(mesh)
    await until(() => other.store.getState().count === 1)

    const asked = await connected(mesh, { shouldSync: (previous, next) => previous.count !== next.count })
    await until(() => asked.store.getState().count === 1)
    await asked.sync.stop()
    asked.store.setState({ count: 4 })
    asked.sync.start()
    await until(() => other.store.getState().count === 4)
  })

  test('a value that JSON can’t hold stops no start, and stays; a member that becomes a function is nobody’s removal', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const mesh = createMesh()
    const store = createApp()
    store.setState({ secret: new Map() as never, filter: 'mine' })
    const a = open(mesh, {}, store)
    const b = await connected(mesh)
    store.setState({ count: 1 })
    await until(() => b.store.getState().count === 1)
    expect(store.getState().secret).toEqual(new Map())
    expect(String(printed.mock.calls[0]![0])).toContain('state.secret is a Map')
    await a.sync.stop()
    a.sync.start()
    expect(store.getState().secret).toEqual(new Map())
    b.store.setState({ filter: 'theirs' })
    await until(() => store.getState().filter === 'theirs')
    store.setState({ filter: (() => 1) as never, count: 2 })
    await until(() => b.store.getState().count === 2)
    expect(b.store.getState().filter).toBe('theirs')
  })

  test('forceLeader of one that is stopped says what to do', async () => {
    const { sync } = open(createMesh())
    await sync.stop()
    await expect(sync.forceLeader()).rejects.toThrow('start()')
  })
})
