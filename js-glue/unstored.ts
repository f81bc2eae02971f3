// Own writes that are not known to be stored, and how they are made again in an era that lacks them.
import { equals, isPlainObject, type JsonObject, type TreeEdit } from './json-tree.ts'
import { byId, idOf, sameOrder, valueAt, type Lists } from './keyed-list.ts'
import { applyEdits } from './edits.ts'
import { placeOf } from './touched.ts'
import type { StrategyName } from './types.ts'

export interface OwnWrite {
  /** The core's number of it. */
  readonly seq: number
  /** The ledger's. */
  readonly number: number
  readonly edits: readonly TreeEdit[]
  /** What each of them replaced (`replacedBy`). The states they were made on would keep a copy each of every large object. */
  readonly replaced: readonly unknown[]
}

/** What is to be known of the state that edits were made on. */
export function replacedBy(edits: readonly TreeEdit[], before: JsonObject, lists: Lists, strategyOf: (key: string) => StrategyName): readonly unknown[] {
  return edits.map(([path]) => valueAt(before, placeOf(path, lists, strategyOf), lists))
}

/** Whether a list of numbers as `Core.keptAtEnd` gives it has this one: all up to the first, but those of the pairs after it. */
export function isKept(kept: readonly number[], seq: number): boolean {
  for (let i = 1; i < kept.length; i += 2) if (seq >= kept[i]! && seq <= kept[i + 1]!) return false
  return seq <= kept[0]!
}

/**
 * The edits that do to `now` what the write did to the state before it, and leave alone what others have done meanwhile. Where they
 * have written a value of a strategy that keeps several, the write is one beside it, as it would have been; `beside` collects
 * these keys, from one write to the next.
 */
export function onto(now: JsonObject, { edits, replaced }: Pick<OwnWrite, 'edits' | 'replaced'>, lists: Lists, strategyOf: (key: string) => StrategyName, beside: Set<string> = new Set()): TreeEdit[] {
  return edits.flatMap((edit, index): readonly TreeEdit[] => {
    const [path, value, mode] = edit
    const was = replaced[index]
    const key = path[0]!
    const field = lists[key]
    const strategy = field === undefined ? strategyOf(key) : 'merge'
    if (strategy !== 'merge') {
      if (strategy === 'last-write-wins' || (equals(now[key], was) && !beside.has(key))) return [edit]
      beside.add(key)
      return edit.length === 1 ? [] : [[path, value, 3]]
    }
    if (mode !== undefined || edit.length === 1) return [edit]
    const theirs = valueAt(now, path, lists)
    if (field !== undefined && path.length === 1 && Array.isArray(value) && Array.isArray(theirs)) return [[path, listOnto(theirs, Array.isArray(was) ? was : [], value, field)]]
    return inside(was, value, theirs, path)
  })
}

const member = (value: unknown, key: string): unknown => (isPlainObject(value) && Object.hasOwn(value, key) ? value[key] : undefined)

/** What differs between `was` and `mine`, member by member where others have an object too. */
function inside(was: unknown, mine: unknown, theirs: unknown, path: readonly string[]): TreeEdit[] {
  if (equals(was, mine)) return []
  if (!isPlainObject(mine) || !isPlainObject(theirs)) return [[path, mine]]
  const set = Object.keys(mine).flatMap((key) => inside(member(was, key), mine[key], member(theirs, key), [...path, key]))
  const removed = isPlainObject(was) ? Object.keys(was).filter((key) => !Object.hasOwn(mine, key)) : []
  return [...set, ...removed.map((key): TreeEdit => [[...path, key]])]
}

/** Items that the write removed go, those it added or moved are where it put them, those it changed are changed as it did. */
function listOnto(now: readonly unknown[], before: readonly unknown[], mine: readonly unknown[], field: string): unknown[] {
  const [theirs, was, own] = [byId(now, field), byId(before, field), byId(mine, field)]
  const id = (item: unknown): string | undefined => idOf(item, field)
  const left = now.filter((item) => own.has(id(item)) || !was.has(id(item)))
  const stayed = before.filter((item) => own.has(id(item)))
  const moved = !sameOrder(stayed, mine.filter((item) => was.has(id(item))), field)
  const ids = (moved ? [...mine.filter((item) => theirs.has(id(item))), ...left.filter((item) => !own.has(id(item)))] : left).map(id)
  // What was added stands behind its neighbour, or first.
  const placed = new Set(ids)
  const behind = new Map<string | undefined, string[]>()
  let neighbour: string | undefined
  for (const item of mine) {
    const name = id(item)!
    if (placed.has(name)) neighbour = name
    else if (!was.has(name)) behind.set(neighbour, [...(behind.get(neighbour) ?? []), name])
  }
  const order = [...(behind.get(undefined) ?? []), ...ids.flatMap((name) => [name, ...(behind.get(name) ?? [])])]
  return order.map((name) => {
    if (!own.has(name)) return theirs.get(name)
    if (!theirs.has(name)) return own.get(name)
    return applyEdits(theirs.get(name) as JsonObject, inside(was.get(name), own.get(name), theirs.get(name), []), {})
  })
}
