import { describe, expect, test } from 'vitest'
import { isKept, onto, replacedBy } from '../../js-glue/unstored.ts'
import type { JsonObject, TreeEdit } from '../../js-glue/json-tree.ts'
import type { StrategyName } from '../../js-glue/types.ts'

const lists = { list: 'id' }
const strategies: Record<string, StrategyName> = { asked: 'prompt', first: 'first-write-wins', whole: 'last-write-wins' }
const strategyOf = (key: string): StrategyName => strategies[key] ?? 'merge'
const again = (edits: TreeEdit[], before: JsonObject, now: JsonObject, beside?: Set<string>): TreeEdit[] => onto(now, { edits, replaced: replacedBy(edits, before, lists, strategyOf) }, lists, strategyOf, beside)

const ids = (...list: number[]): { id: number }[] => list.map((id) => ({ id }))
/** What assigning `mine` to a list that was `before` makes of `now`. */
const listAgain = (before: object[], mine: object[], now: object[]): unknown => again([[['list'], mine]], { list: before }, { list: now })[0]![1]

test('kept is what lies up to the first number, but for the pairs after it', () => {
  expect([1, 2, 3, 4, 5, 6, 7].filter((seq) => isKept([6, 2, 3, 5, 5], seq))).toEqual([1, 4, 6])
  expect(isKept([0], 1)).toBe(false)
})

describe('a write that is made again', () => {
  test('changes inside an object what it changed, and nothing else', () => {
    expect(again([[['a'], { x: 2, gone: 1, own: { y: 1 } }]], { a: { x: 1, gone: 1, z: 1 } }, { a: { x: 1, theirs: 1 } })).toEqual([[['a', 'x'], 2], [['a', 'own'], { y: 1 }], [['a', 'z']]])
    expect(again([[['a'], { own: { x: 1 } }]], {}, { a: { own: { y: 1 }, theirs: 1 } })).toEqual([[['a', 'own', 'x'], 1]])
  })

  test('is as it was where it replaced, added, removed, or made a value of another', () => {
    const edits: TreeEdit[] = [[['a'], { x: 1 }, 1], [['n'], 3, 2], [['gone']], [['s'], { x: 1 }], [['t'], [1]], [['whole'], { x: 1 }]]
    expect(again(edits, { a: { x: 0 }, s: 's', t: [0], whole: { x: 0 } }, { whole: { y: 1 } })).toEqual(edits)
  })

  test('has not seen what others wrote beside it', () => {
    for (const key of ['asked', 'first']) {
      expect(again([[[key], 'mine']], { [key]: 'old' }, { [key]: 'theirs' })).toEqual([[[key], 'mine', 3]])
      expect(again([[[key], 'mine']], { [key]: { v: 'old' } }, { [key]: { v: 'old' } })).toEqual([[[key], 'mine']])
      expect(again([[[key]]], { [key]: 'old' }, { [key]: 'theirs' })).toEqual([])
      expect(again([[[key]]], { [key]: 'old' }, { [key]: 'old' })).toEqual([[[key]]])
      const beside = new Set<string>()
      expect(again([[[key], 'two']], { [key]: '' }, { [key]: 'one' }, beside)).toEqual([[[key], 'two', 3]])
      expect(again([[[key], 'three']], { [key]: 'two' }, { [key]: 'two' }, beside)).toEqual([[[key], 'three', 3]])
    }
  })

  test('adds and removes items where others did too', () => {
    expect(listAgain(ids(1, 2, 3), ids(1, 4, 3), ids(1, 2, 3, 5))).toEqual(ids(1, 4, 3, 5))
    expect(listAgain(ids(), ids(1, 2), ids(9))).toEqual(ids(1, 2, 9))
    expect(listAgain(ids(1, 2), ids(1, 2, 3), ids(2))).toEqual(ids(2, 3))
    expect(listAgain(ids(1, 2), ids(2), ids(2, 1))).toEqual(ids(2))
  })

  test('moves items to where it put them', () => {
    expect(listAgain(ids(1, 2, 3), ids(3, 1, 2), ids(1, 2, 3, 4))).toEqual(ids(3, 1, 2, 4))
    expect(listAgain(ids(1, 2, 3), ids(3, 1, 2), ids(1, 3))).toEqual(ids(3, 1))
  })

  test('changes in items what it changed', () => {
    const before = [{ id: 1, x: 1, y: 1 }, { id: 2 }]
    expect(listAgain(before, [{ id: 1, x: 2, y: 1 }, { id: 2 }, { id: 3 }], [{ id: 1, x: 1, y: 5 }, { id: 2, z: 1 }])).toEqual([{ id: 1, x: 2, y: 5 }, { id: 2, z: 1 }, { id: 3 }])
    expect(listAgain(before, [{ id: 1, x: 2, y: 1 }, { id: 2 }], [{ id: 2 }])).toEqual([{ id: 2 }])
    expect(listAgain([], [{ id: 1, x: 1 }], [{ id: 1, y: 1 }])).toEqual([{ id: 1, y: 1, x: 1 }])
  })

  test('is the whole list where there is none any more', () => {
    expect(again([[['list'], ids(1)]], { list: 'none' }, { list: ids(2) })).toEqual([[['list'], ids(1, 2)]])
    expect(again([[['list'], ids(1, 2)]], { list: ids(1) }, {})).toEqual([[['list'], ids(1, 2)]])
  })
})
