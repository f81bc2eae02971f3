// Versions of an app's schema: migrated once, and never written into by one another.
import { expect, test } from 'vitest'
import type { Migration } from '../../js-glue/index.ts'
import { createMesh, until } from './mesh.ts'

/** Version 2 has tasks with an owner; version 3 counts them. */
const steps = (runs: number[] = []): Migration[] => [
  {
    version: 3,
    up: (state: { tasks: object }) => (runs.push(3), { ...state, count: Object.keys(state.tasks).length }),
    down: ({ count: _, ...state }: { count: number }) => state,
  },
  {
    version: 2,
    up: ({ todos }: { todos: Record<string, string> }) => (runs.push(2), { tasks: Object.fromEntries(Object.entries(todos).map(([id, text]) => [id, { text, owner: 'nobody' }])) }),
    down: ({ tasks }: { tasks: Record<string, { text: string }> }) => ({ todos: Object.fromEntries(Object.entries(tasks).map(([id, { text }]) => [id, text])) }),
  },
]
const wanted = { tasks: { a: { text: 'one', owner: 'nobody' }, b: { text: 'two', owner: 'nobody' } }, count: 2 }

async function withOldData(mesh = createMesh(), options = {}): Promise<ReturnType<typeof createMesh>> {
  const { store } = await mesh.ready({ state: { todos: {} }, ...options })
  await store.setState({ todos: { a: 'one', b: 'two' } }).durable
  await store.close()
  return mesh
}

test('older data is migrated step by step, once, and what is older is kept', async () => {
  const mesh = await withOldData()
  const before = mesh.origin.stored('test')
  const runs: number[] = []
  for (let i = 0; i < 2; i++) {
    const { store } = await mesh.ready({ version: 3, migrations: steps(runs), state: { tasks: {}, count: 0 } })
    expect(store.getState()).toEqual(wanted)
    await store.close()
  }
  expect(runs).toEqual([2, 3])
  expect(mesh.origin.stored('test')).toEqual(before)
})

test('of tabs that come at one instant, one migrates', async () => {
  const mesh = await withOldData()
  const runs: number[] = []
  const tabs = await Promise.all(Array.from({ length: 5 }, () => mesh.ready({ version: 3, migrations: steps(runs), state: { tasks: {} } })))
  for (const { store } of tabs) expect(store.getState()).toEqual(wanted)
  expect(runs).toEqual([2, 3])
})

test('without locks it counts once all the same', async () => {
  const mesh = await withOldData(createMesh({ locks: false }))
  const tabs = await Promise.all(Array.from({ length: 5 }, () => mesh.ready({ version: 3, migrations: steps(), state: { tasks: {} } })))
  for (const { store } of tabs) expect(store.getState()).toEqual(wanted)
  expect(mesh.origin.stored('test@3')).toHaveLength(1)
})

test('the newest older version is the one that is migrated; lists and counters come along', async () => {
  const mesh = createMesh()
  const one = await mesh.ready({ state: { todos: {} } })
  await one.store.setState({ todos: { a: 'old' } }).durable
  await one.store.close()
  const two = await mesh.ready({ version: 2, lists: { items: 'id' }, state: { items: [], n: 0 }, migrations: steps() })
  two.store.increment(['n'], 3)
  await two.store.setState({ items: [{ id: 'x', t: 1 }, { id: 'y', t: 2 }] }).durable
  await two.store.close()
  const seen: unknown[] = []
  const { store } = await mesh.ready({ version: 3, lists: { items: 'id' }, state: { items: [] }, migrations: [{ version: 3, up: (state: object) => (seen.push(structuredClone(state)), { ...state, up: true }) }] })
  expect(seen).toEqual([{ tasks: { a: { text: 'old', owner: 'nobody' } }, items: [{ id: 'x', t: 1 }, { id: 'y', t: 2 }], n: 3 }])
  expect(store.getState()).toEqual({ ...(seen[0] as object), up: true })
})

test('the data of an era that has ended is migrated whole', async () => {
  const mesh = createMesh()
  const { store: old } = await mesh.ready({ state: { todos: { first: 'of the initial state' } } })
  const keys = Array.from({ length: 400 }, (_, i) => `t${i}`)
  for (const text of ['written', undefined]) {
    old.setState({ todos: Object.fromEntries(keys.map((key) => [key, text])) })
    await old.flush()
  }
  await until(() => old.stats().era === 1, 'a new era')
  await old.set(['todos', 'last'], 'of the next era').durable
  await old.close()
  const { store } = await mesh.ready({ version: 3, migrations: steps(), state: { tasks: {} } })
  expect(store.getState()).toEqual({ tasks: { last: { text: 'of the next era', owner: 'nobody' } }, count: 1 })
})

test('an older version without data is passed over', async () => {
  const mesh = await withOldData()
  mesh.origin.stored('test@2') // it has a database, for its own migration never came to an end
  const { store } = await mesh.ready({ version: 3, migrations: steps(), state: { tasks: {} } })
  expect(store.getState()).toEqual(wanted)
})

test('older data that comes later is left to its own version', async () => {
  const mesh = createMesh()
  const { store, tab } = await mesh.ready({ version: 2, migrations: steps(), state: { tasks: {} } })
  const old = await mesh.ready({ state: { todos: {} }, readOnlyWhenOutdated: false })
  await old.store.setState({ todos: { a: 'one' } }).durable
  tab.suspend()
  tab.resume()
  await until(() => store.tabs.length === 1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(store.getState()).toEqual({ tasks: {} })
})

test('a step that throws changes nothing, stops nobody, and is tried again; writes meanwhile are kept', async () => {
  const mesh = await withOldData()
  const old = await mesh.ready({ state: { todos: {} } })
  let fails = true
  const errors: Error[] = []
  const migrations: Migration[] = [{ version: 2, up: (state: object) => { if (fails) throw new Error('not yet'); return { ...state, migrated: true } } }] // prettier-ignore
  const { store } = mesh.open({ version: 2, migrations, state: {} })
  store.on('error', ({ error }) => errors.push(error))
  await store.ready
  expect(errors.map((error) => (error as { code?: string }).code)).toEqual(['migration-failed'])
  expect(errors[0]!.message).toContain('version 2 failed: not yet')
  store.setState({ early: 1 })
  expect(store.status.pendingDurable).toBe(1)
  await old.store.setState({ more: 1 }).durable
  fails = false
  await store.flush()
  expect(store.getState()).toEqual({ todos: { a: 'one', b: 'two' }, more: 1, migrated: true, early: 1 })
})

test('what is no object is refused as a step that throws', async () => {
  const mesh = await withOldData()
  const codes: unknown[] = []
  const { store } = mesh.open({ version: 2, migrations: [{ version: 2, up: () => [] }], state: {} })
  store.on('error', ({ error }) => codes.push((error as { code?: string }).code))
  await store.ready
  expect(codes).toEqual(['migration-failed'])
})

test('a tab of an older version stores what it has, is told, and writes and leads no more', async () => {
  const mesh = createMesh()
  const old = await mesh.ready({ state: { todos: {} } })
  const peer = await mesh.ready({ state: { todos: {} } })
  await until(() => old.store.leader.isLeader || peer.store.leader.isLeader)
  const told: number[] = []
  const led: boolean[] = []
  old.store.on('upgrade-required', ({ version }) => told.push(version))
  old.store.leader.run(({ signal }) => {
    led.push(true)
    signal.addEventListener('abort', () => led.push(false))
  })
  let busy = 3 // so often it cannot be stored
  mesh.origin.faults.abort = (label) => (label === old.store.tab.label && busy-- > 0 ? new DOMException('busy', 'AbortError') : undefined)
  const written = old.store.setState({ todos: { a: 'one', b: 'two' } })
  const { store } = await mesh.ready({ version: 3, migrations: steps(), state: { tasks: {} } })
  expect(store.getState()).toEqual(wanted)
  expect(busy).toBeLessThan(0)
  await written.durable
  await until(() => peer.store.status.readOnly && old.store.status.readOnly)
  expect(told).toEqual([3])
  expect(old.store.status.leadership).not.toBe('leader')
  expect(peer.store.status.leadership).not.toBe('leader')
  expect(led.at(-1) ?? false).toBe(false)
  const refusal = expect.objectContaining({ code: 'upgrade-required' }) as unknown
  for (const write of [() => old.store.setState({ x: 1 }), () => old.store.set(['x'], 1), () => old.store.increment(['n']), () => old.store.remove(['todos'])]) {
    expect(write).toThrow(refusal)
  }
  await expect(old.store.transaction(() => ({ x: 1 }))).rejects.toEqual(refusal)
  await expect(old.store.leader.force()).rejects.toMatchObject({ code: 'unsupported' })
  expect(old.store.getState()).toEqual({ todos: { a: 'one', b: 'two' } })
  await store.setState({ count: 9 }).durable
  const another = await mesh.ready({ version: 3, state: {} })
  await another.store.flush()
  expect(told).toEqual([3])
  expect(peer.store.getState()).toEqual({ todos: { a: 'one', b: 'two' } })
})

test('a tab of an older version that comes later is told by the storage, and by the tabs where there is none', async () => {
  for (const persist of [true, false]) {
    const mesh = createMesh()
    const newer = await mesh.ready({ version: 2, state: { n: 0 }, persist })
    const told: number[] = []
    newer.store.setState({ n: 1 })
    if (persist) {
      await newer.store.flush()
      await newer.store.close()
    }
    const old = mesh.open({ state: { n: 0 }, persist })
    old.store.on('upgrade-required', ({ version }) => told.push(version))
    await old.store.ready
    await until(() => old.store.status.readOnly)
    expect(told).toEqual([2])
    expect(old.store.getState()).toEqual({ n: 0 })
  }
})

test('it may go on writing, into its own data', async () => {
  const mesh = createMesh()
  const old = await mesh.ready({ state: { n: 0 }, readOnlyWhenOutdated: false })
  const told: number[] = []
  old.store.on('upgrade-required', ({ version }) => told.push(version))
  const newer = await mesh.ready({ version: 2, state: { n: 0 } })
  await until(() => told.length > 0)
  await old.store.setState({ n: 5 }).durable
  await newer.store.setState({ n: 7 }).durable
  expect([old.store.getState(), newer.store.getState()]).toEqual([{ n: 5 }, { n: 7 }])
  expect(old.store.status.readOnly).toBe(false)
})

test('a tab of a newer version says so again when it comes back', async () => {
  const mesh = createMesh()
  const newer = await mesh.ready({ version: 2, state: { n: 0 }, persist: false })
  newer.tab.suspend()
  const old = await mesh.ready({ state: { n: 0 }, persist: false })
  expect(old.store.status.readOnly).toBe(false)
  newer.tab.resume()
  await until(() => old.store.status.readOnly)
})

test('conflicts of an older version wait for the newer', async () => {
  const mesh = createMesh()
  const options = { state: { title: '' }, conflicts: { title: 'prompt' } } as const
  const [one, two] = [await mesh.ready(options), await mesh.ready(options)]
  one.store.setState({ title: 'one' })
  two.store.setState({ title: 'two' })
  await until(() => one.store.conflicts.list().length === 1)
  await mesh.ready({ version: 2, state: {} })
  await until(() => one.store.status.readOnly)
  expect(() => one.store.conflicts.resolve(one.store.conflicts.list()[0]!.id, 'local')).toThrow('A newer version')
})

test('a frozen tab of an older version finds out before it acts', async () => {
  const mesh = createMesh()
  const old = await mesh.ready({ state: { todos: {} } })
  await old.store.setState({ todos: { a: 'one', b: 'two' } }).durable
  old.tab.suspend()
  const newer = await mesh.ready({ version: 3, migrations: steps(), state: { tasks: {} } })
  expect(newer.store.getState()).toEqual(wanted)
  await newer.store.close()
  old.tab.resume()
  await until(() => old.store.status.readOnly)
})

test('a tab whose newer data was never made is left alone', async () => {
  const mesh = await withOldData()
  const failing = mesh.open({ version: 2, migrations: [{ version: 2, up: () => { throw new Error('broken') } }], state: {} }) // prettier-ignore
  failing.store.on('error', () => undefined)
  await failing.store.ready
  failing.tab.kill()
  const old = await mesh.ready({ state: { todos: {} } })
  expect(old.store.status.readOnly).toBe(false)
  await old.store.setState({ todos: { c: 'three' } }).durable
})

test('what is destroyed does not come back from an older version', async () => {
  const mesh = await withOldData()
  const { store } = await mesh.ready({ version: 3, migrations: steps(), state: { tasks: {} } })
  await store.destroy()
  const again = await mesh.ready({ version: 3, migrations: steps(), state: { tasks: {} } })
  expect(again.store.getState()).toEqual({ tasks: {} })
})

test('excluded keys are neither migrated nor exported', async () => {
  const mesh = await withOldData()
  const { store } = await mesh.ready({ version: 2, exclude: ['secret'], migrations: [{ version: 2, up: (state: object) => ({ ...state, secret: 'x' }) }], state: { secret: 'mine' } })
  expect(store.getState().secret).toBe('mine')
  expect(store.exportState()).toEqual({ todos: { a: 'one', b: 'two' } })
  const stored = Buffer.concat(mesh.origin.stored('test@2')).toString('latin1')
  expect(stored).toContain('todos')
  expect(stored).not.toContain('secret')
})

test('exportState goes back by down steps, and names what is missing', async () => {
  const mesh = await withOldData()
  const { store } = await mesh.ready({ version: 3, migrations: steps(), state: { tasks: {} } })
  const exported = store.exportState()
  expect(exported).toEqual(wanted)
  ;(exported.tasks as Record<string, unknown>).a = 'changed'
  expect(store.getState()).toEqual(wanted)
  expect(store.exportState({ version: 1 })).toEqual({ todos: { a: 'one', b: 'two' } })
  expect(() => store.exportState({ version: 4 })).toThrow(RangeError)
  expect(() => store.exportState({ version: 0 })).toThrow('from version 3 to 0')
})

test('versions and steps that make no sense are refused', () => {
  const mesh = createMesh()
  for (const version of [0, 1.5, -1, NaN, 2 ** 31]) expect(() => mesh.open({ version })).toThrow(TypeError)
  expect(() => mesh.open({ version: 2, migrations: [{ version: 1, up: (state: object) => state }] })).toThrow(TypeError)
})

test('bytes that are none of ours are ignored', async () => {
  const mesh = createMesh()
  const { store } = await mesh.ready({ version: 2, state: { n: 0 } })
  const { platform } = mesh.origin.openTab()
  const channel = platform.openChannel('broadcast-channel', 'test@', () => undefined, { pack: () => '', unpack: () => undefined })!
  for (const bytes of [[], [1], [0, 0, 0, 0, 9, 0, 0], [7, 0, 0, 0, 9, 0, 0, 0], [1, 0, 0, 0, 9, 0, 0, 0], [1, 0, 0, 0, 1, 0, 0, 0], Array<number>(4000).fill(9)]) channel.post(Uint8Array.from(bytes))
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(store.status.readOnly).toBe(false)
})
