import { describe, expect, test } from 'vitest'
import { createMesh, until } from './mesh.ts'

describe('increment', () => {
  test('adds up across tabs that count at the same instant', async () => {
    const mesh = createMesh()
    const tabs = await Promise.all([1, 2, 3].map(() => mesh.ready({ state: { visits: 10, stats: {} } })))
    for (let round = 0; round < 20; round++) {
      for (const { store } of tabs) {
        store.increment(['visits'])
        store.increment(['stats', 'clicks'], 2)
      }
    }
    expect(tabs[0]!.store.getState().visits).toBe(30) // its own at once
    await until(() => tabs.every(({ store }) => store.getState().visits === 70 && store.getState().stats.clicks === 120), '60 increments in three tabs')
  })

  test('is kept over a reload, counted once', async () => {
    const mesh = createMesh()
    const first = await mesh.ready({ state: { n: 0 } })
    first.store.increment(['n'], 5)
    first.store.increment(['n'], -2)
    await first.store.flush()
    await first.store.close()
    const second = await mesh.ready({ state: { n: 0 } })
    expect(second.store.getState().n).toBe(3)
    second.store.increment(['n'])
    await second.store.flush()
    const third = await mesh.ready({ state: { n: 0 } })
    expect(third.store.getState().n).toBe(4)
  })

  test('starts anew from a set; an increment that had not seen the set is dropped', async () => {
    const mesh = createMesh()
    const [a, b] = [await mesh.ready(), await mesh.ready()]
    a.store.increment(['n'], 7)
    await until(() => b.store.getState().n === 7)
    a.store.set(['n'], 100)
    b.store.increment(['n'])
    await until(() => a.store.getState().n === b.store.getState().n && b.store.getState().n === 100, 'the set')
    b.store.increment(['n'])
    await until(() => a.store.getState().n === 101)
  })

  test('before ready is counted once, on top of what the others have', async () => {
    const mesh = createMesh()
    const a = await mesh.ready({ state: { n: 0 } })
    a.store.increment(['n'], 5)
    await a.store.flush()
    const b = mesh.open({ state: { n: 0 } })
    b.store.increment(['n'])
    b.store.increment(['n'])
    expect(b.store.getState().n).toBe(2)
    await b.store.ready
    await until(() => a.store.getState().n === 7 && b.store.getState().n === 7)
  })

  test('after a set in the same task is part of what is set', async () => {
    const mesh = createMesh()
    const [a, b] = [await mesh.ready(), await mesh.ready()]
    a.store.set(['n'], 5)
    a.store.increment(['n'])
    a.store.increment(['m'])
    a.store.set(['m'], 50)
    await until(() => b.store.getState().m === 50)
    expect(b.store.getState()).toEqual({ n: 6, m: 50 })
  })

  test('refuses what is no whole number, and says where', async () => {
    const { store } = await createMesh().ready({ state: { name: 'x', half: 0.5, list: [1], most: Number.MAX_SAFE_INTEGER, first: 1 }, conflicts: { first: 'first-write-wins' } })
    expect(() => store.increment(['name'])).toThrow(/state\.name is not a whole number/)
    expect(() => store.increment(['half'])).toThrow(TypeError)
    expect(() => store.increment(['n'], 0.5)).toThrow(/whole number, not 0.5/)
    expect(() => store.increment(['list', 0])).toThrow(/array/)
    expect(() => store.increment(['most'])).toThrow(RangeError)
    expect(() => store.increment(['first'])).toThrow(/first-write-wins/)
    expect(() => store.increment([])).toThrow(TypeError)
    expect(store.getState().most).toBe(Number.MAX_SAFE_INTEGER)
  })
})
