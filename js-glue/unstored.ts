// Own writes that are not known to be stored, and how they are made again in an era that lacks them.
import { diffTrees, equals, isPlainObject, type JsonObject, type TreeEdit } from './json-tree.ts'
import { idOf, indexOfId, sameOrder, valueAt, type Lists } from './keyed-list.ts'
import { applyEdits } from './edits.ts'
import type { StrategyName } from './types.ts'

export interface OwnWrite {
  /** The core's number of it. */
  readonly seq: number
  /** The ledger's. */
  readonly number: number
  readonly edits: readonly TreeEdit[]
  /** What it was made on. */
  readonly before: JsonObject
}

/** Whether a list of numbers as `Core.keptAtEnd` gives it has this one: all up to the first, but those of the pairs after it. */
export function isKept(kept: readonly number[], seq: number): boolean {
  for (let i = 1; i < kept.length; i += 2) if (seq >= kept[i]! && seq <= kept[i + 1]!) return false
  return seq <= kept[0]!
}

/**
 * The edits that do to `now` what the write did to `before`, and leave alone what others have done meanwhile. Where they
 * have written a value of a strategy that keeps several, the write is one beside it, as it would have been.
 */
export function onto(now: JsonObject, { edits, before }: OwnWrite, lists: Lists, strategyOf: (key: string) => StrategyName): TreeEdit[] {
  return edits.flatMap((edit): readonly TreeEdit[] => {
    const [path, value, mode] = edit
    const key = path[0]!
    const field = lists[key]
    const strategy = field === undefined ? strategyOf(key) : 'merge'
    if (strategy !== 'merge') {
      if (strategy === 'last-write-wins' || equals(now[key], before[key])) return [edit]
      return edit.length === 1 ? [] : [[path, value, 3]]
    }
    if (mode !== undefined || edit.length === 1) return [edit]
    const was = valueAt(before, path, lists)
    if (isPlainObject(was) && isPlainObject(value)) {
      const inside: TreeEdit[] = []
      diffTrees(was, value, path, inside)
      return inside
    }
    const theirs = now[key]
    if (field === undefined || path.length > 1 || !Array.isArray(was) || !Array.isArray(value) || !Array.isArray(theirs)) return [edit]
    return [[path, listOnto(theirs, was, value, field)]]
  })
}

/** Items that the write removed go, those it added or moved are where it put them, those it changed are changed as it did. */
function listOnto(now: readonly unknown[], before: readonly unknown[], mine: readonly unknown[], field: string): unknown[] {
  const has = (list: readonly unknown[], item: unknown): boolean => indexOfId(list, field, idOf(item, field)!) >= 0
  const twin = (list: readonly unknown[], item: unknown): unknown => list[indexOfId(list, field, idOf(item, field)!)]
  const left = now.filter((item) => has(mine, item) || !has(before, item))
  const added = mine.filter((item) => !has(before, item) && !has(now, item))
  const stayed = before.filter((item) => has(mine, item))
  const moved = !sameOrder(stayed, mine.filter((item) => has(before, item)), field)
  const list = moved ? [...mine.filter((item) => has(left, item)), ...left.filter((item) => !has(mine, item))] : left
  for (const item of added) {
    const neighbour = mine.slice(0, mine.indexOf(item)).reverse().find((other) => has(list, other))
    list.splice(neighbour === undefined ? 0 : indexOfId(list, field, idOf(neighbour, field)!) + 1, 0, item)
  }
  return list.map((item) => {
    const own = twin(mine, item)
    const was = twin(before, item) ?? {}
    const theirs = twin(now, item)
    if (own === undefined || theirs === undefined || equals(was, own)) return theirs ?? item
    const inside: TreeEdit[] = []
    diffTrees(was as JsonObject, own as JsonObject, [], inside)
    return applyEdits(theirs as JsonObject, inside, {})
  })
}
