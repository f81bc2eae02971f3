// Keyed lists: arrays of objects that merge item by item. An item is named by its id as JSON text.
import { adopt, equals, isPlainObject, type JsonObject } from './json-tree.ts'

/** Which top-level keys are keyed lists, and the field that names their items. */
export type Lists = Readonly<Record<string, string>>

export function idOf(item: unknown, field: string): string | undefined {
  const id = isPlainObject(item) && Object.hasOwn(item, field) ? item[field] : undefined
  return typeof id === 'string' || typeof id === 'number' ? JSON.stringify(id) : undefined
}

export function indexOfId(list: readonly unknown[], field: string, id: string): number {
  return list.findIndex((item) => idOf(item, field) === id)
}

/** The items by their ids; none for what is no array. */
export function byId(list: unknown, field: string): Map<string | undefined, unknown> {
  return new Map(Array.isArray(list) ? list.map((item: unknown) => [idOf(item, field), item]) : [])
}

/** As `adopt`, for a list: items keep their identity wherever they have moved. Throws TypeError for an item without an id, or with another one's. */
export function adoptList(value: readonly unknown[], previous: unknown, path: (string | number)[], field: string): unknown {
  const before = byId(previous, field)
  const seen = new Set<string>()
  let same = Array.isArray(previous) && previous.length === value.length
  const list = value.map((given, index) => {
    const id = idOf(given, field)
    if (id === undefined) throw new TypeError(`state.${path.join('.')}[${index}] has no ${field}: each item of this list needs a string or number there`)
    if (seen.has(id)) throw new TypeError(`state.${path.join('.')}[${index}] has the ${field} of another item, ${id}: give each its own`)
    seen.add(id)
    path.push(index)
    const item = adopt(given, before.get(id), path)
    path.pop()
    same &&= item === (previous as unknown[])[index]
    return item
  })
  return same ? previous : list
}

/** A list from another tab: items that are equal keep their identity. */
export function shareItems(list: readonly unknown[], previous: unknown, field: string): unknown[] {
  const before = byId(previous, field)
  return list.map((item) => {
    const old = before.get(idOf(item, field))
    return equals(old, item) ? old : item
  })
}

/** Whether two lists have the same items in the same order, changed or not. */
export function sameOrder(a: readonly unknown[], b: readonly unknown[], field: string): boolean {
  return a.length === b.length && a.every((item, index) => idOf(item, field) === idOf(b[index], field))
}

/** What is at a path, through lists by id; `undefined` where there is nothing. */
export function valueAt(state: JsonObject, path: readonly string[], lists: Lists): unknown {
  let at: unknown = state
  for (let i = 0; i < path.length; i++) {
    const field = i === 1 ? lists[path[0]!] : undefined
    if (Array.isArray(at) && field !== undefined) at = at[indexOfId(at, field, path[i]!)]
    else at = isPlainObject(at) && Object.hasOwn(at, path[i]!) ? at[path[i]!] : undefined
  }
  return at
}
