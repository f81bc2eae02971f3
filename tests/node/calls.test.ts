// Calls: a handler runs in the leader, once, whatever is lost and whoever dies.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createCalls } from '../../js-glue/calls.ts'
import type { Store } from '../../js-glue/index.ts'
import { createMesh, until, type AnyState, type Mesh } from './mesh.ts'

const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => (error as { code?: string }).code ?? error,
  )

/** Tabs that know each other; the first leads. Each notes what it runs. */
async function open(mesh: Mesh, count: number): Promise<{ tabs: Awaited<ReturnType<Mesh['ready']>>[]; runs: string[] }> {
  const runs: string[] = []
  const tabs: Awaited<ReturnType<Mesh['ready']>>[] = []
  for (let i = 0; i < count; i++) {
    const tab = await mesh.ready()
    tab.store.leader.handle('run', (what: string) => {
      runs.push(`${i} ${what}`)
      return `${what} by ${i}`
    })
    tabs.push(tab)
    if (i === 0) await until(() => tab.store.leader.isLeader)
  }
  await until(() => tabs.every(({ store }) => store.leader.id === tabs[0]!.store.tab.id && store.tabs.length === count))
  return { tabs, runs }
}
const storeOf = (tabs: readonly { store: Store<AnyState> }[], i: number): Store<AnyState> => tabs[i]!.store

describe('leader.call', () => {
  afterEach(() => vi.useRealTimers())

  test('runs the handler in the leader, whoever calls, and resolves to what it returns', async () => {
    const { tabs, runs } = await open(createMesh(), 3)
    expect(await storeOf(tabs, 1).leader.call('run', 'x')).toBe('x by 0')
    expect(await storeOf(tabs, 0).leader.call('run', 'y')).toBe('y by 0')
    expect(runs).toEqual(['0 x', '0 y'])
    storeOf(tabs, 0).leader.handle('json', (a: unknown, b: unknown) => Promise.resolve({ a, b, 'ключ\u{1f600}': ['\ud800'] }))
    expect(await storeOf(tabs, 2).leader.call('json', { deep: [1, null] }, '"')).toEqual({ a: { deep: [1, null] }, b: '"', 'ключ\u{1f600}': ['\ud800'] })
    storeOf(tabs, 0).leader.handle('nothing', () => undefined)
    expect(await storeOf(tabs, 2).leader.call('nothing')).toBe(null)
  })

  test('is answered before the store is ready, and waits for a leader', async () => {
    const mesh = createMesh()
    const { store } = mesh.open()
    store.leader.handle('early', (n: number) => n + 1)
    expect(await store.leader.call('early', 1)).toBe(2)
  })

  test('tells what went wrong', async () => {
    const { tabs } = await open(createMesh(), 2)
    const [leader, caller] = [storeOf(tabs, 0).leader, storeOf(tabs, 1).leader]
    leader.handle('throws', () => {
      throw new RangeError('too far')
    })
    await expect(caller.call('throws')).rejects.toMatchObject({ code: 'call-failed', message: 'The handler "throws" failed: too far' })
    leader.handle('no json', () => () => undefined)
    expect(await codeOf(caller.call('no json'))).toBe('call-failed')
    leader.handle('large', () => 'x'.repeat(900_000) + '\u0001'.repeat(90_000))
    expect(await codeOf(caller.call('large'))).toBe('call-failed')
    expect(await codeOf(caller.call('unheard of'))).toBe('no-handler')
    const undo = leader.handle('undone', () => 1)
    undo()
    expect(await codeOf(caller.call('undone'))).toBe('no-handler')
    await expect(caller.call('run', () => 1)).rejects.toThrow(TypeError)
    expect(await codeOf(caller.call('run', 'x'.repeat(900_000), '\u0001'.repeat(90_000)))).toBe('value-too-large')
    const waiting = codeOf(caller.call('throws'))
    await storeOf(tabs, 1).close()
    expect([await waiting, await codeOf(caller.call('run', 'x')), await codeOf(caller.force())]).toEqual(['closed', 'closed', 'closed'])
  })

  test('runs each of 50 calls once, though a third of all messages is lost and a third comes twice', async () => {
    let seed = 7
    const chance = (): boolean => (seed = (seed * 48_271) % 2_147_483_647) % 3 === 0
    const mesh = createMesh()
    const { tabs, runs } = await open(mesh, 3)
    Object.assign(mesh.origin.faults, { lose: chance, double: chance })
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => storeOf(tabs, 1 + (i % 2)).leader.call('run', `c${i}`)))
    expect(results).toEqual(Array.from({ length: 50 }, (_, i) => `c${i} by 0`))
    expect(runs.length).toBe(50)
    expect(new Set(runs).size).toBe(50)
  }, 60_000)

  test('what the leader had not begun when it died, the next one runs', async () => {
    const mesh = createMesh()
    const { tabs, runs } = await open(mesh, 3)
    tabs[0]!.tab.kill()
    expect(await storeOf(tabs, 2).leader.call('run', 'x')).toMatch(/^x by [12]$/)
    expect(runs).toHaveLength(1)
  })

  test('what it had begun is not begun again: nobody knows whether it was done', async () => {
    const mesh = createMesh()
    const { tabs, runs } = await open(mesh, 3)
    for (const { store } of tabs) {
      store.leader.handle('slow', () => {
        runs.push('slow')
        return new Promise(() => undefined)
      })
    }
    const code = codeOf(storeOf(tabs, 2).leader.call('slow'))
    await until(() => runs.length === 1)
    tabs[0]!.tab.kill()
    expect(await code).toBe('call-unknown')
    expect(runs).toEqual(['slow'])
    expect(await storeOf(tabs, 2).leader.call('run', 'next')).toMatch(/^next/)
  }, 20_000)

  test('who leads no more still answers for what it has begun', async () => {
    const mesh = createMesh()
    const { tabs, runs } = await open(mesh, 3)
    let finish!: (value: string) => void
    for (const { store } of tabs) {
      store.leader.handle('slow', () => {
        runs.push('slow')
        return new Promise((resolve) => (finish = resolve))
      })
    }
    const result = storeOf(tabs, 2).leader.call('slow')
    await until(() => runs.length === 1)
    await storeOf(tabs, 1).leader.force()
    await until(() => !storeOf(tabs, 0).leader.isLeader && storeOf(tabs, 2).leader.id === storeOf(tabs, 1).tab.id)
    const frames = mesh.origin.sent.length
    await until(() => mesh.origin.sent.length >= frames + 6) // it is asked of the new one, too
    finish('done')
    expect(await result).toBe('done')
    expect(runs).toEqual(['slow'])
  })

  test('outlasts a sleep of the machine', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true })
    const { tabs } = await open(createMesh(), 2)
    const result = storeOf(tabs, 1).leader.call('run', 'x')
    await Promise.resolve()
    for (const { tab } of tabs) tab.stop()
    vi.setSystemTime(Date.now() + 3_600_000)
    await vi.advanceTimersByTimeAsync(60_000)
    for (const { tab } of [...tabs].reverse()) tab.go()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await result).toBe('x by 0')
  })

  test('gives up after a minute without any leader', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true })
    const mesh = createMesh()
    const { store } = await mesh.ready({ leader: false })
    const code = codeOf(store.leader.call('run', 'x'))
    await vi.advanceTimersByTimeAsync(70_000)
    expect(await code).toBe('call-unanswered')
  })
})

describe('leader.force', () => {
  test('takes the lead from whoever has it, in a larger term', async () => {
    const { tabs } = await open(createMesh(), 3)
    await storeOf(tabs, 2).leader.force()
    expect([storeOf(tabs, 2).leader.isLeader, storeOf(tabs, 2).leader.term]).toEqual([true, 2])
    await until(() => !storeOf(tabs, 0).leader.isLeader && storeOf(tabs, 1).leader.id === storeOf(tabs, 2).tab.id)
    await storeOf(tabs, 2).leader.force()
    expect(storeOf(tabs, 2).leader.term).toBe(2)
    await storeOf(tabs, 2).close()
    await until(() => storeOf(tabs, 0).leader.isLeader || storeOf(tabs, 1).leader.isLeader)
  })

  test('is refused where it cannot be', async () => {
    expect(await codeOf((await createMesh({ locks: false }).ready()).store.leader.force())).toBe('unsupported')
    expect(await codeOf((await createMesh().ready({ leader: false })).store.leader.force())).toBe('unsupported')
  })
})

test('of a caller who has gone nothing is kept', async () => {
  let isHere = true
  const begun: number[] = []
  const calls = createCalls({
    id: 'own',
    handlers: new Map([['run', () => 1]]),
    after: () => () => undefined,
    send: () => undefined,
    leads: () => true,
    isAlive: () => isHere,
    begin: (_, number) => (begun.push(number), Promise.resolve('')),
  })
  const ask = async (): Promise<void> => {
    calls.take('caller', { call: 1, settled: 1, name: 'run', args: [] })
    await new Promise((resolve) => setImmediate(resolve))
  }
  await ask()
  calls.forget()
  await ask()
  expect(begun).toEqual([1])
  isHere = false
  calls.forget()
  await ask()
  expect(begun).toEqual([1, 1])
})

test('what is no note does nothing', () => {
  const calls = createCalls({ id: 'own', handlers: new Map(), after: () => () => undefined, send: () => expect.unreachable(), leads: () => true, isAlive: () => true, begin: () => expect.unreachable() })
  for (const note of [null, 1, 'x', [], {}, { call: 1 }, { call: '1', settled: 1, name: 'x', args: [] }, { done: 7, value: 1 }, { failed: 7 }, { busy: 7 }]) calls.take('other', note)
})
