// Edits applied to immutable trees: each touched object is copied once, large ones ahead of time.
import { equals, isPlainObject, type JsonObject, type TreeEdit } from './json-tree.ts'
import { indexOfId, shareItems, type Lists } from './keyed-list.ts'

const largeFrom = 512
/** The keys of large objects. Copying by a list of keys costs V8 a fifth of copying by `{ ...object }`. */
const keysOfLarge = new WeakMap<object, readonly string[]>()
const warmCopies = new WeakMap<object, Record<string, unknown>>()

function keysIfLarge(object: JsonObject): readonly string[] | undefined {
  const known = keysOfLarge.get(object)
  if (known) return known
  let count = 0
  for (const _ in object) {
    if (++count <= largeFrom) continue
    const keys = Object.keys(object)
    keysOfLarge.set(object, keys)
    return keys
  }
  return undefined
}

function copyByKeys(object: JsonObject, keys: readonly string[]): Record<string, unknown> {
  // V8 makes an object without a prototype a hash table from the start; growing into one takes half as long again.
  const copy = Object.create(null) as Record<string, unknown>
  for (const key of keys) copy[key] = object[key]
  Object.setPrototypeOf(copy, Object.prototype)
  keysOfLarge.set(copy, keys)
  return copy
}

/**
 * A shallow copy to write into. Copying an object of thousands of keys takes half a millisecond, so for large
 * ones a copy is kept ready by `warm` while nobody waits; those are added to `toWarm`.
 */
function copyOf(object: JsonObject, toWarm: Set<JsonObject>): Record<string, unknown> {
  const keys = keysIfLarge(object)
  if (!keys) return { ...object }
  const copy = warmCopies.get(object) ?? copyByKeys(object, keys)
  warmCopies.delete(object)
  toWarm.delete(object) // its time is over
  toWarm.add(copy)
  return copy
}

/** Makes the next copy of a large object ready. */
export function warm(object: JsonObject): void {
  const keys = keysIfLarge(object)
  if (keys && !warmCopies.has(object)) warmCopies.set(object, copyByKeys(object, keys))
}

/** No tree has a member `__proto__`: checkKey and the core refuse it. */
function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (!Object.hasOwn(object, key)) keysOfLarge.delete(object)
  object[key] = value
}

/**
 * The tree with the edits done. Copies each touched object once; what stays equal keeps its identity,
 * and the tree itself is returned when nothing differs. `toWarm` collects large objects that were copied.
 */
export function applyEdits(root: JsonObject, edits: readonly TreeEdit[], lists: Lists, toWarm: Set<JsonObject> = new Set()): JsonObject {
  const copied = new Set<JsonObject>()
  const own = (object: JsonObject): Record<string, unknown> => {
    if (copied.has(object)) return object
    const copy = copyOf(object, toWarm)
    copied.add(copy)
    return copy
  }
  for (const edit of edits) root = applyAt(root, edit, 0, lists[edit[0][0]!], own)
  return root
}

type Own = (object: JsonObject) => Record<string, unknown>

function applyAt(object: JsonObject, edit: TreeEdit, depth: number, listField: string | undefined, own: Own): JsonObject {
  const key = edit[0][depth]!
  const old = Object.hasOwn(object, key) ? object[key] : undefined
  if (depth === edit[0].length - 1) {
    if (edit.length === 1) {
      if (old === undefined) return object
      const copy = own(object)
      delete copy[key]
      keysOfLarge.delete(copy)
      return copy
    }
    const given = edit[2] === 2 ? (typeof old === 'number' ? old : 0) + (edit[1] as number) : edit[1]
    if (old !== undefined && equals(old, given)) return object
    const copy = own(object)
    put(copy, key, depth === 0 && listField !== undefined && Array.isArray(given) ? shareItems(given, old, listField) : given)
    return copy
  }
  if (depth === 0 && listField !== undefined && Array.isArray(old)) {
    const list = applyToItem(old, edit, listField, own)
    if (list === old) return object
    const copy = own(object)
    put(copy, key, list)
    return copy
  }
  if (edit.length === 1 && !isPlainObject(old)) return object
  const child = applyAt(isPlainObject(old) ? old : {}, edit, depth + 1, undefined, own)
  if (child === old) return object
  const copy = own(object)
  put(copy, key, child)
  return copy
}

function applyToItem(list: readonly unknown[], edit: TreeEdit, field: string, own: Own): readonly unknown[] {
  const index = indexOfId(list, field, edit[0][1]!)
  if (index < 0) return list
  if (edit[0].length === 2 && edit.length === 1) return list.filter((_, at) => at !== index)
  const old = list[index] as JsonObject
  const item = edit[0].length === 2 ? edit[1] : applyAt(old, edit, 2, undefined, own)
  return item === old ? list : list.map((other, at) => (at === index ? item : other))
}
