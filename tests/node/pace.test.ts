import { describe, expect, test } from 'vitest'
import { createPace, type PaceOptions } from '../../js-glue/pace.ts'
import type { DebugEvent } from '../../js-glue/index.ts'
import { createHandClock } from './hand-clock.ts'
import { createMesh, until } from './mesh.ts'

/** When something leaves, of writes at these times. */
function leaves(options: Partial<PaceOptions>, writes: readonly number[]): number[] {
  const { clock, pass } = createHandClock(0)
  const left: number[] = []
  let waits = false
  const pace = createPace({ throttleMs: 0, debounceMs: 0, ...options }, clock, () => {
    if (!waits) return
    waits = false
    left.push(clock.now())
    pace.left()
  })
  for (const at of writes) {
    pass(at - clock.now())
    waits = true
    pace.wrote()
  }
  pass(10_000)
  return left
}

describe('what is written leaves', () => {
  const everyTen = Array.from({ length: 100 }, (_, i) => i * 10)

  test('at once, and then at most once in throttleMs, with the last of it', () => {
    expect(leaves({ throttleMs: 100 }, [0, 10, 20, 150, 500])).toEqual([0, 100, 200, 500])
    expect(leaves({ throttleMs: 100 }, everyTen)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000])
  })

  test('when nothing has been written for debounceMs', () => {
    expect(leaves({ debounceMs: 300 }, [0, 100, 200, 600])).toEqual([500, 900])
    expect(leaves({ debounceMs: 300 }, everyTen)).toEqual([1290])
  })

  test('with both, after throttleMs at the latest', () => {
    expect(leaves({ debounceMs: 50, throttleMs: 400 }, everyTen)).toEqual([400, 800, 1040])
  })

  test('though the clock is set back', () => {
    const { clock, pass } = createHandClock(1_000_000)
    let now = 0
    let left = 0
    const pace = createPace({ throttleMs: 100, debounceMs: 0 }, { ...clock, now: () => clock.now() + now }, () => {
      left++
      pace.left()
    })
    pace.wrote()
    now = -500_000
    pace.wrote()
    pass(100)
    expect(left).toBe(2)
  })
})

describe('10,000 writes, each in a task of its own', () => {
  const run = async (options: Partial<PaceOptions>): Promise<{ frames: number; ms: number; others: unknown }> => {
    const mesh = createMesh()
    const state = { n: 0, beside: 0 }
    let frames = 0
    const debug = (event: DebugEvent): void => {
      if (event.type === 'frame' && event.direction === 'out' && event.kind === 'ops') frames++
    }
    const { store } = await mesh.ready({ state, debug, ...options })
    const other = (await mesh.ready({ state })).store
    const began = Date.now()
    for (let i = 1; i <= 10_000; i++) {
      store.setState({ n: i })
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(store.getState().n).toBe(10_000)
    await until(() => other.getState().n === 10_000, 'the last one')
    const ms = Date.now() - began
    return { frames, ms, others: other.getState() }
  }

  test('throttled: at most eleven frames a second, and the last state everywhere', async () => {
    const { frames, ms, others } = await run({ throttleMs: 100 })
    expect(frames).toBeLessThanOrEqual(2 + ms / 100)
    expect(frames).toBeGreaterThan(1)
    expect(others).toEqual({ n: 10_000, beside: 0 })
  })

  test('debounced: one', async () => {
    expect((await run({ debounceMs: 300 })).frames).toBe(1)
  })

  test('neither: one a task', async () => {
    expect((await run({})).frames).toBe(10_000)
  })
})

describe('a paced store', () => {
  test('sends at once what somebody waits for, and when it closes', async () => {
    const mesh = createMesh()
    const { store } = await mesh.ready({ state: { n: 0 }, debounceMs: 100_000 })
    const other = (await mesh.ready({ state: { n: 0 } })).store
    await store.setState({ n: 1 }).shared
    expect(other.getState().n).toBe(1)
    store.setState({ n: 2 })
    await store.flush()
    await until(() => other.getState().n === 2)
    store.setState({ n: 3 })
    store.broadcastState()
    await until(() => other.getState().n === 3)
    store.setState({ n: 4 })
    await store.close()
    await until(() => other.getState().n === 4)
  })

  test('sends what it wrote when its page goes away, or is hidden', async () => {
    const mesh = createMesh()
    const { store, tab } = await mesh.ready({ state: { n: 0 }, debounceMs: 100_000 })
    const other = (await mesh.ready({ state: { n: 0 } })).store
    store.setState({ n: 1 })
    tab.setVisible(false)
    await until(() => other.getState().n === 1)
    store.setState({ n: 2 })
    tab.suspend()
    await until(() => other.getState().n === 2)
  })

  // Else two tabs that write all the time would hurry each other.
  test('is not hurried by what others write, and its later write wins', async () => {
    const mesh = createMesh()
    let frames = 0
    const debug = (event: DebugEvent): void => {
      if (event.type === 'frame' && event.direction === 'out' && event.kind === 'ops') frames++
    }
    const { store } = await mesh.ready({ state: { n: 0, m: 0 }, debounceMs: 200, debug })
    const other = (await mesh.ready({ state: { n: 0, m: 0 } })).store
    store.setState({ n: 1 })
    for (let i = 1; i <= 20; i++) await other.setState({ m: i, n: -i }).shared
    expect(store.getState()).toEqual({ n: 1, m: 20 })
    expect(frames).toBe(0)
    await until(() => other.getState().n === 1)
    expect(frames).toBe(1)
    expect(store.getState()).toEqual(other.getState())
  })

  test('takes nothing out of a list or an object that others have put into it meanwhile', async () => {
    const mesh = createMesh()
    const options = { state: { list: [{ id: 1, x: 0 }, { id: 2, x: 0 }], items: {} }, lists: { list: 'id' } }
    const { store } = await mesh.ready({ ...options, debounceMs: 100_000 })
    const other = (await mesh.ready(options)).store
    const ids = (of: typeof store): number[] => of.getState().list.map(({ id }: { id: number }) => id).sort()
    store.setState({ list: [...store.getState().list, { id: 3, x: 0 }] })
    await new Promise((resolve) => setImmediate(resolve))
    await other.setState({ list: [...other.getState().list, { id: 4, x: 0 }] }).shared
    store.set(['items', 'b'], { x: 1 })
    store.setState({ board: { a: 1 } })
    await new Promise((resolve) => setImmediate(resolve))
    other.setState({ board: { b: 1 } })
    await other.set(['items', 'b'], { y: 1 }).shared
    await store.flush()
    await until(() => ids(other).length === 4 && other.getState().board?.a === 1 && store.getState().board?.b === 1)
    for (const each of [store, other]) expect([ids(each), each.getState().items, each.getState().board]).toEqual([[1, 2, 3, 4], { b: { x: 1, y: 1 } }, { a: 1, b: 1 }])
  })

  test('has not seen what it hears before it has sent, where that makes a difference', async () => {
    const mesh = createMesh()
    const options = { state: { title: '' }, conflicts: 'prompt' as const }
    const { store } = await mesh.ready({ ...options, debounceMs: 100_000 })
    const other = (await mesh.ready(options)).store
    store.setState({ title: 'mine' })
    await other.setState({ title: 'theirs' }).shared
    await until(() => store.conflicts.list().length === 1 && other.conflicts.list().length === 1, 'a conflict in both')
    expect(store.conflicts.list()[0]!.values.map(({ value }) => value).sort()).toEqual(['mine', 'theirs'])
  })
})
