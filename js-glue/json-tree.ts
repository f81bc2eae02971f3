// Pure functions on immutable JSON trees: check, share, compare, edit.
import { TabmeshError } from './errors.ts'

export type JsonObject = { readonly [key: string]: unknown }

/**
 * `[path, value]` sets, `[path]` removes, `[path, value, 1]` replaces, `[path, number, 2]` adds, `[path, value, 3]`
 * sets without having seen what is there: what the core reads and writes. A path leads through a keyed list by the item's id as JSON text.
 */
export type TreeEdit = readonly [path: readonly string[], value?: unknown, mode?: 1 | 2 | 3]

const depthMax = 512
const keyLengthMax = 1024
const valueLengthMax = 1 << 20

/** Whether a value is an object the tree descends into. */
export function isPlainObject(value: unknown): value is JsonObject {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null
}

function place(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, key) => text + (typeof key === 'number' ? `[${key}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`), 'state')
}

function describe(value: unknown): string {
  if (typeof value === 'object' && value !== null) return `a ${(value).constructor?.name ?? 'object without JSON form'}`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return 'a BigInt'
  if (typeof value === 'symbol') return 'a symbol'
  return String(value)
}

function refuse(path: readonly (string | number)[], value: unknown): never {
  throw new TypeError(`${place(path)} is ${describe(value)}, which JSON can't hold: exclude it, or store a plain value instead`)
}

/** Throws what a key is not allowed to be. */
export function checkKey(key: string, path: readonly (string | number)[]): void {
  if (key === '__proto__') throw new TypeError(`${place(path)} has a key "__proto__": use another name`)
  if (key.length > keyLengthMax) throw new TabmeshError('key-too-long', `${place(path)} has a key of ${key.length} characters: use at most ${keyLengthMax} bytes`)
}

/**
 * Checks that `value` is JSON and returns it with whatever equals `previous` replaced by the parts of
 * `previous`: unchanged parts keep their identity. Parts that already are `previous`'s are not walked.
 * Members that are `undefined` are dropped, -0 becomes 0; otherwise the caller's objects are kept.
 * Throws TypeError naming the exact place. O(what is new).
 */
export function adopt(value: unknown, previous: unknown, path: (string | number)[]): unknown {
  if (value === previous && typeof value === 'object') return value
  switch (typeof value) {
    case 'boolean':
      return value
    case 'string':
      if (value.length > valueLengthMax) throw new TabmeshError('value-too-large', `${place(path)} has ${value.length} characters: a single value may have at most 1 MiB`)
      return value
    case 'number':
      if (!Number.isFinite(value)) refuse(path, value)
      return value === 0 ? 0 : value
    case 'object':
      if (value === null) return null
      if (path.length > depthMax) throw new TabmeshError('depth-exceeded', `${place(path.slice(0, 4))}… is nested deeper than ${depthMax} levels, or contains itself`)
      if (Array.isArray(value)) return adoptArray(value, previous, path)
      if (isPlainObject(value)) return adoptObject(value, previous, path)
      return refuse(path, value)
    default:
      return refuse(path, value)
  }
}

function adoptArray(value: readonly unknown[], previous: unknown, path: (string | number)[]): unknown {
  const before = Array.isArray(previous) ? (previous as unknown[]) : []
  let same = Array.isArray(previous) && before.length === value.length
  let copy: unknown[] | undefined
  for (let i = 0; i < value.length; i++) {
    path.push(i)
    if (value[i] === undefined) refuse(path, value[i])
    const item = adopt(value[i], before[i], path)
    path.pop()
    same &&= item === before[i]
    if (!Object.is(item, value[i])) (copy ??= [...value])[i] = item
  }
  return same ? previous : (copy ?? value)
}

function adoptObject(value: JsonObject, previous: unknown, path: (string | number)[]): unknown {
  const before = isPlainObject(previous) ? previous : undefined
  const keys = Object.keys(value)
  if (Object.getOwnPropertySymbols(value).length > 0) refuse(path, Symbol())
  let same = before !== undefined
  let size = 0
  let copy: Record<string, unknown> | undefined
  for (const key of keys) {
    checkKey(key, path)
    const member = value[key]
    if (member === undefined) {
      delete (copy ??= { ...value })[key]
      continue
    }
    size++
    path.push(key)
    const had = before !== undefined && Object.hasOwn(before, key)
    const adopted = adopt(member, had ? before[key] : undefined, path)
    path.pop()
    same &&= had && adopted === before[key]
    if (!Object.is(adopted, member)) (copy ??= { ...value })[key] = adopted
  }
  if (same && before !== undefined && Object.keys(before).length === size) return before
  return copy ?? value
}

/** Structural equality of two JSON values; identical parts are not walked. */
export function equals(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equals(item, b[i]))
  if (!isPlainObject(a) || !isPlainObject(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equals(a[key], b[key]))
}

/** Collects the edits that turn `before` into `after`, descending only where identity differs. */
export function diffTrees(before: JsonObject, after: JsonObject, path: readonly string[], edits: TreeEdit[]): void {
  if (before === after) return
  for (const key in after) {
    const value = after[key]
    const old = Object.hasOwn(before, key) ? before[key] : undefined
    if (Object.is(value, old)) continue
    if (isPlainObject(value) && isPlainObject(old)) diffTrees(old, value, [...path, key], edits)
    else edits.push([[...path, key], value])
  }
  for (const key in before) if (!Object.hasOwn(after, key)) edits.push([[...path, key]])
}

/** A copy that may be changed. */
export const copied = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
