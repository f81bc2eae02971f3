import { describe, expect, test } from 'vitest'
import { createMesh, until } from './mesh.ts'

describe('history', () => {
  test('takes back and repeats writes of every sort, newest first', async () => {
    const { store } = await createMesh().ready({ state: { a: 1, o: { x: 1 } } })
    const states = [store.getState()]
    const write = (task: () => void): void => {
      task()
      states.push(store.getState())
    }
    write(() => store.setState({ a: 2, b: [1] }))
    write(() => store.set(['o', 'y', 'z'], 3))
    write(() => store.increment(['n'], 4))
    write(() => store.remove(['o', 'x']))
    write(() => store.setState({ only: 1 }, true))
    for (let i = states.length - 2; i >= 0; i--) {
      expect(store.history.canUndo).toBe(true)
      expect(store.history.undo()).toBe(true)
      if (i === 2) expect({ ...store.getState(), n: 0 }).toEqual({ ...states[i], n: 0 }) // a count of nothing is 0
      else if (i < 2) expect({ ...store.getState(), n: 0 }).toEqual({ ...states[i], n: 0 })
      else expect(store.getState()).toEqual(states[i])
    }
    expect(store.history.undo()).toBe(false)
    for (let i = 1; i < states.length; i++) {
      expect(store.history.redo()).toBe(true)
      if (i >= 3) expect(store.getState()).toEqual(states[i])
    }
    expect(store.history.canRedo).toBe(false)
    store.history.undo()
    store.setState({ a: 9 })
    expect(store.history.redo()).toBe(false)
    store.history.clear()
    expect(store.history.canUndo).toBe(false)
  })

  test('never takes back what another tab has written', async () => {
    const mesh = createMesh()
    const [a, b] = [(await mesh.ready({ state: { x: 0, o: {} } })).store, (await mesh.ready({ state: { x: 0, o: {} } })).store]
    a.setState({ x: 1, o: { mine: 1, both: 1 } })
    await until(() => b.getState().o.both === 1)
    b.setState({ x: 2 })
    b.setState({ x: 1 })
    b.set(['o', 'both'], 2)
    b.set(['o', 'theirs'], 3)
    await until(() => a.getState().o.theirs === 3)
    b.setState({ x: 5 })
    await until(() => a.getState().x === 5)
    b.setState({ x: 1 }) // what a wrote once, but now it is b's
    await until(() => a.getState().x === 1)
    a.history.undo()
    expect(a.getState()).toEqual({ x: 1, o: { both: 2, theirs: 3 } })
    await until(() => JSON.stringify(b.getState()) === JSON.stringify(a.getState()))
  })

  test('takes back what was done to a list, item by item', async () => {
    const mesh = createMesh()
    const options = { state: { list: [{ id: 1, n: 1 }, { id: 2, n: 1 }] }, lists: { list: 'id' } }
    const [a, b] = [(await mesh.ready(options)).store, (await mesh.ready(options)).store]
    a.setState({ list: [{ id: 2, n: 2 }, { id: 3 }] }) // removes 1, changes 2, adds 3
    await until(() => b.getState().list.length === 2)
    b.setState({ list: [...b.getState().list, { id: 4 }] })
    await until(() => a.getState().list.length === 3)
    a.history.undo()
    expect(a.getState().list).toEqual([{ id: 1, n: 1 }, { id: 2, n: 1 }, { id: 4 }])
    await until(() => JSON.stringify(b.getState()) === JSON.stringify(a.getState()))
    a.history.redo()
    expect(a.getState().list.map(({ id }: { id: number }) => id).sort()).toEqual([2, 3, 4])
  })

  test('takes an increment back without the others\' increments', async () => {
    const mesh = createMesh()
    const [a, b] = [(await mesh.ready({ state: { n: 0 } })).store, (await mesh.ready({ state: { n: 0 } })).store]
    a.increment(['n'], 5)
    b.increment(['n'], 7)
    await until(() => a.getState().n === 12)
    a.history.undo()
    expect(a.getState().n).toBe(7)
    await until(() => b.getState().n === 7)
  })

  test('includes what was written before the store was ready', async () => {
    const { store } = createMesh().open({ state: { a: 1 } })
    store.setState({ a: 2 })
    expect(store.history.canUndo).toBe(false)
    await store.ready
    expect(store.history.undo()).toBe(true)
    expect(store.getState().a).toBe(1)
  })
})
