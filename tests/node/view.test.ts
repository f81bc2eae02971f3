// Time travel: another state is shown in one tab, and nothing of it is written.
import { describe, expect, test, vi } from 'vitest'
import { connectDevTools } from '../../js-glue/inspector/devtools.ts'
import { createMesh, until, type AnyState } from './mesh.ts'
import type { Store } from '../../js-glue/index.ts'

const options = { state: { n: 0, list: [] as unknown[], own: 'mine' }, exclude: ['own'], lists: { list: 'id' } }

async function pair(more: object = {}): Promise<{ a: Store<AnyState>; b: Store<AnyState> }> {
  const mesh = createMesh()
  const [a, b] = [(await mesh.ready({ ...options, ...more })).store, (await mesh.ready({ ...options, ...more })).store]
  a.setState({ n: 1, list: [{ id: 'x', done: false }] })
  await until(() => b.getState().n === 1)
  a.setState({ n: 2, own: 'changed' })
  await until(() => b.getState().n === 2)
  return { a, b }
}

describe('view', () => {
  test('shows another state here, leaves excluded keys, and ends', async () => {
    const { a, b } = await pair()
    const present = a.getState()
    const told: unknown[] = []
    a.subscribe((state) => told.push(state.n))
    a.inspect().view({ n: 1, list: [], own: 'of then' })
    expect(a.getState()).toEqual({ n: 1, list: [], own: 'changed' })
    await a.flush()
    a.inspect().view({ n: 0, list: [] })
    a.inspect().view()
    expect(a.getState()).toEqual(present)
    expect(told).toEqual([1, 0, 2])
    b.increment(['n'])
    await until(() => a.getState().n === 3)
    expect(b.getState()).toEqual({ n: 3, list: [{ id: 'x', done: false }], own: 'mine' })
    expect(a.exportState()).toEqual({ n: 3, list: [{ id: 'x', done: false }] })
  })

  test('a change from elsewhere ends it', async () => {
    const { a, b } = await pair()
    a.inspect().view({ n: 0, list: [] })
    b.setState({ list: [{ id: 'x', done: true }] })
    await until(() => a.getState().n === 2)
    expect(a.getState()).toEqual({ n: 2, list: [{ id: 'x', done: true }], own: 'changed' })
    expect(a.history.undo()).toBe(true) // nobody has written over it
    expect(a.getState().n).toBe(1)
  })

  test('a write of this tab ends it: that alone is written', async () => {
    const { a, b } = await pair()
    a.inspect().view({ n: 0, list: [] })
    a.set(['more', 'deep'], 1)
    a.increment(['n'], 5)
    await until(() => b.getState().n === 7)
    expect(b.getState()).toEqual({ n: 7, list: [{ id: 'x', done: false }], more: { deep: 1 }, own: 'mine' })
    expect(a.getState()).toEqual({ ...b.getState(), own: 'changed' })
  })

  test('a write of an excluded key does not make the view the truth', async () => {
    const { a, b } = await pair()
    a.inspect().view({ n: 0, list: [] })
    a.setState({ own: 'again' })
    b.increment(['n'])
    await until(() => a.getState().n === 3)
    expect(a.getState()).toEqual({ n: 3, list: [{ id: 'x', done: false }], own: 'again' })
  })

  test('what is asked for meanwhile is what is so: transactions, exports, undo', async () => {
    const { a, b } = await pair()
    a.inspect().view({ n: 0, list: [] })
    expect(a.exportState()).toMatchObject({ n: 2 })
    const outcome = await a.transaction((state) => ({ n: (state.n as number) + 10 }))
    expect(outcome.state.n).toBe(12)
    await until(() => b.getState().n === 12)
    a.setState({ n: 13 })
    a.inspect().view({ n: 0, list: [] })
    expect(a.history.undo()).toBe(true)
    expect(a.getState().n).toBe(12)
    await until(() => b.getState().n === 12)
  })

  test('what shouldSync has kept here, and what waits for a transaction, stays what it is', async () => {
    const { a, b } = await pair({ shouldSync: (_: unknown, next: { n: number }) => next.n !== 7 })
    a.setState({ n: 7 }) // kept here
    a.inspect().view({ n: 0, list: [] })
    a.inspect().view()
    expect(a.getState().n).toBe(7)
    a.inspect().view({ n: 0, list: [] })
    a.broadcastState()
    await until(() => b.getState().n === 7)
    expect(b.getState().list).toHaveLength(1)
    // A write that waits for a transaction's end.
    const done = a.transaction(({ list }) => {
      queueMicrotask(() => {
        a.setState({ n: 50 })
        a.inspect().view({ n: -1, list: [] })
      })
      return { list: [...(list as object[]), { id: 'y', done: false }] }
    })
    expect((await done).status).toBe('committed')
    await until(() => b.getState().n === 50)
    await a.flush()
    expect([a.getState().n, b.getState().n, (b.getState().list as object[]).length]).toEqual([50, 50, 2])
  })

  test('writes go by what is so: functions, undo, compareAndSet, replacing', async () => {
    const { a, b } = await pair()
    a.inspect().view({ n: 0, list: [] })
    a.setState((state) => ({ n: (state.n as number) + 1 }))
    expect(a.getState().n).toBe(3)
    a.inspect().view({ n: 0 })
    a.setState({ list: [...(a.getInitialState().list as object[]), { id: 'z' }] })
    a.history.undo()
    expect(a.getState()).toEqual({ n: 3, list: [{ id: 'x', done: false }], own: 'changed' })
    a.inspect().view({ n: 0, list: [] })
    expect((await a.compareAndSet(a.version, { n: 1 })).status).toBe('conflict')
    expect(a.getState().n).toBe(0)
    // Nothing new: but who writes sees what is so.
    for (const write of [() => a.setState({ n: 3 }), () => a.set(['n'], 3), () => a.increment(['n'], 0)]) {
      a.inspect().view({ n: 0, list: [] })
      const parts: unknown[] = []
      const undo = a.subscribe((state) => state.n, (part, previous) => parts.push([part, previous]))
      write()
      undo()
      expect([a.getState().n, parts]).toEqual([3, [[3, 0]]])
    }
    a.inspect().view({ n: 0, extra: 1 })
    a.setState({ n: 4 }, true)
    expect(a.exportState()).toEqual({ n: 4 })
    await until(() => b.getState().n === 4)
  })

  test('a listener that shows the past again and again changes nothing but what it sees', async () => {
    const { a, b } = await pair()
    a.subscribe((state) => {
      if (state.n !== -1) a.inspect().view({ n: -1, list: [] })
    })
    for (const n of [5, 6]) {
      b.setState({ n })
      await until(() => a.exportState().n === n)
      expect(a.getState().n).toBe(-1)
    }
    a.setState({ list: [] })
    await until(() => (b.getState().list as object[]).length === 0)
    await a.flush()
    expect([a.exportState().n, b.getState().n]).toEqual([6, 6])
  })

  test('refuses what JSON cannot hold, and shows what it showed', async () => {
    const { a } = await pair()
    const before = a.version
    expect(() => a.inspect().view({ n: NaN })).toThrow(TypeError)
    expect([a.version, a.getState().n]).toEqual([before, 2])
  })

  test('of a store that is closed nothing changes', async () => {
    const { a } = await pair()
    a.inspect().view({ n: 0, list: [] })
    await a.close()
    expect(a.getState().n).toBe(2)
    a.inspect().view({ n: 1 })
    expect(a.getState().n).toBe(2)
  })
})

describe('Redux DevTools', () => {
  type Message = Record<string, unknown>
  function fakeExtension(): { sent: unknown[]; say: (message: Message) => void; gone: () => boolean } {
    const sent: unknown[] = []
    let listener: ((message: Message) => void) | undefined
    vi.stubGlobal('__REDUX_DEVTOOLS_EXTENSION__', {
      connect: () => ({
        init: (state: unknown) => sent.push(['init', state]),
        send: (action: unknown, state: AnyState) => sent.push([action, state.n]),
        subscribe(given: typeof listener) {
          listener = given
          return () => (listener = undefined)
        },
      }),
    })
    return { sent, say: (message) => listener?.(message), gone: () => listener === undefined }
  }
  const jump = (state: object): Message => ({ type: 'DISPATCH', payload: { type: 'JUMP_TO_STATE' }, state: JSON.stringify(state) })

  test('are told what this tab and others change, and show the past without writing it', async () => {
    const { a, b } = await pair()
    const { sent, say, gone } = fakeExtension()
    const undo = connectDevTools(a, { name: 'app' })
    await until(() => sent.length === 1)
    expect(sent).toEqual([['init', { n: 2, list: [{ id: 'x', done: false }] }]]) // `own` is not shared
    a.setState({ own: 'not told' })
    a.setState({ n: 3 })
    await until(() => b.getState().n === 3)
    b.setState({ n: 4 })
    await until(() => sent.length === 3)
    expect(sent.slice(1)).toEqual([[{ type: 'set', keys: ['n'] }, 3], [{ type: 'remote', keys: ['n'], from: b.tab.id }, 4]])
    say(jump({ n: 1, list: [] }))
    expect(a.getState().n).toBe(1)
    await a.flush()
    expect(b.getState().n).toBe(4)
    say({ type: 'DISPATCH', payload: { type: 'IMPORT_STATE', nextLiftedState: { computedStates: [{ state: { n: 8 } }, { state: { n: 9 } }] } } })
    expect(a.getState().n).toBe(9)
    b.set(['list', 0, 'done'], true)
    await until(() => sent.length === 4)
    expect(sent[3]).toEqual([{ type: 'remote', keys: ['list'], from: b.tab.id }, 4])
    say(jump({ n: 2 }))
    say({ type: 'DISPATCH', payload: { type: 'COMMIT' } })
    expect(sent[4]).toEqual(['init', a.exportState()])
    expect(a.getState().n).toBe(4)
    say({ type: 'DISPATCH', payload: { type: 'JUMP_TO_STATE' }, state: '{' })
    say(jump({ n: 1, list: [] }))
    a.setState({ list: [] })
    say(jump({ n: 1, list: [] }))
    undo()
    expect(a.getState().n).toBe(4)
    expect(gone()).toBe(true)
    a.setState({ n: 5 })
    await until(() => b.getState().n === 5)
    expect(sent.length).toBe(5)
    vi.unstubAllGlobals()
  })

  test('are not missed', async () => {
    const { a } = await pair()
    expect(() => connectDevTools(a)()).not.toThrow()
  })
})
