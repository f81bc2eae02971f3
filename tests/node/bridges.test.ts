// Bridges between stores of two origins, on the memory twin's windows.
import { describe, expect, test } from 'vitest'
import { createStoreOn } from '../../js-glue/open.ts'
import { startEngine } from '../../js-glue/engine.ts'
import { createMemoryOrigin, type MemoryTab } from '../../js-glue/platform/memory.ts'
import type { Platform } from '../../js-glue/platform.ts'
import type { Store, StoreOptions } from '../../js-glue/index.ts'
import { until, wasm, type AnyState } from './mesh.ts'

interface Ends {
  readonly tabs: readonly [MemoryTab, MemoryTab]
  /** Opens the store of either side, another mesh each, with a bridge to the other. */
  readonly open: (side: 0 | 1, options?: Partial<StoreOptions<AnyState>>, bridge?: { origin?: string; include?: string[] }) => Store<AnyState>
}

/** Two windows; the meshes are of two origins, for the twin's windows are known to all. */
function ends(): Ends {
  const windows = createMemoryOrigin()
  const tabs = [windows.openTab(), windows.openTab()] as const
  const origins = [createMemoryOrigin(), createMemoryOrigin()] as const
  const homes = [origins[0].openTab(), origins[1].openTab()] as const
  return {
    tabs: [homes[0], homes[1]],
    open(side, options = {}, { origin = `https://tab-${2 - side}`, include = ['shared', 'list', 'n'] } = {}) {
      const platform: Platform = { ...homes[side].platform, connectWindow: (...given) => tabs[side].platform.connectWindow(...given) }
      const bridges = [{ window: tabs[side === 0 ? 1 : 0].window, origin, include }]
      return createStoreOn<AnyState>({}, () => Promise.resolve({ startEngine, platform }), { name: 'test', state: { shared: {}, list: [], own: 0 }, lists: { list: 'id' }, wasm, bridges, ...options })
    },
  }
}

const sorted = (value: unknown): string => JSON.stringify(value, (_, part: unknown) => (part !== null && typeof part === 'object' && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort()) : part))
const equal = (a: Store<AnyState>, b: Store<AnyState>, key = 'shared'): boolean => sorted(a.getState()[key]) === sorted(b.getState()[key])
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30))

describe('a bridge', () => {
  test('carries the included keys both ways, merged by path, and nothing else', async () => {
    const { open } = ends()
    const [a, b] = [open(0), open(1)]
    await Promise.all([a.ready, b.ready])
    a.setState({ shared: { x: 1 }, own: 'a' })
    await until(() => b.getState().shared.x === 1)
    a.set(['shared', 'from a'], 1)
    b.set(['shared', 'from b'], 2)
    b.setState({ own: 'b' })
    await until(() => 'from b' in a.getState().shared && 'from a' in b.getState().shared)
    expect([a.getState().own, b.getState().own]).toEqual(['a', 'b'])
    a.remove(['shared', 'x'])
    await until(() => !('x' in b.getState().shared))
    a.remove(['shared'])
    await until(() => !('shared' in b.getState()))
    expect(a.tabs).toHaveLength(1)
  })

  test('merges lists item by item, and takes what other tabs of a mesh write', async () => {
    const { open } = ends()
    const [a, b] = [open(0), open(1)]
    await Promise.all([a.ready, b.ready])
    a.setState({ list: [{ id: 1, t: 'one' }, { id: 2, t: 'two' }] }) // prettier-ignore
    await until(() => b.getState().list.length === 2)
    a.setState({ list: [{ id: 1, t: 'uno' }, { id: 2, t: 'two' }] }) // prettier-ignore
    b.setState({ list: [{ id: 2, t: 'two' }, { id: 1, t: 'one' }, { id: 3, t: 'three' }] }) // prettier-ignore
    await until(() => equal(a, b, 'list') && a.getState().list.length === 3)
    expect(a.getState().list).toEqual([{ id: 2, t: 'two' }, { id: 1, t: 'uno' }, { id: 3, t: 'three' }]) // prettier-ignore
  })

  test('ends equal when both write the same at once, again and again', async () => {
    const { open } = ends()
    const [a, b] = [open(0), open(1)]
    await Promise.all([a.ready, b.ready])
    for (let i = 0; i < 50; i++) {
      a.set(['shared', `k${i % 5}`], `a${i}`)
      b.set(['shared', `k${i % 5}`], `b${i}`)
      if (i % 7 === 0) await settle()
    }
    await settle()
    await until(() => equal(a, b))
    expect(Object.keys(a.getState().shared as object)).toHaveLength(5)
  })

  test('what was written beats what is initial, on either side', async () => {
    const { open } = ends()
    const a = open(0, { state: { shared: { theme: 'light' } } })
    await a.ready
    a.set(['shared', 'theme'], 'dark')
    const b = open(1, { state: { shared: { theme: 'light', b: true } } })
    await until(() => b.getState().shared?.theme === 'dark')
    await settle()
    expect(a.getState().shared.theme).toBe('dark')
  })

  test('who was away gets what was written meanwhile, and brings what it has written', async () => {
    const { open, tabs } = ends()
    const [a, b] = [open(0), open(1)]
    await Promise.all([a.ready, b.ready])
    a.setState({ shared: { x: 1, y: 1 }, n: 1 })
    await until(() => b.getState().n === 1 && b.getState().shared.y === 1)
    tabs[1].suspend()
    a.setState({ shared: { x: 2, y: 1 } })
    a.remove(['n'])
    await settle()
    expect(b.getState().shared.x).toBe(1)
    tabs[1].resume()
    await until(() => b.getState().shared.x === 2 && !('n' in b.getState()))
    expect(a.getState()).toMatchObject({ shared: { x: 2, y: 1 } })
    expect('n' in a.getState()).toBe(false)
    a.increment(['n'])
    await until(() => b.getState().n === 1)
  })

  test('a page that is loaded again has what the other side had kept', async () => {
    const { open } = ends()
    const [a, b] = [open(0), open(1)]
    await Promise.all([a.ready, b.ready])
    b.setState({ shared: { x: 'old' } })
    await until(() => a.getState().shared.x === 'old')
    await b.close()
    a.set(['shared', 'x'], 'new')
    const again = open(1)
    await until(() => again.getState().shared.x === 'new')
    expect(a.getState().shared.x).toBe('new')
  })

  test('is none where origin, window or name are another', async () => {
    const { open } = ends()
    const [a, b] = [open(0), open(1, {}, { origin: 'https://tab-3' })]
    await Promise.all([a.ready, b.ready])
    a.set(['shared', 'x'], 1)
    await settle()
    expect(b.getState().shared).toEqual({})
  })

  test('takes only what this side includes, whatever the other sends', async () => {
    const { open } = ends()
    const [a, b] = [open(0, {}, { include: ['shared', 'own'] }), open(1, {}, { include: ['shared'] })]
    await Promise.all([a.ready, b.ready])
    a.setState({ own: 'of a', shared: { x: 1 } })
    await until(() => b.getState().shared.x === 1) // in the same frame
    expect(b.getState().own).toBe(0)
  })

  test('excluded keys stay, though they are included in the bridge', async () => {
    const { open } = ends()
    const [a, b] = [open(0, { exclude: ['own'] }, { include: ['own', 'shared'] }), open(1, {}, { include: ['own', 'shared'] })]
    await Promise.all([a.ready, b.ready])
    a.setState({ own: 'secret', shared: { x: 1 } })
    await until(() => b.getState().shared.x === 1) // in the same frame
    expect(b.getState().own).toBe(0)
  })

  test('undo does not take back what came over it', async () => {
    const { open } = ends()
    const [a, b] = [open(0), open(1)]
    await Promise.all([a.ready, b.ready])
    a.set(['shared', 'x'], 1)
    await until(() => b.getState().shared.x === 1)
    expect(b.history.canUndo).toBe(false)
    expect(a.history.undo()).toBe(true)
    await until(() => !('x' in b.getState().shared))
  })

  test('is none for a tab of an older version', async () => {
    const { open } = ends()
    const newer = open(0, { version: 2, bridges: [] })
    await newer.setState({ shared: { v2: 1 } }).durable
    await newer.close()
    const [a, b] = [open(0), open(1)]
    await Promise.all([a.ready, b.ready])
    expect(a.status.readOnly).toBe(true)
    b.set(['shared', 'x'], 1)
    await settle()
    expect(a.getState().shared).toEqual({})
  })

  test('needs an exact origin, and keys', () => {
    const { open } = ends()
    for (const origin of ['*', '', 'app.example', 'https://*.example', 'https://app.example/', 'null']) expect(() => open(0, {}, { origin })).toThrow('exact origin')
    expect(() => open(0, { bridges: [{ window: null, origin: 'https://app.example', include: [] } as never] })).toThrow(TypeError)
    expect(() => open(0, { bridges: [{ window: { postMessage: () => undefined }, origin: 'https://app.example' } as never] })).toThrow(TypeError)
  })
})

test('a bridge between two versions of the schema carries nothing', async () => {
  const { open } = ends()
  const [a, b] = [open(0, { version: 2, state: { shared: { names: [] } } }), open(1, { version: 1, state: { shared: {} } })]
  await Promise.all([a.ready, b.ready])
  b.set(['shared'], 'the form of version 1')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(a.getState().shared).toEqual({ names: [] })
})

test('what was set back to the initial value while the connection was lost is set back on both sides', async () => {
  const { open, tabs } = ends()
  const [a, b] = [open(0, { state: { n: 0 } }), open(1, { state: { n: 0 } })]
  await Promise.all([a.ready, b.ready])
  await new Promise((resolve) => setTimeout(resolve, 50))
  let isAway = false
  b.subscribe(() => {
    if (isAway || b.getState().n !== 1) return
    isAway = true
    tabs[0].suspend() // before the acknowledgement has come
  })
  a.set(['n'], 1)
  await until(() => isAway)
  a.set(['n'], 0)
  await new Promise((resolve) => setTimeout(resolve, 50))
  tabs[0].resume()
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect([a.getState().n, b.getState().n]).toEqual([0, 0])
})

test('two bridges to one window are refused: they would greet each other for ever', () => {
  const one = { window: { postMessage: () => undefined } as never, origin: 'https://a.example', include: ['n'] }
  const open = (bridges: readonly object[]): unknown => createStoreOn({}, () => Promise.reject(new Error('not loaded')), { name: 'test', state: { n: 0 }, bridges: bridges as never })
  expect(() => open([one, { ...one, include: ['m'] }])).toThrow('two bridges lead to one window of https://a.example')
})
