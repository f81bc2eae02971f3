// Versions of an app's schema: migrated once, and never written into by one another.
import { describe, expect, test } from 'vitest'
import type { Migration, Store } from '../../js-glue/index.ts'
import type { Journal, Platform } from '../../js-glue/platform.ts'
import type { MemoryTab } from '../../js-glue/platform/memory.ts'
import { createMesh, until, type AnyState, type Mesh } from './mesh.ts'

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
  tab.suspend()
  const old = await mesh.ready({ state: { todos: {} } })
  await old.store.setState({ todos: { a: 'one' } }).durable
  await old.store.close()
  tab.resume()
  await store.setState({ seen: true }).durable
  expect(store.getState()).toEqual({ tasks: {}, seen: true })
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

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code
const renamed: Migration = { version: 2, up: ({ todos, ...rest }: { todos?: object }) => ({ ...rest, tasks: todos }) }
const busy = (mesh: Mesh, { tab }: Store<AnyState>, times: number): void => {
  mesh.origin.faults.abort = (label) => (label === tab.label && times-- > 0 ? new DOMException('busy', 'AbortError') : undefined)
}

/** A tab of version 1 that has stored { todos: { a: 1 } }. */
async function older(mesh: Mesh): Promise<{ store: Store<AnyState>; tab: MemoryTab }> {
  const opened = await mesh.ready({ state: { todos: {} } })
  await opened.store.set(['todos', 'a'], 1).durable
  return opened
}

/** A tab of version 2 whose step lasts until it is told; `runs` counts. */
function slow(mesh: Mesh): { store: Store<AnyState>; tab: MemoryTab; runs: () => number; go: () => void } {
  let runs = 0
  let go = (): void => undefined
  const up = async ({ todos }: { todos: object }): Promise<object> => {
    runs++
    await new Promise<void>((resolve) => (go = resolve))
    return { tasks: todos }
  }
  const opened = mesh.open({ version: 2, state: {}, migrations: [{ version: 2, up }] })
  opened.store.ready.catch(() => undefined)
  opened.store.on('error', () => undefined)
  return { ...opened, runs: () => runs, go: () => go() }
}

/** The same, with a tab of version 1 whose write has come in between: its last step runs, and the older journal is closed. */
async function inLastStep(mesh: Mesh): Promise<ReturnType<typeof slow>> {
  const old = await older(mesh)
  const newer = slow(mesh)
  await until(() => newer.runs() === 1)
  await old.store.set(['todos', 'b'], 2).durable
  await old.store.close()
  newer.go()
  await until(() => newer.runs() === 2)
  return newer
}

const writable = ({ platform }: MemoryTab): { -readonly [K in keyof Platform]: Platform[K] } => platform

/** Its journal of that mesh does this instead. */
function instead(tab: MemoryTab, mesh: string, of: Partial<Journal> | ((journal: Journal) => Partial<Journal>)): void {
  const platform = writable(tab)
  const open = platform.openJournal.bind(platform)
  platform.openJournal = async (name, ...rest) => {
    const journal = (await open(name, ...rest))!
    return { ...journal, ...(name === mesh && (typeof of === 'function' ? of(journal) : of)) }
  }
}

describe('what an older version calls durable is migrated, or refused', () => {
  test('when it is written while a step runs, and its tab is closed', async () => {
    const mesh = createMesh()
    const newer = await inLastStep(mesh)
    newer.go()
    await newer.store.ready
    expect(newer.store.getState()).toEqual({ tasks: { a: 1, b: 2 } })
  })

  test('when its tab comes while the last step runs', async () => {
    const mesh = createMesh()
    const newer = await inLastStep(mesh)
    const late = await mesh.ready({ state: { todos: {} } })
    await expect(Promise.resolve().then(() => late.store.set(['todos', 'c'], 3).durable)).rejects.toMatchObject({ code: 'upgrade-required' })
    newer.go()
    await newer.store.ready
    expect(newer.store.getState()).toEqual({ tasks: { a: 1, b: 2 } })
  })

  test('when the migrating page sleeps in between', async () => {
    const mesh = createMesh()
    const old = await older(mesh)
    const newer = slow(mesh)
    await until(() => newer.runs() === 1)
    newer.tab.suspend()
    newer.go()
    await pause(20)
    await old.store.set(['todos', 'b'], 2).durable
    await old.store.close()
    newer.tab.resume()
    await until(() => newer.runs() >= 2)
    newer.go()
    await until(() => newer.store.getState().tasks !== undefined)
    expect(newer.store.getState()).toEqual({ tasks: { a: 1, b: 2 } })
  })

  test('when the migrating page comes back from its sleep', async () => {
    const mesh = createMesh()
    const old = await older(mesh)
    let fails = true
    const up = ({ todos }: { todos: object }): object => {
      if (fails) throw new Error('not yet')
      return { tasks: todos }
    }
    const newer = mesh.open({ version: 2, state: {}, migrations: [{ version: 2, up }] })
    newer.store.on('error', () => undefined)
    await newer.store.ready
    newer.tab.suspend()
    fails = false
    busy(mesh, old.store, 3)
    const written = old.store.set(['todos', 'b'], 2)
    await pause(0)
    newer.tab.resume()
    await written.durable
    await until(() => newer.store.getState().tasks !== undefined)
    expect(newer.store.getState()).toEqual({ tasks: { a: 1, b: 2 } })
  })

  test('when it is slow, and another older version has answered first', async () => {
    const mesh = createMesh()
    await mesh.ready({ state: { n: 0 } })
    const two = await mesh.ready({ version: 2, state: { n: 0 } })
    await two.store.setState({ n: 1 }).durable
    busy(mesh, two.store, 3)
    const written = two.store.setState({ late: 'acknowledged' })
    const three = await mesh.ready({ version: 3, state: {} })
    await written.durable
    expect(three.store.getState()).toEqual({ n: 1, late: 'acknowledged' })
  })

  test('when it is too slow to be waited for', async () => {
    const mesh = createMesh()
    const old = await older(mesh)
    busy(mesh, old.store, 12)
    const written = old.store.set(['todos', 'b'], 2).durable.then(() => 'durable', codeOf) // prettier-ignore
    const newer = await mesh.ready({ version: 2, state: {}, migrations: [renamed] })
    expect(await written).toBe('upgrade-required')
    expect(newer.store.getState()).toEqual({ tasks: { a: 1 } })
  }, 10_000)

  test('when it is written before the tab has found out', async () => {
    const mesh = createMesh()
    const newer = await mesh.ready({ version: 2, state: { n: 0 } })
    await newer.store.setState({ n: 1 }).durable
    const old = mesh.open({ state: { n: 0 } })
    const written = old.store.setState({ n: 5 })
    await old.store.ready
    expect(old.store.status.readOnly).toBe(true)
    await expect(written.durable).rejects.toMatchObject({ code: 'upgrade-required' })
  })

  test('when nobody could tell its tab', async () => {
    const mesh = createMesh()
    const old = await older(mesh)
    mesh.origin.faults.lose = () => true
    await mesh.ready({ version: 2, state: {}, migrations: [renamed] })
    await expect(old.store.set(['todos', 'b'], 2).durable).rejects.toMatchObject({ code: 'upgrade-required' })
    expect(old.store.status.readOnly).toBe(true)
  })

  test('when nobody could tell its tab: it is refused once', async () => {
    const mesh = createMesh()
    const { store, tab } = mesh.open({ state: { todos: {} } })
    let appends = 0
    const platform = writable(tab)
    const open = platform.openJournal.bind(platform)
    platform.openJournal = async (...given) => {
      const journal = (await open(...given))!
      return { ...journal, append: (...records) => (appends++, journal.append(...records)) }
    }
    await store.set(['todos', 'a'], 1).durable
    mesh.origin.faults.lose = () => true
    await mesh.ready({ version: 2, state: {}, migrations: [renamed] })
    const before = appends
    await expect(store.set(['todos', 'b'], 2).durable).rejects.toMatchObject({ code: 'upgrade-required' })
    await pause(100)
    expect(appends).toBe(before + 1)
  })

  test('when nobody could tell its tab, by transaction', async () => {
    const mesh = createMesh()
    const old = await older(mesh)
    mesh.origin.faults.lose = () => true
    await mesh.ready({ version: 2, state: {}, migrations: [renamed] })
    await expect(old.store.transaction(() => ({ todos: {} }))).rejects.toMatchObject({ code: 'upgrade-required' })
  })

  test('when its database is made under the eyes of a newer tab that has stored nothing', async () => {
    const mesh = createMesh()
    await mesh.ready({ version: 2, state: {}, migrations: [renamed] })
    const old = await mesh.ready({ state: { todos: {} } })
    await until(() => old.store.status.readOnly)
  })
})

describe('a migration that does not come about stops nobody', () => {
  test.each(['before it writes', 'when it has written'])('because there is no room, which the database says %s', async (when) => {
    const mesh = createMesh()
    const old = await older(mesh)
    const { tab, store } = mesh.open({ version: 2, state: {}, migrations: [renamed] })
    instead(tab, 'test@2', (journal) => ({
      async transact(_cursor, _era, _id, _now, run) {
        if (when === 'when it has written') run(await journal.read(0, 0), false)
        throw new DOMException('full', 'QuotaExceededError')
      },
    }))
    store.on('error', () => undefined)
    await store.ready
    await store.close()
    expect(old.store.status.readOnly).toBe(false)
    await old.store.set(['todos', 'b'], 2).durable
  })

  test('because nothing can be read any more; what is damaged is told', async () => {
    for (const [damaged, wanted, state] of [[1, ['dropped'], { tasks: { b: 1 } }], [2, ['dropped', 'dropped', 'migration-failed'], {}]] as const) { // prettier-ignore
      const mesh = createMesh()
      const old = await older(mesh)
      await old.store.set(['todos', 'b'], 1).durable
      await old.store.close()
      const stored = mesh.origin.stored('test')
      expect(stored).toHaveLength(2)
      for (const record of stored.slice(0, damaged)) record[record.length - 1]! ^= 0xff
      const told: unknown[] = []
      const { store } = mesh.open({ version: 2, state: {}, migrations: [renamed] })
      store.on('error', ({ error }) => told.push(codeOf(error)))
      await store.ready
      expect([told, store.getState()]).toEqual([wanted, state])
    }
  })

  test('because databases cannot be listed now; it is tried again', async () => {
    const mesh = createMesh()
    await (await older(mesh)).store.close()
    const { store, tab } = mesh.open({ version: 2, state: {}, migrations: [renamed] })
    const platform = writable(tab)
    const { versions } = platform
    platform.versions = () => ((platform.versions = versions), Promise.reject(new Error('not now')))
    store.on('error', () => undefined)
    await store.setState({ theme: 'x' }).durable
    expect(store.getState()).toEqual({ tasks: { a: 1 }, theme: 'x' })
  })

  test('because its tab is closed in the middle; the next has its turn at once', async () => {
    const mesh = createMesh()
    await (await older(mesh)).store.close()
    const first = slow(mesh)
    await until(() => first.runs() === 1)
    await first.store.close()
    const at = Date.now()
    const { store } = await mesh.ready({ version: 2, state: {}, migrations: [renamed] })
    expect(store.getState()).toEqual({ tasks: { a: 1 } })
    expect(Date.now() - at).toBeLessThan(2500)
  })

  test('because there is no memory for it: a tab that stores nothing closes nobody', async () => {
    const mesh = createMesh()
    const old = await older(mesh)
    await mesh.ready({ version: 2, state: {}, migrations: [renamed], persist: false })
    const late = await older(mesh)
    await pause(20)
    for (const { store } of [old, late]) {
      expect(store.status.readOnly).toBe(false)
      await store.set(['todos', 'b'], 2).durable
    }
  })
})

test('a tab migrates once at a time, however often it sleeps', async () => {
  const mesh = createMesh()
  await (await older(mesh)).store.close()
  const newer = slow(mesh)
  await until(() => newer.runs() === 1)
  for (let i = 0; i < 3; i++) {
    newer.tab.suspend()
    newer.tab.resume()
    await pause(10)
  }
  expect(newer.runs()).toBe(1)
  newer.go()
  await until(() => newer.store.getState().tasks !== undefined)
  expect(newer.store.getState()).toEqual({ tasks: { a: 1 } })
})

describe('what is migrated', () => {
  test('is older than all that this version writes meanwhile, by path and by key', async () => {
    for (const [conflicts, wanted] of [['merge', { a: 1, mine: 'x' }], ['last-write-wins', { mine: 'x' }]] as const) { // prettier-ignore
      const mesh = createMesh()
      await (await older(mesh)).store.close()
      let fails = true
      const up = ({ todos }: { todos: object }): object => {
        if (fails) throw new Error('not yet')
        return { tasks: todos, theme: 'old' }
      }
      const { store } = mesh.open({ version: 2, conflicts, state: {}, migrations: [{ version: 2, up }] })
      store.on('error', () => undefined)
      await store.ready
      store.setState({ theme: 'newest' })
      const written = store.set(['tasks', 'mine'], 'x')
      await pause(5)
      fails = false
      await written.durable
      expect(store.getState()).toEqual({ tasks: wanted, theme: 'newest' })
    }
  })

  test('lacks what nobody has written, and may', async () => {
    const mesh = createMesh()
    const old = await mesh.ready({ state: { todos: {}, theme: 'dark' } })
    await old.store.setState({ theme: 'light' }).durable
    await old.store.close()
    const { store } = await mesh.ready({ version: 2, state: { tasks: {} }, migrations: [renamed] })
    expect(store.getState()).toEqual({ tasks: {}, theme: 'light' })
  })

  test('may have had other keyed lists', async () => {
    const mesh = createMesh()
    const items = [{ id: 'x', t: 1 }, { id: 'y', t: 2 }] // prettier-ignore
    const old = await mesh.ready({ state: { items: [] }, lists: { items: 'id' } })
    await old.store.setState({ items }).durable
    await old.store.close()
    const { store } = await mesh.ready({ version: 2, state: { tasks: [] }, lists: { tasks: 'id' }, migrations: [{ version: 2, lists: { items: 'id' }, up: ({ items: tasks }: { items: object[] }) => ({ tasks }) }] })
    expect(store.getState()).toEqual({ tasks: items })
  })

  test('may be what the schema refuses: that is the step\'s fault', async () => {
    const mesh = createMesh()
    await (await older(mesh)).store.close()
    const errors: Error[] = []
    const { store } = mesh.open({ version: 2, state: {}, migrations: [{ version: 2, up: () => ({ n: 1n }) }] })
    store.on('error', ({ error }) => errors.push(error))
    await store.ready
    expect(errors.map(codeOf)).toEqual(['migration-failed'])
  })
})

describe('what is destroyed stays destroyed', () => {
  test('by the tab that migrates, and by another while it sleeps, or hears nothing', async () => {
    for (const another of ['none', 'sleeps', 'deaf']) {
      const mesh = createMesh()
      await (await older(mesh)).store.close()
      const newer = slow(mesh)
      await until(() => newer.runs() === 1)
      if (another !== 'none') {
        if (another === 'sleeps') newer.tab.suspend()
        else mesh.origin.faults.lose = () => true
        const other = slow(mesh)
        await until(() => other.runs() === 1, 'its turn')
        await other.store.destroy()
        if (another === 'sleeps') newer.tab.resume()
      } else {
        mesh.origin.faults.openMs = 50
        await newer.store.destroy()
        mesh.origin.faults.openMs = 0
      }
      newer.go()
      await pause(100)
      await newer.store.close()
      const again = await mesh.ready({ version: 2, state: {}, migrations: [renamed] })
      expect(again.store.getState()).toEqual({})
    }
  }, 10_000)

  test('while the last step runs', async () => {
    const mesh = createMesh()
    const newer = await inLastStep(mesh)
    mesh.origin.faults.lose = () => true
    await slow(mesh).store.destroy()
    newer.go()
    await pause(100)
    await newer.store.close()
    const again = await mesh.ready({ version: 2, state: {}, migrations: [renamed] })
    expect(again.store.getState()).toEqual({})
  })

  test('or nothing is: what cannot be erased whole does not come back as it was', async () => {
    const mesh = createMesh()
    await (await older(mesh)).store.close()
    const newer = await mesh.ready({ version: 2, state: {}, migrations: [renamed] })
    await newer.store.set(['tasks', 'a'], 'changed').durable
    const platform = writable(newer.tab)
    platform.openJournal = () => Promise.reject(new Error('not now'))
    await expect(newer.store.destroy()).rejects.toThrow('not now')
    const again = await mesh.ready({ version: 2, state: {}, migrations: [renamed] })
    expect(again.store.getState()).toEqual({ tasks: { a: 'changed' } })
  })

  test('by a tab of an older version', async () => {
    const mesh = createMesh()
    const old = await older(mesh)
    const newer = await mesh.ready({ version: 2, state: {}, migrations: [renamed] })
    await newer.store.close()
    await old.store.destroy()
    const again = await mesh.ready({ version: 2, state: {}, migrations: [renamed] })
    expect(again.store.getState()).toEqual({})
  })
})

test('keys of this tab alone are written as ever', async () => {
  const mesh = createMesh()
  const old = await mesh.ready({ state: { n: 0, ui: 0 }, exclude: ['ui'] })
  await mesh.ready({ version: 2, state: { n: 0 } })
  await until(() => old.store.status.readOnly)
  old.store.setState({ ui: 1 })
  expect(old.store.getState().ui).toBe(1)
  expect(() => old.store.setState({ ui: 2, n: 1 })).toThrow('A newer version')
  expect(old.store.getState().ui).toBe(1)
})
