import { describe, expect, test, vi } from 'vitest'
import type { Conflict, StoreOptions } from '../../js-glue/index.ts'
import { createMesh, until, type AnyState } from './mesh.ts'

async function tabs(count: number, options: Partial<StoreOptions<AnyState>>) {
  const mesh = createMesh()
  const stores = []
  for (let i = 0; i < count; i++) stores.push((await mesh.ready(options)).store)
  return { mesh, stores }
}
const all = (stores: readonly { getState(): AnyState }[], key: string, value: unknown): Promise<void> => until(() => stores.every((store) => JSON.stringify(store.getState()[key]) === JSON.stringify(value)), `${key} = ${JSON.stringify(value)}`)

describe('first-write-wins', () => {
  test('keeps the earlier of two, until a tab that has seen it writes', async () => {
    const mesh = createMesh()
    const options = { state: { seat: null }, conflicts: { seat: 'first-write-wins' } } as const
    const [{ store: a }, { store: b, tab }] = [await mesh.ready(options), await mesh.ready(options)]
    tab.shiftClock(5)
    a.setState({ seat: 'a' })
    b.setState({ seat: 'b' })
    await all([a, b], 'seat', 'a')
    b.setState({ seat: 'a and later' })
    await all([a, b], 'seat', 'a and later')
    b.remove(['seat'])
    await until(() => !('seat' in a.getState()))
  })
})

describe('prompt', () => {
  const options = { state: { title: 'draft' }, conflicts: { title: 'prompt' } } as const

  async function conflict() {
    const { mesh, stores } = await tabs(2, options)
    const [a, b] = stores as [(typeof stores)[0], (typeof stores)[0]]
    a.setState({ title: 'from a' })
    b.setState({ title: 'from b' })
    await until(() => stores.every((store) => store.conflicts.list().length === 1), 'the conflict in both tabs')
    return { mesh, a, b, stores }
  }

  test('shows the later write, and both wait in every tab, with base, writers and times', async () => {
    const { a, b } = await conflict()
    const [entry] = a.conflicts.list()
    expect(b.conflicts.list()).toEqual([entry])
    expect(entry!.path).toEqual(['title'])
    expect(entry!.base).toBe('draft')
    expect(entry!.values.map(({ value }) => value).sort()).toEqual(['from a', 'from b'])
    expect(new Set(entry!.values.map(({ tab }) => tab))).toEqual(new Set([a.tab.id, b.tab.id]))
    for (const { time } of entry!.values) expect(Math.abs(time - Date.now())).toBeLessThan(60_000)
    expect(a.getState().title).toBe(entry!.values[1]!.value)
    expect(b.getState().title).toBe(entry!.values[1]!.value)
  })

  test.each([
    ['local', 'from a'],
    ['remote', 'from b'],
    [{ value: 'both' }, 'both'],
  ] as const)('is resolved for all tabs by %j', async (choice, wanted) => {
    const { a, stores } = await conflict()
    a.conflicts.resolve(a.conflicts.list()[0]!.id, choice)
    await all(stores, 'title', wanted)
    await until(() => stores.every((store) => store.conflicts.list().length === 0))
  })

  test('survives reloads of all tabs until someone has chosen', async () => {
    const { mesh, a, b } = await conflict()
    const before = a.conflicts.list()
    await Promise.all([a.flush(), b.flush()])
    await Promise.all([a.close(), b.close()])
    const c = (await mesh.ready(options)).store
    expect(c.conflicts.list()).toEqual(before)
    c.conflicts.clear()
    expect(c.conflicts.list()).toEqual([])
    expect(c.getState().title).toBe(before[0]!.values[1]!.value)
    await c.flush()
    const d = (await mesh.ready(options)).store
    expect(d.conflicts.list()).toEqual([])
  })

  test('tells subscribers, and refuses an id that is none', async () => {
    const { stores } = await tabs(2, options)
    const [a, b] = stores as [(typeof stores)[0], (typeof stores)[0]]
    const seen = vi.fn<(conflicts: readonly Conflict[]) => void>()
    const undo = a.conflicts.subscribe(seen)
    a.setState({ title: '1' })
    b.setState({ title: '2' })
    await until(() => seen.mock.calls.length === 1)
    expect(seen.mock.calls[0]![0]).toEqual(a.conflicts.list())
    b.setState({ title: 'chosen' })
    await until(() => seen.mock.calls.length === 2)
    expect(seen.mock.calls[1]![0]).toEqual([])
    undo()
    expect(() => a.conflicts.resolve('nothing', 'local')).toThrow(expect.objectContaining({ code: 'unknown-conflict' }) as Error)
  })

  test('is no conflict when both wrote the same', async () => {
    const { stores } = await tabs(2, options)
    stores.forEach((store) => store.setState({ title: 'same' }))
    await until(() => stores.every((store) => store.stats().framesIn > 3))
    await all(stores, 'title', 'same')
    expect(stores[0]!.conflicts.list()).toEqual([])
  })

  test('shows at most sixteen values of more writers', async () => {
    const { stores } = await tabs(20, options)
    stores.forEach((store, i) => store.setState({ title: i }))
    await until(() => stores.every((store) => store.conflicts.list()[0]?.values.length === 16) && new Set(stores.map((store) => store.conflicts.list()[0]!.id)).size === 1, 'sixteen values in twenty tabs')
    stores[3]!.conflicts.resolve(stores[3]!.conflicts.list()[0]!.id, { value: 'one' })
    await all(stores, 'title', 'one')
  })
})

describe('a resolver', () => {
  test('is called once, in the leader, with all values, and its result is everybody\'s', async () => {
    const calls: unknown[] = []
    const options: Partial<StoreOptions<AnyState>> = {
      state: { tags: ['base'] },
      conflicts: {
        tags: {
          resolve(values, context) {
            calls.push([values, context])
            return [...new Set((values as string[][]).flat())].sort()
          },
        },
      },
    }
    const { stores } = await tabs(3, options)
    stores[1]!.setState({ tags: ['base', 'x'] })
    stores[2]!.setState({ tags: ['base', 'y'] })
    await all(stores, 'tags', ['base', 'x', 'y'])
    expect(calls).toHaveLength(1)
    expect(calls[0]).toEqual([expect.any(Array), expect.objectContaining({ key: 'tags', base: ['base'] })])
    expect(stores.every((store) => store.conflicts.list().length === 0)).toBe(true)
  })

  test('that throws falls back to the later write, with an error event', async () => {
    const { stores } = await tabs(2, {
      state: { n: 0 },
      conflicts: {
        n: {
          resolve() {
            throw new Error('no idea')
          },
        },
      },
    })
    const errors: Error[] = []
    stores.forEach((store) => store.on('error', ({ error }) => errors.push(error)))
    stores[0]!.setState({ n: 1 })
    stores[1]!.setState({ n: 2 })
    await until(() => errors.length > 0 && stores[0]!.getState().n === stores[1]!.getState().n)
    expect(errors).toEqual([expect.objectContaining({ code: 'resolver-failed', cause: expect.objectContaining({ message: 'no idea' }) as Error })])
  })

  test('may answer later', async () => {
    const { stores } = await tabs(2, { state: { n: 0 }, conflicts: { n: { resolve: (values) => Promise.resolve((values as number[]).reduce((a, b) => a + b)) } } })
    stores[0]!.setState({ n: 10 })
    stores[1]!.setState({ n: 20 })
    await all(stores, 'n', 30)
  })

  test('of all keys serves each of them', async () => {
    const { stores } = await tabs(2, { state: { a: 0, b: 0 }, conflicts: { resolve: (values, { key }) => `${key}: ${values.length}` } })
    stores.forEach((store, i) => store.setState({ a: i + 1, b: i + 1 }))
    await all(stores, 'a', 'a: 2')
    await all(stores, 'b', 'b: 2')
  })
})

describe('two versions of an app that merge a key otherwise', () => {
  test.each([
    ['merge', 'prompt'],
    ['last-write-wins', 'merge'],
    ['first-write-wins', 'last-write-wins'],
  ] as const)('%s and %s end equal, and say so', async (one, other) => {
    const mesh = createMesh()
    const a = (await mesh.ready({ state: { k: { x: 0 } }, conflicts: { k: one } })).store
    const b = (await mesh.ready({ state: { k: { x: 0 } }, conflicts: { k: other } })).store
    const errors: string[] = []
    for (const store of [a, b]) store.on('error', ({ error }) => errors.push((error as { code?: string }).code!))
    for (let i = 1; i <= 5; i++) {
      a.setState({ k: { x: i, [`a${i}`]: true } })
      b.setState({ k: { x: -i, [`b${i}`]: true } })
      await until(() => JSON.stringify(a.getState()) === JSON.stringify(b.getState()), `round ${i}: ${JSON.stringify(a.getState())} and ${JSON.stringify(b.getState())}`)
    }
    expect(errors).toContain('strategy-mismatch')
  })
})
