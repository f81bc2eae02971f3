import { describe, expect, test, vi } from 'vitest'
import { TabmeshError, type StoreEvents } from '../../js-glue/index.ts'
import { createMesh, until, type AnyState, packer } from './mesh.ts'

describe('a store in one tab', () => {
  test('is usable at once and keeps what was written before it was ready', async () => {
    const mesh = createMesh()
    const { store } = mesh.open({ state: { a: 1, b: { c: 2 } } })
    store.setState({ a: 5 })
    store.set(['b', 'd'], [1])
    expect(store.getState()).toEqual({ a: 5, b: { c: 2, d: [1] } })
    await store.ready
    expect(store.getState()).toEqual({ a: 5, b: { c: 2, d: [1] } })
    await store.flush()
    const second = await mesh.ready({ state: { a: 1, b: { c: 2 } } })
    expect(second.store.getState()).toEqual({ a: 5, b: { c: 2, d: [1] } })
  })

  test('returns the same object until something changes, and keeps the identity of unchanged parts', async () => {
    const { store } = await createMesh().ready({ state: { a: { x: 1 }, b: { y: 2 }, list: [1, { z: 1 }] } })
    const before = store.getState()
    store.setState({ a: { x: 1 } })
    expect(store.getState()).toBe(before)
    store.setState({ a: { x: 2 }, list: [1, { z: 1 }] })
    const after = store.getState()
    expect(after).not.toBe(before)
    expect(after.b).toBe(before.b)
    expect(after.list).toBe(before.list)
    expect(before.a.x).toBe(1)
    expect(store.getInitialState()).toBe(before)
  })

  test('merges shallowly, removes undefined keys, and replaces when asked to', async () => {
    const { store } = await createMesh().ready({ state: { a: 1, b: 2, c: { d: 1 } } })
    store.setState({ b: undefined, c: { e: 2 } })
    expect(store.getState()).toEqual({ a: 1, c: { e: 2 } })
    store.setState((state: AnyState) => ({ a: Number(state.a) + 1 }))
    expect(store.getState().a).toBe(2)
    store.setState({ only: true }, true)
    expect(store.getState()).toEqual({ only: true })
  })

  test('sets and removes by path, inside arrays too', async () => {
    const { store } = await createMesh().ready({ state: { list: [{ n: 1 }, { n: 2 }], o: {} } })
    store.set(['list', 1, 'n'], 5)
    store.set(['o', 'p', 'q'], 'deep')
    expect(store.getState()).toEqual({ list: [{ n: 1 }, { n: 5 }], o: { p: { q: 'deep' } } })
    store.remove(['list', 0])
    store.remove(['o', 'p', 'q'])
    store.remove(['nothing', 'there'])
    expect(store.getState()).toEqual({ list: [{ n: 5 }], o: { p: {} } })
    expect(() => store.set([], 1)).toThrow(TypeError)
    expect(() => store.set(['list', 7], 1)).toThrow(RangeError)
  })

  test('tells subscribers the state and the one before; a selector only when its part differs', async () => {
    const { store } = await createMesh().ready({ state: { a: 1, b: { c: 1 } } })
    const all = vi.fn()
    const part = vi.fn()
    const undo = store.subscribe(all)
    store.subscribe((state) => state.b, part, { fireImmediately: true })
    expect(part).toHaveBeenCalledTimes(1)
    const before = store.getState()
    store.setState({ a: 2 })
    expect(all).toHaveBeenLastCalledWith(store.getState(), before)
    expect(part).toHaveBeenCalledTimes(1)
    store.set(['b', 'c'], 2)
    expect(part).toHaveBeenLastCalledWith({ c: 2 }, { c: 1 })
    undo()
    store.setState({ a: 3 })
    expect(all).toHaveBeenCalledTimes(2)
  })

  test('reports a listener that throws and tells the others all the same', async () => {
    const { store } = await createMesh().ready({ state: { a: 1 } })
    const errors: Error[] = []
    store.on('error', ({ error }) => errors.push(error))
    const other = vi.fn()
    store.subscribe(() => {
      throw new Error('listener')
    })
    store.subscribe(other)
    store.setState({ a: 2 })
    expect(other).toHaveBeenCalledOnce()
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatchObject({ code: 'listener-failed', cause: new Error('listener') })
  })

  test('counts versions', async () => {
    const { store } = await createMesh().ready({ state: { a: 1 } })
    const { version } = store
    store.setState({ a: 2 })
    store.setState({ a: 2 })
    expect(store.version).toBe(version + 1)
  })
})

describe('a write before the store is ready', () => {
  test('into an object that starts empty removes nothing that is stored there', async () => {
    const mesh = createMesh()
    const first = await mesh.ready({ state: { filters: {} } })
    first.store.set(['filters', 'y'], 1)
    await first.store.flush()
    first.tab.kill()
    const { store } = mesh.open({ state: { filters: {} } })
    store.setState((state: AnyState) => ({ filters: { ...state.filters, x: 1 } }))
    await store.ready
    expect(store.getState()).toEqual({ filters: { x: 1, y: 1 } })
    await store.flush()
    expect((await mesh.ready({ state: { filters: {} } })).store.getState()).toEqual({ filters: { x: 1, y: 1 } })
  })

  test('is not lost when the store is closed at once', async () => {
    const mesh = createMesh()
    const { store } = mesh.open()
    store.setState({ a: 1 })
    await store.close()
    expect((await mesh.ready()).store.getState()).toEqual({ a: 1 })
  })
})

describe('a listener that writes', () => {
  test('leaves every listener with the newest state last', async () => {
    const { store } = await createMesh().ready({ state: { n: 0 } })
    const last: number[] = []
    store.subscribe((state) => {
      if (state.n === 1) store.setState({ n: 2 })
    })
    store.subscribe((state) => last.push(Number(state.n)))
    store.setState({ n: 1 })
    expect(last).toEqual([2])
  })

  test('in answer to another tab is sent, and taken back if it is refused', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready({ state: { n: 0 } }), await mesh.ready({ state: { n: 0 } })]
    two.store.on('error', () => undefined)
    let answer: unknown = 'é'.repeat(1 << 20) // too large in UTF-8: only the core can tell
    two.store.subscribe((state) => {
      if (answer !== undefined && state.n === 1) {
        const given = answer
        answer = undefined
        two.store.setState({ answer: given })
      }
    })
    one.store.setState({ n: 1 })
    await until(() => two.store.getState().n === 1 && two.store.getState().answer === undefined)
    answer = 'small'
    one.store.setState({ n: 0 })
    one.store.setState({ n: 1, again: true })
    await until(() => one.store.getState().answer === 'small')
  })
})

describe('bad input', () => {
  class Custom {
    readonly field = 1
  }
  const sparse: unknown[] = [1]
  sparse[2] = 3
  const cycle: AnyState = {}
  cycle.self = cycle
  const cases: [string, unknown, RegExp][] = [
    ['a function', () => 1, /state\.user\.avatar is a function/],
    ['a symbol', Symbol('s'), /state\.user\.avatar is a symbol/],
    ['a BigInt', 1n, /state\.user\.avatar is a BigInt/],
    ['NaN', NaN, /state\.user\.avatar is NaN/],
    ['Infinity', Infinity, /state\.user\.avatar is Infinity/],
    ['a Date', new Date(0), /state\.user\.avatar is a Date/],
    ['a Map', new Map(), /state\.user\.avatar is a Map/],
    ['a class instance', new Custom(), /state\.user\.avatar is a Custom/],
    ['a sparse array', sparse, /state\.user\.avatar\[1\] is undefined/],
    ['undefined in an array', [undefined], /state\.user\.avatar\[0\] is undefined/],
    ['a cycle', cycle, /contains itself/],
    ['__proto__', JSON.parse('{"__proto__":1}'), /__proto__/],
    ['a symbol key', { [Symbol('k')]: 1 }, /symbol/],
    ['a key too long', { ['k'.repeat(1025)]: 1 }, /at most 1024 bytes/],
    ['a string too long', 'x'.repeat((1 << 20) + 1), /1 MiB/],
  ]
  test.each(cases)('%s is refused with its place, and nothing changes', async (_, value, message) => {
    const { store } = await createMesh().ready({ state: { user: { name: 'n' } } })
    const before = store.getState()
    expect(() => store.setState({ user: { name: 'm', avatar: value } })).toThrow(message)
    expect(() => store.set(['user', 'avatar'], value)).toThrow(message)
    expect(store.getState()).toBe(before)
  })

  test('what the core alone can refuse is taken back, reported and rejected', async () => {
    const mesh = createMesh()
    const { store } = await mesh.ready({ state: { a: 1, local: 'x' }, exclude: ['local'] })
    const errors: Error[] = []
    store.on('error', ({ error }) => errors.push(error))
    // Short enough in UTF-16, too long in UTF-8.
    const write = store.setState({ a: 'é'.repeat(1 << 20), local: 'y' })
    await expect(write.durable).rejects.toMatchObject({ code: 'value-too-large' })
    await expect(write.shared, 'asked for when it is too late').rejects.toMatchObject({ code: 'value-too-large' })
    expect(errors).toHaveLength(1)
    expect(store.getState()).toEqual({ a: 1, local: 'y' })
    await store.setState({ a: 2 }).durable
  })

  test('-0 becomes 0, and members that are undefined are left out', async () => {
    const { store } = await createMesh().ready({ state: {} })
    store.setState({ a: { zero: -0, gone: undefined, list: [-0] } })
    expect(Object.is(store.getState().a.zero, 0)).toBe(true)
    expect(Object.is(store.getState().a.list[0], 0)).toBe(true)
    expect(Object.hasOwn(store.getState().a, 'gone')).toBe(false)
  })

  test('options that make no sense are refused at once', () => {
    const mesh = createMesh()
    for (const name of ['', 'a b', 'x'.repeat(65), 5 as never]) expect(() => mesh.open({ name })).toThrow(TypeError)
    expect(() => mesh.open({ state: [] as never })).toThrow(TypeError)
    expect(() => mesh.open({ state: { f: () => 1 } })).toThrow(/state\.f is a function/)
    expect(() => mesh.open({ conflicts: 'newest' as never })).toThrow(/merge, last-write-wins, first-write-wins, prompt/)
    expect(() => mesh.open({ channels: 'storage-event' as never })).toThrow(/channels knows/)
    expect(() => mesh.open({ channels: ['pigeon' as never] })).toThrow(/broadcast-channel, storage-event and { name, open }, not "pigeon"/)
  })

  test('whoever cannot begin leaves nothing behind', async () => {
    const mesh = createMesh()
    const { store: broken, tab } = mesh.open({ state: { big: '€'.repeat(500_000) } }) // too long for the core, which counts bytes
    await expect(broken.ready).rejects.toThrow()
    expect((await tab.platform.openLock('test')!.roll()).alive).toEqual([])
    const { store } = await mesh.ready()
    expect(store.tabs).toHaveLength(1)
    await broken.close()
  })

  test('a tab that has not heard of an erasure stores nothing in the new store', async () => {
    let deaf = false
    const mesh = createMesh({ lose: () => deaf })
    const a = (await mesh.ready({ state: { secret: 0 } })).store
    const b = (await mesh.ready({ state: { secret: 0 } })).store
    a.set(['secret'], 1)
    await a.flush()
    deaf = true
    await b.destroy()
    const codes: unknown[] = []
    a.on('error', ({ error }) => codes.push((error as { code?: unknown }).code))
    await expect(a.set(['secret'], 2).durable).rejects.toThrow(/erased/)
    expect(codes).toEqual(['destroyed'])
    const next = (await mesh.ready({ state: { secret: 0 } })).store
    expect(next.getState()).toEqual({ secret: 0 })
  })

  test('bytes from others never throw: they are dropped and counted', async () => {
    const mesh = createMesh()
    const { store } = await mesh.ready({ state: { a: 1 } })
    const errors: Error[] = []
    store.on('error', ({ error }) => errors.push(error))
    const intruder = mesh.origin.openTab().platform.openChannel('broadcast-channel', 'test', () => undefined, packer)!
    for (const bytes of [new Uint8Array(), new Uint8Array([0x54, 0x4d]), new Uint8Array(100).fill(0x54), new TextEncoder().encode('TM hello')]) intruder.post(bytes)
    await until(() => store.stats().framesIn >= 4)
    expect(store.stats().dropped).toBeGreaterThan(0)
    expect(errors.every((error) => error instanceof TabmeshError && error.code === 'dropped')).toBe(true)
    expect(store.getState()).toEqual({ a: 1 })
  })
})

describe('several tabs', () => {
  test('share every write, and unchanged parts keep their identity', async () => {
    const mesh = createMesh()
    const options = { state: { a: { x: 0 }, b: { y: 0 } } }
    const [one, two] = [await mesh.ready(options), await mesh.ready(options)]
    const before = two.store.getState()
    const updates: StoreEvents<AnyState>['remote-update'][] = []
    two.store.on('remote-update', (update) => updates.push(update))
    one.store.set(['a', 'x'], 1)
    await until(() => two.store.getState().a.x === 1)
    expect(two.store.getState().b).toBe(before.b)
    expect(updates).toEqual([{ keys: ['a'], source: one.store.tab.id }])
  })

  test('send what is written in one task in one frame', async () => {
    const mesh = createMesh()
    const { store } = await mesh.ready()
    await mesh.ready()
    await new Promise((resolve) => setTimeout(resolve, 20))
    const frames = mesh.origin.sent.length
    for (let i = 0; i < 1000; i++) store.set(['n'], i)
    store.setState({ other: true })
    await Promise.resolve()
    expect(mesh.origin.sent.length - frames).toBe(1)
  })

  test('converge though a third of all messages is lost and a third doubled', async () => {
    let seed = 1
    const chance = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647
    const mesh = createMesh({ lose: () => chance() < 0.3, double: () => chance() < 0.3 })
    const tabs = await Promise.all([1, 2, 3].map(() => mesh.ready({ state: { map: {} } })))
    for (let i = 0; i < 60; i++) {
      tabs[i % 3]!.store.set(['map', `k${i % 7}`], i)
      if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const states = (): Set<string> => new Set(tabs.map(({ store }) => JSON.stringify(Object.entries(store.getState().map).sort())))
    await until(() => states().size === 1, 'equality', 20_000)
    expect(Object.keys(tabs[0]!.store.getState().map)).toHaveLength(7)
  })

  test('an excluded key is in no frame and no record', async () => {
    const mesh = createMesh()
    const secret = 'canary-5b1f'
    const { store } = await mesh.ready({ state: { token: secret, open: '' }, exclude: ['token'] })
    store.setState({ token: `${secret}-2`, open: 'shared-marker' })
    await store.flush()
    const bytes = [...mesh.origin.sent, ...mesh.origin.stored('test')].map((part) => Buffer.from(part).toString('latin1')).join()
    expect(bytes).toContain('shared-marker')
    expect(bytes).not.toContain(secret)
    const other = await mesh.ready({ state: { token: 'mine', open: '' } })
    expect(other.store.getState()).toEqual({ token: 'mine', open: 'shared-marker' })
  })

  test('include shares only what it names', async () => {
    const mesh = createMesh()
    const one = await mesh.ready({ state: { a: 0, b: 0 }, include: ['a'] })
    const two = await mesh.ready({ state: { a: 0, b: 0 } })
    one.store.setState({ a: 1, b: 1 })
    two.store.setState({ b: 2 })
    await until(() => two.store.getState().a === 1)
    expect(one.store.getState()).toEqual({ a: 1, b: 1 })
    expect(two.store.getState()).toEqual({ a: 1, b: 2 })
  })

  test('under last-write-wins a key is taken whole', async () => {
    const mesh = createMesh()
    const options = { state: { o: {} }, conflicts: { o: 'last-write-wins' } as const }
    const [one, two] = [await mesh.ready(options), await mesh.ready(options)]
    one.store.set(['o', 'x'], 1)
    two.store.set(['o', 'y'], 2)
    await until(() => JSON.stringify(one.store.getState()) === JSON.stringify(two.store.getState()) && Object.keys(one.store.getState().o).length === 1)
  })

  test('two calls with one name in one page share one core, which ends with its last user', async () => {
    const mesh = createMesh()
    const { store, tab } = await mesh.ready({ state: { a: 1 } })
    const { createStoreOn } = await import('../../js-glue/open.ts')
    const again = createStoreOn<AnyState>(tab, () => Promise.reject(new Error('must not be asked')), { name: 'test', state: { a: 1 } })
    expect(again.tab.id).toBe(store.tab.id)
    store.setState({ a: 2 })
    expect(again.getState().a).toBe(2)
    await again.close()
    await again.close()
    store.setState({ a: 3 })
    await store.close()
    expect(() => store.setState({ a: 4 })).toThrow(/closed/)
  })
})

describe('write levels', () => {
  test('come one after the other; shared means that another tab has it', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    const write = one.store.setState({ a: 1 })
    await write.applied
    await write.shared
    expect(two.store.getState().a).toBe(1)
    await write.durable
    expect(mesh.origin.stored('test').length).toBeGreaterThan(0)
  })

  test('shared resolves though questions and answers are lost, and when the other tab dies', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    let lost = 4
    mesh.origin.faults.lose = () => lost-- > 0
    await one.store.setState({ a: 1 }).shared
    mesh.origin.faults.lose = () => true
    const write = one.store.setState({ a: 2 })
    await write.durable
    const shared = write.shared
    two.tab.kill()
    await shared
  })

  test('a journal that cannot be read at first is read later, and written', async () => {
    const mesh = createMesh()
    const first = await mesh.ready()
    await first.store.setState({ stored: 1 }).durable
    await first.store.close()
    let failures = 2
    mesh.origin.faults.abort = () => (failures-- > 0 ? new Error('not now') : undefined)
    const { store } = mesh.open()
    store.on('error', () => undefined)
    await store.ready
    store.setState({ more: 2 })
    await store.flush()
    await until(() => store.getState().stored === 1)
    expect(store.getState()).toEqual({ stored: 1, more: 2 })
  })

  test('shared without another tab resolves when the write is durable', async () => {
    const { store } = await createMesh().ready()
    await store.setState({ a: 1 }).shared
    expect(store.status.pendingDurable).toBe(0)
  })

  test('a write that cannot be stored stays pending and shared, is reported once, and becomes durable by itself', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    let full = true
    mesh.origin.faults.abort = () => (full ? new DOMException('full', 'QuotaExceededError') : undefined)
    const reports: unknown[] = []
    one.store.on('storage-full', (detail) => reports.push(detail))
    const write = one.store.setState({ a: 1 })
    await write.shared
    let durable = false
    void write.durable.then(() => (durable = true))
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(durable).toBe(false)
    expect(one.store.status).toMatchObject({ pendingDurable: 1, safeToClose: false })
    expect(two.store.getState().a).toBe(1)
    expect(reports).toHaveLength(1)
    full = false
    await write.durable
    expect(one.store.status).toMatchObject({ pendingDurable: 0, safeToClose: true })
  })

  test.each([
    ['a quota', () => new DOMException('full', 'QuotaExceededError'), 'storage-full'],
    ['a full disk in Chromium', () => new DOMException('Connection is closing because of: IO error: 000003.log: FILE_ERROR_NO_SPACE', 'UnknownError'), 'storage-full'],
    ['a full disk in Chromium, of large values', () => new DOMException('Failed to write blobs (IOError)', 'DataError'), 'storage-full'],
    ['a full disk in WebKit', () => new DOMException('The transaction was aborted.', 'AbortError'), 'storage-failed'],
  ])('%s is told once an episode, by its name', async (_, error, name) => {
    const mesh = createMesh()
    const { store } = await mesh.ready()
    const told: unknown[] = []
    store.on('storage-full', () => told.push('storage-full'))
    store.on('error', ({ error }) => told.push((error as { code?: string }).code))
    for (let episode = 1; episode <= 2; episode++) {
      mesh.origin.faults.abort = error
      const write = store.setState({ a: episode })
      await until(() => told.length === episode)
      await new Promise((resolve) => setTimeout(resolve, 1000))
      mesh.origin.faults.abort = () => undefined
      await write.durable
    }
    expect(told).toEqual([name, name])
  })

  test('a crash loses nothing that was durable', async () => {
    const mesh = createMesh()
    const one = await mesh.ready()
    for (let i = 0; i < 20; i++) one.store.set(['log', `k${i}`], i)
    await one.store.flush()
    one.tab.kill()
    const two = await mesh.ready()
    expect(Object.keys(two.store.getState().log)).toHaveLength(20)
  })

  test('closing flushes and rejects what can never come', async () => {
    const mesh = createMesh()
    const { store } = await mesh.ready()
    const write = store.setState({ a: 1 })
    const relayed = write.relayed
    await store.close()
    await write.durable
    await expect(relayed).rejects.toMatchObject({ code: 'closed' })
    expect((await mesh.ready()).store.getState().a).toBe(1)
  })

  test('what nobody waits for is stored in groups; who waits is not kept waiting for one', async () => {
    const stored: number[] = []
    const debug = (event: { type: string; records?: number }): void => {
      if (event.type === 'journal') stored.push(event.records!)
    }
    const { store } = await createMesh().ready({ state: { n: 0 }, debug })
    vi.useFakeTimers()
    try {
      const wait = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)
      store.setState({ n: 1 })
      await wait(2)
      expect(stored).toEqual([1])
      for (let n = 2; n <= 4; n++) {
        store.setState({ n })
        await wait(3)
      }
      expect(stored).toEqual([1])
      await wait(20)
      expect(stored).toEqual([1, 3])
      store.setState({ n: 5 })
      const flushed = store.flush()
      await wait(2)
      expect(stored).toEqual([1, 3, 1])
      await flushed
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a clock that is wrong', () => {
  test('does not lock the others out, and does not lose to what is stored', async () => {
    const mesh = createMesh()
    const options = { state: { v: '' } }
    const fast = await mesh.ready(options)
    fast.tab.shiftClock(10 * 365 * 86_400_000)
    const slow = await mesh.ready(options)
    slow.tab.shiftClock(-86_400_000)
    fast.store.setState({ v: 'fast' })
    await until(() => slow.store.getState().v === 'fast')
    slow.store.setState({ v: 'slow' })
    await until(() => fast.store.getState().v === 'slow')
    await slow.store.flush()
  })
})

describe('destroy', () => {
  test('erases, ends other tabs, and a suspended one ends when it wakes', async () => {
    const mesh = createMesh()
    const [one, two, asleep] = [await mesh.ready(), await mesh.ready(), await mesh.ready()]
    one.store.setState({ a: 1 })
    await until(() => asleep.store.getState().a === 1)
    asleep.tab.suspend()
    const ends: string[] = []
    for (const { store } of [two, asleep]) store.on('error', ({ error }) => ends.push(error instanceof TabmeshError ? error.code : error.message))
    await one.store.destroy()
    await until(() => ends.length === 1)
    asleep.tab.resume()
    await until(() => ends.length === 2)
    expect(ends).toEqual(['destroyed', 'destroyed'])
    expect(mesh.origin.stored('test')).toEqual([])
    expect((await mesh.ready()).store.getState()).toEqual({})
  })

  test('by another tab rejects a ready that is still waited for, and the page can open the store again', async () => {
    const mesh = createMesh()
    const one = await mesh.ready()
    const { createStoreOn } = await import('../../js-glue/open.ts')
    const { startEngine } = await import('../../js-glue/engine.ts')
    const two = mesh.open()
    two.store.on('error', () => undefined)
    await one.store.destroy()
    const outcome = await two.store.ready.then(() => 'ready', (error: unknown) => (error as TabmeshError).code)
    expect(['ready', 'destroyed']).toContain(outcome)
    await until(() => {
      try {
        two.store.setState({ probe: 1 })
        return outcome === 'ready' && two.store.tabs.length > 0
      } catch {
        return true
      }
    })
    const again = createStoreOn<AnyState>(two.tab, () => Promise.resolve({ startEngine, platform: two.tab.platform }), { name: 'test', state: {} })
    await again.ready
    again.setState({ fresh: true })
    await again.flush()
    expect(again.getState().fresh).toBe(true)
  })

  test('lets nothing of a tab that wakes later back in', async () => {
    const mesh = createMesh()
    const [one, asleep] = [await mesh.ready(), await mesh.ready()]
    one.store.setState({ old: 1 })
    await until(() => asleep.store.getState().old === 1)
    asleep.tab.suspend()
    asleep.store.on('error', () => undefined)
    await one.store.destroy()
    const fresh = await mesh.ready()
    asleep.tab.resume()
    asleep.store.setState({ late: 1 })
    await until(() => asleep.store.tabs.length === 0)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(fresh.store.getState()).toEqual({})
    expect((await mesh.ready()).store.getState()).toEqual({})
  })
})

describe('a database that cannot be opened at first', () => {
  test('is opened again, and everything becomes durable by itself', async () => {
    let refusals = 2
    const mesh = createMesh({ openError: () => (refusals-- > 0 ? new Error('refused') : undefined) })
    const { store } = mesh.open({ state: { n: 0 } })
    const errors: string[] = []
    store.on('error', ({ error }) => errors.push((error as { code?: string }).code!))
    await store.ready
    store.setState({ n: 1 })
    await store.flush()
    expect(mesh.origin.stored('test').length).toBeGreaterThan(0)
    expect(errors.every((code) => code === 'storage-failed')).toBe(true)
    expect((await mesh.ready({ state: { n: 0 } })).store.getState().n).toBe(1)
  })
})

describe('reading the journal', () => {
  test('tells readers what it brought, whatever is written in the microtasks around it', async () => {
    let busy: (() => void) | undefined
    const mesh = createMesh({ lose: () => true, abort() {
        busy?.()
        return undefined
      },
    })
    const a = await mesh.ready({ state: { fromA: 0, mine: 0 } })
    const b = await mesh.ready({ state: { fromA: 0, mine: 0 } })
    a.store.setState({ fromA: 1 })
    await a.store.flush()
    const write = async (): Promise<void> => {
      for (let i = 1; i <= 30; i++) {
        b.store.setState({ mine: i })
        await Promise.resolve()
      }
    }
    busy = () => void write()
    b.tab.suspend()
    b.tab.resume()
    await until(() => b.store.getState().fromA === 1, 'what the journal had')
    busy = undefined
  })
})
