import { describe, expect, test, vi } from 'vitest'
import { createMesh, until } from './mesh.ts'

interface Task {
  id: number | string
  title?: string
  done?: boolean
}
const state = { tasks: [{ id: 1, title: 'one' }, { id: 2, title: 'two' }, { id: 3, title: 'three' }] as Task[] }
const options = { state, lists: { tasks: 'id' } }
const ids = (tasks: readonly Task[]): unknown[] => tasks.map(({ id }) => id)

async function two() {
  const mesh = createMesh()
  return { mesh, a: (await mesh.ready(options)).store, b: (await mesh.ready(options)).store }
}
type Two = Awaited<ReturnType<typeof two>>
const tasks = (store: Two['a']): Task[] => store.getState().tasks as Task[]
const same = ({ a, b }: Two, wanted: unknown): Promise<void> =>
  until(() => JSON.stringify(tasks(a)) === JSON.stringify(wanted) && JSON.stringify(tasks(b)) === JSON.stringify(wanted)).catch(() => {
    expect({ a: tasks(a), b: tasks(b) }).toEqual({ a: wanted, b: wanted })
  })

describe('a keyed list', () => {
  test('keeps inserts of both tabs at one spot, and both edits of one item', async () => {
    const mesh = await two()
    const { a, b } = mesh
    a.setState({ tasks: [...tasks(a), { id: 'a' }] })
    b.setState({ tasks: [...tasks(b), { id: 'b' }] })
    a.set(['tasks', 0, 'title'], 'first')
    b.set(['tasks', 0, 'done'], true)
    await until(() => tasks(a).length === 5 && tasks(b).length === 5 && tasks(b)[0]!.title === 'first' && tasks(a)[0]!.done === true)
    expect(tasks(a)).toEqual(tasks(b))
    expect(ids(tasks(a)).slice(0, 3)).toEqual([1, 2, 3])
    expect(new Set(ids(tasks(a)).slice(3))).toEqual(new Set(['a', 'b']))
  })

  test('moves an item and keeps what another tab wrote into it', async () => {
    const mesh = await two()
    const { a, b } = mesh
    const [one, second, three] = tasks(a)
    a.setState({ tasks: [three, one, second] })
    b.set(['tasks', 2, 'done'], true)
    await same(mesh, [{ id: 3, title: 'three', done: true }, one, second])
  })

  test('removes an item that another tab removes or moves at the same instant, once', async () => {
    const mesh = await two()
    const { a, b } = mesh
    const [one, second, three] = tasks(a)
    b.setState({ tasks: [second, three, one] })
    a.setState({ tasks: [second] })
    await until(() => tasks(a).length === tasks(b).length && JSON.stringify(tasks(a)) === JSON.stringify(tasks(b)) && !ids(tasks(a)).includes(3) === !ids(tasks(b)).includes(3))
    a.setState({ tasks: [second] })
    await same(mesh, [second])
    a.remove(['tasks', 0])
    await same(mesh, [])
  })

  test('brings a removed item back whole where a later edit did not know of its removal', async () => {
    const mesh = createMesh()
    const [{ store: a }, { store: b, tab }] = [await mesh.ready(options), await mesh.ready(options)]
    const [one, second, three] = tasks(a)
    tab.shiftClock(5)
    a.remove(['tasks', 1])
    b.set(['tasks', 1, 'done'], true)
    await same({ mesh, a, b }, [one, { ...second, done: true }, three])
  })

  test('does not bring the fields of a removed item back with a new one of its id', async () => {
    const mesh = await two()
    const { a } = mesh
    const [one, , three] = tasks(a)
    a.setState({ tasks: [one, three] })
    await same(mesh, [one, three])
    a.setState({ tasks: [one, { id: 2, done: true }, three] })
    await same(mesh, [one, { id: 2, done: true }, three])
  })

  test('is kept over a reload, in its order', async () => {
    const { mesh, a } = await two()
    const [one, second, three] = tasks(a)
    a.setState({ tasks: [three, { id: 'new' }, one, second] })
    await a.flush()
    const c = await mesh.ready(options)
    expect(ids(tasks(c.store))).toEqual([3, 'new', 1, 2])
  })

  test('keeps the identity of items that did not change, wherever they stand', async () => {
    const mesh = await two()
    const { a, b } = mesh
    const [one, second, three] = tasks(b)
    a.setState({ tasks: [{ id: 3, title: 'three' }, { id: 1, title: 'uno' }, { id: 2, title: 'two' }] })
    await same(mesh, [three, { id: 1, title: 'uno' }, second])
    expect(tasks(b)[0]).toBe(three)
    expect(tasks(b)[2]).toBe(second)
    expect(tasks(b)[1]).not.toBe(one)
    const before = b.getState()
    b.setState({ tasks: tasks(b).map((task) => ({ ...task })) })
    expect(b.getState()).toBe(before)
  })

  test('sends only the field that changed', async () => {
    const frames: number[] = []
    const mesh = createMesh()
    const a = await mesh.ready({ lists: { tasks: 'id' }, debug(event) {
        if (event.type === 'frame' && event.direction === 'out' && event.kind === 'ops') frames.push(event.bytes)
      },
    })
    const b = await mesh.ready({ lists: { tasks: 'id' } })
    a.store.setState({ tasks: Array.from({ length: 2000 }, (_, id) => ({ id, title: `Item number ${id}, with a long text`, done: false })) })
    await until(() => tasks(b.store)?.length === 2000)
    frames.length = 0
    a.store.set(['tasks', 1000, 'done'], true)
    await until(() => tasks(b.store)[1000]!.done === true)
    a.store.setState({ tasks: tasks(a.store).map((task) => (task.id === 7 ? { ...task, done: true } : task)) })
    await until(() => tasks(b.store)[7]!.done === true)
    expect(Math.max(...frames)).toBeLessThanOrEqual(100)
  })

  test('may become something else, and a list again', async () => {
    const mesh = await two()
    const { a } = mesh
    a.setState({ tasks: null as never })
    await same(mesh, null)
    a.setState({ tasks: [{ id: 9 }] })
    await same(mesh, [{ id: 9 }])
  })

  test('refuses items without an id, or with the id of another, and says where', async () => {
    const { store } = await createMesh().ready(options)
    expect(() => store.setState({ tasks: [{ id: 1 }, {}] })).toThrow(/state\.tasks\[1\] has no id/)
    expect(() => store.setState({ tasks: [{ id: 1 }, { id: 1 }] })).toThrow(/state\.tasks\[1\] has the id of another item, 1/)
    expect(() => store.setState({ tasks: ['x'] })).toThrow(TypeError)
    expect(() => store.set(['tasks', 0, 'id'], 5)).toThrow(/names the item/)
    expect(() => createMesh().open({ state, lists: { tasks: 5 as never } })).toThrow(/lists\.tasks/)
    expect(() => createMesh().open({ state, lists: { tasks: 'id' }, conflicts: { tasks: 'prompt' } })).toThrow(/lists and in conflicts/)
    expect(store.getState()).toEqual(state)
  })

  test('tells a selector of one item only what concerns it', async () => {
    const { a, b } = await two()
    const listener = vi.fn()
    b.subscribe((now) => (now.tasks as Task[])[0], listener)
    a.set(['tasks', 2, 'done'], true)
    await until(() => tasks(b)[2]!.done === true)
    expect(listener).not.toHaveBeenCalled()
  })
})
