// What stats() says of times, and what tools look at.
import { describe, expect, test } from 'vitest'
import { createHistogram } from '../../js-glue/histogram.ts'
import type { DebugEvent } from '../../js-glue/index.ts'
import { createTestMesh } from '../../js-glue/testing.ts'
import { createMesh, until, wasm } from './mesh.ts'

describe('a histogram', () => {
  test('has the percentiles of what it was told, at most a quarter too large', () => {
    const histogram = createHistogram()
    expect(histogram.summary()).toBeUndefined()
    const all = Array.from({ length: 1000 }, (_, i) => (i * 7) % 1000)
    all.forEach(histogram.add)
    histogram.add(-5)
    histogram.add(NaN)
    const { count, p50, p95, p99, max, classes } = histogram.summary()!
    expect({ count, max }).toEqual({ count: 1000, max: 999 })
    for (const [found, exact] of [[p50, 499], [p95, 949], [p99, 989]] as const) {
      expect(found).toBeGreaterThanOrEqual(exact)
      expect(found).toBeLessThanOrEqual(exact * 1.25 + 1)
    }
    expect(classes.reduce((sum, [, number]) => sum + number, 0)).toBe(1000)
    expect(classes.map(([upTo]) => upTo)).toEqual([...classes.map(([upTo]) => upTo)].sort((a, b) => a - b))
    for (const [i, [upTo, number]] of classes.entries()) expect(number).toBe(all.filter((ms) => ms <= upTo && ms > (classes[i - 1]?.[0] ?? -1)).length)
  })

  test('of one time says that time, and of hours no less', () => {
    const histogram = createHistogram()
    histogram.add(7)
    expect(histogram.summary()).toEqual({ count: 1, p50: 7, p95: 7, p99: 7, max: 7, classes: [[7, 1]] })
    histogram.add(7_200_000)
    expect(histogram.summary()).toMatchObject({ p50: 8, p99: 7_200_000, classes: [[8, 1], [7_200_000, 1]] })
  })
})

describe('times', () => {
  test('from a write to another tab, and to the disk; a slow one is told', async () => {
    const mesh = await createTestMesh({ wasm })
    const a = await mesh.openTab().openStore({ name: 'app', state: { n: 0 } })
    const told: DebugEvent[] = []
    const b = await mesh.openTab().openStore({ name: 'app', state: { n: 0 }, debug: (event) => told.push(event) })
    const late = await mesh.openTab().openStore({ name: 'app', state: { n: 0 }, slowMs: 100 })
    const toldLate: DebugEvent[] = []
    const undo = late.on('debug', (event) => toldLate.push(event))
    expect([a.stats().seen, a.stats().stored]).toEqual([undefined, undefined])
    mesh.faults.delayMs = 0
    a.setState({ n: 1 })
    await mesh.settle()
    expect(b.stats().seen).toMatchObject({ count: 1, max: 0 })
    expect(a.stats().stored?.count).toBe(1)
    expect(told.filter(({ type }) => type === 'slow')).toEqual([])
    mesh.faults.delayMs = 60
    for (let n = 2; n < 30; n++) {
      a.setState({ n })
      await mesh.advance(500)
    }
    const slow = told.filter((event) => event.type === 'slow')
    expect(slow.length).toBeGreaterThan(10)
    for (const event of slow) expect(event).toMatchObject({ from: a.tab.id })
    expect(Math.min(...slow.map(({ ms }) => ms))).toBeGreaterThan(10)
    expect(b.stats().seen!.max).toBe(Math.max(...slow.map(({ ms }) => ms)))
    expect(b.stats().seen!.count).toBe(29)
    expect(toldLate.filter(({ type }) => type === 'frame').length).toBeGreaterThan(10)
    expect(toldLate.filter(({ type }) => type === 'slow')).toEqual([])
    const before = toldLate.length
    undo()
    a.setState({ n: 100 })
    await mesh.settle()
    expect(toldLate.length).toBe(before)
  })

  test('of what was missed and asked for are not counted', async () => {
    const mesh = await createTestMesh({ wasm })
    const a = await mesh.openTab().openStore({ name: 'app', state: { n: 0 } })
    a.setState({ n: 1 })
    await mesh.advance(10_000)
    const b = await mesh.openTab().openStore({ name: 'app', state: { n: 0 } })
    expect(b.getState().n).toBe(1)
    expect(b.stats().seen).toBeUndefined()
  })

  test('a clock that was wrong shows as skew', async () => {
    const mesh = createMesh()
    const fast = await mesh.ready({ state: { v: 0 } })
    const { store } = await mesh.ready({ state: { v: 0 } })
    expect(store.status.clockSkewMs).toBe(0)
    fast.tab.shiftClock(3_600_000)
    fast.store.setState({ v: 1 })
    await until(() => store.getState().v === 1)
    expect(store.status.clockSkewMs).toBeGreaterThan(3_590_000)
    expect(store.stats().seen).toBeUndefined()
  })

  test('slowMs is a time', () => {
    expect(() => createMesh().open({ slowMs: -1 })).toThrow('slowMs')
  })
})

describe('inspect', () => {
  const state = { a: { x: 0, y: [0] }, list: [{ id: 'one', done: false }], n: 0, never: 1 }

  test('says who wrote last, and when', async () => {
    const mesh = createMesh()
    const options = { state, lists: { list: 'id' } }
    const one = (await mesh.ready(options)).store
    const two = (await mesh.ready(options)).store
    const from = Date.now()
    one.setState({ a: { x: 1, y: [1, 2] }, list: [{ id: 'one', done: false }, { id: 'two', done: false }] })
    await until(() => two.getState().a.x === 1)
    two.set(['list', 1, 'done'], true)
    two.increment(['n'], 2)
    await until(() => one.getState().n === 2)
    const inspection = one.inspect()
    const last = (...path: (string | number)[]): string | undefined => inspection.lastWriteOf(path)?.tab
    expect(last('a', 'x')).toBe(one.tab.id)
    expect(last('a', 'y', 1)).toBe(one.tab.id)
    expect(last('list', 1, 'done')).toBe(two.tab.id)
    expect(last('list', 1)).toBe(two.tab.id)
    expect(last('list', 0)).toBe(undefined)
    expect(last('n')).toBe(two.tab.id)
    expect(last('never')).toBe(undefined)
    expect(last()).toBe(two.tab.id)
    expect(last('absent', 'deeper')).toBe(undefined)
    expect(inspection.lastWriteOf(['n'])!.time).toBeGreaterThanOrEqual(from)
    expect(inspection.lastWriteOf(['n'])!.time).toBeLessThanOrEqual(Date.now() + 1)
  })

  test('names the layers with their sizes', async () => {
    const mesh = createMesh()
    const { store, tab } = await mesh.ready({ state: { text: '' } })
    const before = await store.inspect().layers()
    expect(before.map(({ name }) => name)).toEqual(['memory', 'indexed-db'])
    await store.setState({ text: 'x'.repeat(10_000) }).durable
    tab.suspend() // leaves a hot copy
    tab.resume()
    await until(() => store.status.safeToClose)
    const [memory, hotCopy, journal] = await store.inspect().layers()
    expect(hotCopy).toEqual({ name: 'hot-copy', bytes: 2 * JSON.stringify(store.getState()).length, differences: 0 })
    expect(journal).toMatchObject({ name: 'indexed-db', records: 1, checkpoints: 0 })
    expect(journal!.bytes).toBeGreaterThan(10_000)
    expect(memory!.bytes).toBeGreaterThan(before[0]!.bytes)
    const alone = (await createMesh().ready({ persist: false })).store
    expect((await alone.inspect().layers()).map(({ name }) => name)).toEqual(['memory'])
  })

  test('waits for the core', () => {
    expect(() => createMesh().open().store.inspect()).toThrow(expect.objectContaining({ code: 'not-ready' }) as Error)
  })
})
