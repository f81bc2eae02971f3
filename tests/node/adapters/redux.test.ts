// redux's enhancer `tabmesh`: values of slices, chosen actions, slices that come later, and Redux Toolkit.
import { combineSlices, configureStore, createSlice, type PayloadAction } from '@reduxjs/toolkit'
import { combineReducers, legacy_createStore as createStore, type Reducer, type Store as ReduxStore, type UnknownAction } from 'redux'
import { describe, expect, test, vi } from 'vitest'
import { enhancerOn, remoteType, type EnhancerOptions, type WithTabmesh } from '../../../js-glue/adapters/enhancer.ts'
import { createMesh, until, type AnyState, type Mesh } from '../mesh.ts'

type Tasks = Record<string, { title: string; done: boolean }>

const tasks = (state: Tasks = {}, action: UnknownAction & { id?: string; title?: string }): Tasks => {
  if (action.type === 'add') return { ...state, [action.id!]: { title: action.title!, done: false } }
  if (action.type === 'toggle') return { ...state, [action.id!]: { ...state[action.id!]!, done: !state[action.id!]!.done } }
  return state
}
const count = (state = 0, { type, by = 1 }: UnknownAction & { by?: number }): number => (type === 'count' ? state + by : state)
const draft = (state = '', { type, text }: UnknownAction & { text?: string }): string => (type === 'type' ? text! : state)
const reducer = combineReducers({ tasks, count, draft })
const begins = { tasks: {}, count: 0, draft: '' }

type App = ReduxStore<AnyState> & WithTabmesh

const open = (mesh: Mesh, options: Partial<EnhancerOptions> = {}, root: Reducer<AnyState> = reducer as never): App => {
  const tab = mesh.origin.openTab()
  return createStore(root, enhancerOn(mesh.createIn(tab) as never)({ name: 'app', exclude: ['draft'], ...options }))
}
const ready = async (mesh: Mesh, options: Partial<EnhancerOptions> = {}, root?: Reducer<AnyState>): Promise<App> => {
  const app = open(mesh, options, root)
  await app.tabmesh.ready
  return app
}
const add = (id: string): UnknownAction => ({ type: 'add', id, title: `title ${id}` })

describe('as values', () => {
  test('slices are shared by path, and what is excluded stays', async () => {
    const mesh = createMesh()
    const [a, b] = [await ready(mesh), await ready(mesh)]
    a.dispatch(add('1'))
    b.dispatch(add('2'))
    b.dispatch({ type: 'type', text: 'mine' })
    await until(() => [a, b].every((app) => Object.keys(app.getState().tasks as Tasks).length === 2))
    expect(a.getState()).toEqual({ ...b.getState(), draft: '' })
    expect(b.getState().draft).toBe('mine')
    expect(a.tabmesh.getState()).not.toHaveProperty('draft')
    a.dispatch({ type: 'toggle', id: '2' })
    await until(() => (b.getState().tasks as Tasks)['2']!.done)
  })

  test('only what `include` names is shared', async () => {
    const mesh = createMesh()
    const [a, b] = [await ready(mesh, { include: ['count'], exclude: [] }), await ready(mesh, { include: ['count'], exclude: [] })]
    a.dispatch(add('1'))
    a.dispatch({ type: 'count' })
    await until(() => b.getState().count === 1)
    expect(b.getState().tasks).toEqual({})
  })

  test('writes before it is ready are kept, and the initial state beats nothing that was written', async () => {
    const mesh = createMesh()
    const a = open(mesh)
    a.dispatch({ type: 'count', by: 5 })
    await a.tabmesh.flush()
    const b = await ready(mesh)
    expect(b.getState()).toEqual({ ...begins, count: 5 })
    b.dispatch(add('1'))
    await until(() => '1' in (a.getState().tasks as Tasks)) // all that b had to say
    expect(a.getState().count).toBe(5)
  })

  test('the reducer hears of others by one action, which the state already has; no listener of this tab hears an echo', async () => {
    const mesh = createMesh()
    const heard: UnknownAction[] = []
    const a = await ready(mesh)
    const b = await ready(mesh, {}, ((state: AnyState | undefined, action: UnknownAction) => {
      if (action.type === remoteType) heard.push({ ...action, seen: state!.count })
      return reducer(state, action)
    }))
    const changes = vi.fn()
    a.subscribe(changes)
    a.dispatch({ type: 'count' })
    await until(() => b.getState().count === 1)
    expect(heard).toEqual([{ type: remoteType, payload: { values: { count: 1 }, removed: [] }, seen: 1 }])
    expect(changes).toHaveBeenCalledTimes(1)
  })

  test('a key that is removed is removed everywhere; one that this reducer does not know is not taken from others', async () => {
    const mesh = createMesh()
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined) // combineReducers names the key
    const other = (await mesh.ready({ name: 'app', state: { extra: 1 } })).store
    const open = await ready(mesh, {}, ((state: AnyState = { a: 1, b: 2 }, { type }: UnknownAction) => (type === 'drop' ? { b: state.b as number } : state)))
    const known = await ready(mesh)
    await other.setState({ extra: 2, a: 3 }).shared
    await until(() => open.getState().extra === 2 && open.getState().a === 3)
    open.dispatch({ type: 'drop' })
    await until(() => !('a' in other.getState()))
    await other.setState({ extra: 4 }).shared
    known.dispatch({ type: 'count' })
    await until(() => other.getState().count === 1)
    expect((other.getState()).extra).toBe(4)
    expect(known.getState()).not.toHaveProperty('extra')
    printed.mockRestore()
  })

  test('a slice that is added later does not overwrite what others have of it', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined) // combineReducers names the key
    const mesh = createMesh()
    const first = combineReducers({ count }) as unknown as Reducer<AnyState>
    const [a, b] = [await ready(mesh, { exclude: [] }, first), await ready(mesh, { exclude: [] }, first)]
    a.replaceReducer(combineReducers({ count, tasks }) as never)
    a.dispatch(add('1'))
    await until(() => ((b.tabmesh.getState() as AnyState).tasks as Tasks | undefined)?.['1'] !== undefined)
    b.replaceReducer(combineReducers({ count, tasks }) as never)
    expect(b.getState().tasks).toEqual({ 1: { title: 'title 1', done: false } })
    // Nor what others will have told a moment later.
    const [c, d] = [await ready(mesh, { exclude: [] }, first), await ready(mesh, { exclude: [] }, first)]
    for (const app of [c, d]) app.replaceReducer(combineReducers({ count, tasks, draft }) as never)
    c.dispatch({ type: 'type', text: 'written' })
    d.dispatch({ type: 'count' })
    await until(() => c.getState().count === 1 && d.getState().draft === 'written')
    for (const [from, to] of [[c, d], [d, c]] as const) {
      from.dispatch(add(from.tabmesh.tab.id))
      await until(() => from.tabmesh.tab.id in (to.getState().tasks as Tasks)) // all that it had to say
    }
    expect([c.getState().draft, d.getState().draft]).toEqual(['written', 'written'])
    d.dispatch({ type: 'type', text: '' }) // back to how it begins: a write, too
    await until(() => c.getState().draft === '')
    printed.mockRestore()
  })

  test('a slice that the reducer has no more stays in the other tabs, and is shown again when it is back', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined) // combineReducers names the key
    const mesh = createMesh()
    const [a, b] = [await ready(mesh), await ready(mesh)]
    a.dispatch(add('1'))
    await until(() => '1' in (b.getState().tasks as Tasks))
    a.replaceReducer(combineReducers({ count }) as never)
    a.dispatch({ type: 'count' })
    await until(() => b.getState().count === 1)
    expect(b.getState().tasks).toHaveProperty('1')
    b.dispatch(add('2'))
    await until(() => '2' in ((a.tabmesh.getState() as AnyState).tasks as Tasks))
    a.replaceReducer(reducer as never)
    expect(Object.keys(a.getState().tasks as Tasks)).toEqual(['1', '2'])
    expect(Object.keys(b.getState().tasks as Tasks)).toEqual(['1', '2'])
    printed.mockRestore()
  })

  test('a state that is no object is refused', () => {
    expect(() => open(createMesh(), {}, ((state = 0) => state) as never)).toThrow(TypeError)
  })

  test('a key that JSON can’t hold stays here, and is told', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const mesh = createMesh()
    const [a, b] = [await ready(mesh), await ready(mesh)]
    a.dispatch({ type: 'add', id: '1', title: new Date() })
    a.dispatch({ type: 'count' })
    await until(() => b.getState().count === 1)
    expect(b.getState().tasks).toEqual({})
    expect(String(printed.mock.calls[0]![0])).toContain('is a Date')
    printed.mockRestore()
  })

  test('a reducer that throws at what others have written is told as one error, and the rest goes on', async () => {
    const mesh = createMesh()
    const a = await ready(mesh)
    const b = await ready(mesh, {}, ((state: AnyState | undefined, action: UnknownAction) => {
      if (action.type === remoteType && state!.count === 1) throw new Error('no one')
      return reducer(state, action)
    }))
    const errors: string[] = []
    b.tabmesh.on('error', ({ error }) => errors.push((error.cause as Error | undefined)?.message ?? error.message))
    a.dispatch({ type: 'count' })
    await until(() => errors.length > 0)
    a.dispatch({ type: 'count' })
    await until(() => b.getState().count === 2)
    expect(errors).toEqual(['no one'])
  })
})

describe('chosen actions', () => {
  const actions = ({ type }: UnknownAction): boolean => type === 'count' || type === 'toggle'

  test('run once on what all have: two tabs that count at one instant count twice, 50 times', async () => {
    const mesh = createMesh()
    const [a, b] = [await ready(mesh, { actions }), await ready(mesh, { actions })]
    const shown = [0, 0]
    for (const [i, app] of [a, b].entries()) {
      app.subscribe(() => {
        const now = app.getState().count as number
        expect(now, 'nothing is shown twice, or taken back').toBeGreaterThanOrEqual(shown[i]!)
        expect(now).toBeLessThanOrEqual(100)
        shown[i] = now
      })
    }
    for (let i = 0; i < 50; i++) {
      a.dispatch({ type: 'count' })
      b.dispatch({ type: 'count' })
      expect(a.getState().count).toBeGreaterThan(i) // at once
      if (i % 10 === 9) await new Promise((resolve) => setImmediate(resolve)) // some meet, some do not
    }
    await until(() => [a, b].every((app) => app.getState().count === 100))
    expect((await ready(mesh)).getState().count).toBe(100)
  })

  test('with others in between: nothing of either is lost, and slices of this tab alone stay as they are', async () => {
    const mesh = createMesh()
    const [a, b] = [await ready(mesh, { actions }), await ready(mesh, { actions })]
    a.dispatch(add('1'))
    await until(() => Object.keys(b.getState().tasks as Tasks).length === 1)
    a.dispatch({ type: 'toggle', id: '1' })
    a.dispatch({ type: 'type', text: 'mine' })
    a.dispatch(add('2'))
    b.dispatch(add('3'))
    b.dispatch({ type: 'toggle', id: '1' })
    a.dispatch({ type: 'count' })
    await until(() => a.getState().count === 1 && b.getState().count === 1 && [a, b].every((app) => Object.keys(app.getState().tasks as Tasks).length === 3))
    await Promise.all([a, b].map((app) => app.tabmesh.flush()))
    await until(() => JSON.stringify(a.tabmesh.getState()) === JSON.stringify(b.tabmesh.getState()))
    expect((a.getState().tasks as Tasks)['1']!.done).toBe(false) // twice
    expect(a.getState().draft).toBe('mine')
    expect(a.getState()).toEqual({ ...b.getState(), draft: 'mine' })
  })

  test('are followed by what rests on them, in their order', async () => {
    const mesh = createMesh()
    const added = ({ type }: UnknownAction): boolean => type === 'add'
    const [a, b] = [await ready(mesh, { actions: added }), await ready(mesh, { actions: added })]
    a.dispatch(add('1'))
    a.dispatch({ type: 'toggle', id: '1' }) // throws without the one before
    expect((a.getState().tasks as Tasks)['1']!.done).toBe(true)
    await until(() => (b.getState().tasks as Tasks)['1']?.done === true)
    await a.tabmesh.flush()
    expect((a.getState().tasks as Tasks)['1']!.done).toBe(true)
  })

  test('of a slice that is added later runs once', async () => {
    const mesh = createMesh()
    const a = await ready(mesh, { actions }, combineReducers({ tasks }) as never)
    a.replaceReducer(combineReducers({ tasks, count }) as never)
    a.dispatch({ type: 'count' })
    expect(a.getState().count).toBe(1)
    await until(() => (a.tabmesh.getState() as AnyState).count === 1)
    await a.tabmesh.flush()
    expect([a.getState().count, (a.tabmesh.getState() as AnyState).count]).toEqual([1, 1])
  })

  test('sees what this tab alone had when it was dispatched', async () => {
    const mesh = createMesh()
    const root = ((state: AnyState = { list: [], draft: '' }, { type, text }: UnknownAction) => (type === 'type' ? { ...state, draft: text } : type === 'submit' ? { list: [...(state.list as string[]), state.draft], draft: '' } : state)) as never
    const [a, b] = [await ready(mesh, { actions: ({ type }) => type === 'submit' }, root), await ready(mesh, { actions: ({ type }) => type === 'submit' }, root)]
    a.dispatch({ type: 'type', text: 'hello' })
    a.dispatch({ type: 'submit' })
    expect(a.getState()).toEqual({ list: ['hello'], draft: '' })
    await until(() => (b.getState().list as string[]).length === 1)
    await a.tabmesh.flush()
    expect([a.getState(), b.getState()]).toEqual([{ list: ['hello'], draft: '' }, { list: ['hello'], draft: '' }])
  })

  test('one that throws leaves nothing behind', async () => {
    const mesh = createMesh()
    const [a, b] = [await ready(mesh, { actions }), await ready(mesh, { actions })]
    expect(() => a.dispatch({ type: 'toggle', id: 'none' })).toThrow(TypeError)
    a.dispatch({ type: 'count' })
    await until(() => b.getState().count === 1)
    expect(a.getState()).toEqual({ ...begins, count: 1 })
  })

  test('a reducer that throws once others have written is printed; the effect that was shown is shared as a value', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const mesh = createMesh()
    let breaks = false
    const breaking = ((state: AnyState | undefined, action: UnknownAction) => {
      if (breaks && action.type === 'count') throw new Error('no more')
      return reducer(state, action)
    }) as never
    const [a, b] = [await ready(mesh, { actions }, breaking), await ready(mesh)]
    a.dispatch({ type: 'count' })
    breaks = true
    await until(() => b.getState().count === 1)
    expect(printed.mock.calls.map(([error]) => (error as Error).message)).toEqual(['no more'])
    breaks = false
    a.dispatch({ type: 'count' })
    await until(() => b.getState().count === 2)
    expect(a.getState().count).toBe(2)
    printed.mockRestore()
  })

  test('where there is no database, their effect is shared as values', async () => {
    const mesh = createMesh()
    const [a, b] = [await ready(mesh, { actions, persist: false }), await ready(mesh, { actions, persist: false })]
    a.dispatch({ type: 'count' })
    await until(() => b.getState().count === 1)
    b.dispatch({ type: 'count' })
    await until(() => a.getState().count === 2)
  })
})

test('with Redux Toolkit: slices, thunks, and a slice that is injected', async () => {
  const mesh = createMesh()
  const counter = createSlice({ name: 'counter', initialState: { value: 0 }, reducers: { by: (state, { payload }: PayloadAction<number>) => void (state.value += payload) } })
  const later = createSlice({ name: 'later', initialState: { items: [] as string[] }, reducers: { push: (state, { payload }: PayloadAction<string>) => void state.items.push(payload) } })
  const make = () => {
    const root = combineSlices(counter)
    const store = configureStore({ reducer: root, devTools: false, enhancers: (defaults) => defaults().concat(enhancerOn(mesh.createIn(mesh.origin.openTab()) as never)({ name: 'toolkit', lists: {} })) })
    return { root, store }
  }
  const [a, b] = [make(), make()]
  await Promise.all([a, b].map(({ store }) => store.tabmesh.ready))
  a.store.dispatch((dispatch) => dispatch(counter.actions.by(2)))
  await until(() => b.store.getState().counter.value === 2)
  b.store.dispatch(counter.actions.by(3))
  await until(() => a.store.getState().counter.value === 5)
  for (const { root } of [a, b]) root.inject(later as never)
  a.store.dispatch(later.actions.push('x'))
  await until(() => (b.store.tabmesh.getState() as { later?: { items: string[] } }).later?.items.length === 1)
  b.store.dispatch(counter.actions.by(1))
  await until(() => a.store.getState().counter.value === 6)
  expect((b.store.getState() as unknown as { later: { items: string[] } }).later.items).toEqual(['x'])
})
