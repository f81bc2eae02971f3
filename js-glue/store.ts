// The store a user holds: a plain JS mirror of the state, so that a read never crosses into WebAssembly.
import { TabmeshError } from './errors.ts'
import type { Written } from './history.ts'
import { applyEdits } from './edits.ts'
import { adopt, checkKey, diffTrees, isPlainObject, type JsonObject, type TreeEdit } from './json-tree.ts'
import { adoptList, idOf, sameOrder, valueAt, type Lists } from './keyed-list.ts'
import { createTouchedPaths, placeOf, type TouchedPaths } from './touched.ts'
import type { Level, Path, StrategyName, Write } from './types.ts'
import { createWriteLedger, type WriteLedger } from './writes.ts'

/** Writes remembered for undo until the rest is loaded, which may be never. */
const earlyMax = 100

export interface MirrorOptions {
  readonly state: JsonObject
  /** What to show until the state is hydrated. */
  readonly hot: JsonObject | undefined
  readonly include: readonly string[] | undefined
  readonly exclude: readonly string[] | undefined
  readonly strategyOf: (key: string) => StrategyName
  readonly lists: Lists
  readonly shouldSync: ((previous: JsonObject, next: JsonObject) => boolean) | undefined
  /** A listener threw, or a write was refused after it had been applied. */
  readonly onError: (error: TabmeshError) => void
}

/** What sync.ts is told from `connect` on. */
export interface MirrorSink {
  flush(): void
  /** The same, whatever its pace. */
  flushNow(): void
  /** Somebody waits for a level; `sealed`: of a write that was sent. */
  awaited(level: Level, sealed: boolean): void
  written(written: Written): void
}

/** The store from inside. */
export interface MirrorParts {
  readonly state: JsonObject
  /** What the core has seen; the same object as `state` when nothing is pending, and no hot copy is shown. */
  sent: JsonObject
  /** Whether a hot copy is shown: what is hydrated takes its place. */
  isHot: boolean
  readonly lists: Lists
  readonly touched: TouchedPaths
  /** What `shouldSync` keeps here: shown over what others write, never sent. */
  readonly withheld: TouchedPaths
  /** Keys that replace whatever others write into them meanwhile. */
  readonly replaced: Set<string>
  /** Large objects whose next copy should be made when nobody waits. */
  readonly toWarm: Set<JsonObject>
  readonly ledger: WriteLedger
  isShared(key: string): boolean
  strategyOf(key: string): StrategyName
  adoptKey(key: string, value: unknown, previous: unknown): unknown
  publish(next: JsonObject): void
  change(edits: readonly TreeEdit[], paths: readonly TreeEdit[]): Write
  /** A shared place is to be sent, and what was withheld of its key. */
  touch(path: readonly string[]): void
  /** What `setState(given)` would write on that state. */
  plan(given: unknown, on: JsonObject): TreeEdit[]
  increment(path: readonly string[], by: number): Write
  written(next: JsonObject, shared: boolean): Write
  connect(sink: MirrorSink): void
  readonly onError: (error: TabmeshError) => void
}

export interface Mirror {
  readonly parts: MirrorParts
  readonly initial: JsonObject
  /** What readers see: the state, or what `view` shows over it. */
  readonly shown: JsonObject
  readonly version: number
  /** The initial values of the shared keys. */
  sharedInitial(): JsonObject
  setState(partial: unknown, replace: boolean): Write
  set(path: Path, value: unknown): Write
  increment(path: Path, by: number): Write
  /** Sends what is withheld of these keys; default all. */
  release(keys?: readonly string[]): void
  subscribe(listener: (state: JsonObject, previous: JsonObject) => void): () => void
  /** Shows readers these shared keys, until the next change, or until it is called without: writes go by what is so. Throws TypeError for what JSON can't hold. */
  view(other?: JsonObject): void
  /** Writes of shared keys throw from now on, and none gets any further; what others write shows. */
  refuse(error: Error): void
  close(error: Error): void
}

export function createMirror(options: MirrorOptions): Mirror {
  const { lists, onError } = options
  const initial = adoptInitial(options.state)
  let state = withHotCopy()
  let viewed: JsonObject | undefined
  let version = 0
  let sink: MirrorSink | undefined
  let scheduled = false
  let closed: Error | undefined
  let refused: Error | undefined
  const early: Written[] = []
  const touched = createTouchedPaths()
  const withheld = createTouchedPaths()
  const toWarm = new Set<JsonObject>()
  const replaced = new Set<string>()
  const listeners = new Set<(state: JsonObject, previous: JsonObject) => void>()
  const ledger = createWriteLedger((level, sealed) => sink?.awaited(level, sealed))

  function isShared(key: string): boolean {
    if (!options.include && !options.exclude) return true
    return (options.include?.includes(key) ?? true) && !(options.exclude?.includes(key) ?? false)
  }

  function adoptInitial(given: JsonObject): JsonObject {
    if (!isPlainObject(given)) throw new TypeError('state must be a plain object')
    const result: Record<string, unknown> = {}
    for (const key of Object.keys(given)) {
      checkKey(key, [])
      if (given[key] !== undefined) result[key] = isShared(key) ? adoptKey(key, given[key], undefined) : given[key]
    }
    return result
  }

  /** Of what was damaged nothing is shown. */
  function withHotCopy(): JsonObject {
    try {
      const shown = Object.entries(options.hot ?? {}).filter(([key]) => isShared(key))
      for (const [key] of shown) checkKey(key, [])
      return shown.length > 0 ? { ...initial, ...Object.fromEntries(shown.map(([key, value]) => [key, adoptKey(key, value, undefined)])) } : initial
    } catch {
      return initial
    }
  }

  function adoptKey(key: string, value: unknown, previous: unknown): unknown {
    const field = lists[key]
    return field !== undefined && Array.isArray(value) ? adoptList(value, previous, [key], field) : adopt(value, previous, [key])
  }

  function publish(next: JsonObject): void {
    show(next, undefined)
  }

  function show(next: JsonObject, over: JsonObject | undefined): void {
    const previous = viewed ?? state
    state = next
    viewed = over
    const shown = over ?? next
    version++
    for (const listener of [...listeners]) {
      if ((viewed ?? state) !== shown) break // a listener has written: the others were told the newer state already
      try {
        listener(shown, previous)
      } catch (cause) {
        onError(new TabmeshError('listener-failed', 'A listener of the store threw; the others were told all the same.', { cause }))
      }
    }
  }

  const endView = (): void => {
    if (viewed) show(state, undefined)
  }

  function schedule(): void {
    if (scheduled || !sink || touched.empty) return
    scheduled = true
    void done.then(() => {
      scheduled = false
      sink?.flush()
    })
  }

  const record = (entry: Written): void => {
    if (sink) sink.written(entry)
    else if (early.push(entry) > earlyMax) early.shift()
  }

  /** Applies local edits at once; what lies at `paths` is sent later. Both may name excluded keys. */
  function change(edits: readonly TreeEdit[], paths: readonly TreeEdit[]): Write {
    if (closed) throw closed
    const shared = paths.filter(([path]) => isShared(path[0]!))
    if (refused && shared.length > 0) throw refused
    const applied = (): JsonObject => applyEdits(state, edits, lists, toWarm)
    const before = state
    let next = applied()
    const leaves = shared.length > 0 && mayLeave(next, shared.map(([path]) => path[0]!))
    if (state !== before) next = applied() // what left was refused
    for (const [path] of shared) {
      if (leaves) touch(path)
      else withheld.add(placeOf(path, lists, options.strategyOf))
    }
    record({ before: state, after: next, paths: paths.map(([path]) => path) })
    return written(next, leaves)
  }

  /** What waits to be sent is sent with the values of then: before one of its keys is withheld it leaves, and where it cannot, the change goes with it. */
  function mayLeave(next: JsonObject, keys: readonly string[]): boolean {
    try {
      if (options.shouldSync?.(state, next) ?? true) return true
    } catch (cause) {
      onError(new TabmeshError('listener-failed', 'shouldSync threw: the change was shared.', { cause }))
      return true
    }
    const waits = (): boolean => keys.some((key) => touched.has(key))
    if (waits()) sink?.flushNow()
    return waits()
  }

  function touch(path: readonly string[]): void {
    withheld.give(path[0]!, touched)
    touched.add(placeOf(path, lists, options.strategyOf))
  }

  function written(next: JsonObject, shared: boolean): Write {
    const handle = shared ? ledger.write() : settled
    schedule()
    if (next !== state) publish(next)
    if (touched.empty && withheld.empty && !parts.isHot) parts.sent = state
    return handle
  }

  function increment(path: readonly string[], by: number): Write {
    if (closed ?? (isShared(path[0]!) && refused)) throw closed ?? refused!
    const at = valueAt(state, path, lists) ?? 0
    const key = path[0]!
    if (!Number.isSafeInteger(by)) throw new TypeError(`increment takes a whole number, not ${String(by)}`)
    if (typeof at !== 'number' || !Number.isSafeInteger(at)) throw new TypeError(`state.${path.join('.')} is not a whole number: increment counts from one, or from nothing`)
    if (!Number.isSafeInteger(at + by)) throw new RangeError(`state.${path.join('.')} would leave ±(2^53 - 1), beyond which numbers are not exact`)
    const strategy = options.strategyOf(key)
    if (isShared(key) && strategy !== 'merge' && (strategy !== 'last-write-wins' || path.length > 1)) throw new TypeError(`${key} merges by ${strategy}: counters need merge, or last-write-wins for the whole key`)
    if (by === 0) return ledger.unchanged()
    const applied = (): JsonObject => applyEdits(state, [[path, by, 2]], lists, toWarm)
    const before = state
    let next = applied()
    const leaves = isShared(key) && mayLeave(next, [key])
    if (state !== before) next = applied()
    if (leaves) withheld.give(key, touched)
    if (isShared(key)) (leaves ? touched : withheld).increment(path, by)
    record({ path, by })
    return written(next, leaves)
  }

  function editsOfKeys(given: unknown, replace: boolean, on = state): TreeEdit[] {
    if (!isPlainObject(given)) throw new TypeError('setState takes a plain object, or a function that returns one')
    const edits: TreeEdit[] = []
    for (const key of Object.keys(given)) editsOfKey(key, given[key], edits, on)
    if (replace) for (const key of Object.keys(on)) if (!Object.hasOwn(given, key)) edits.push([[key]])
    return edits
  }

  function editsOfKey(key: string, value: unknown, edits: TreeEdit[], on: JsonObject): void {
    const old = Object.hasOwn(on, key) ? on[key] : undefined
    if (value === undefined) {
      if (old !== undefined) edits.push([[key]])
      return
    }
    checkKey(key, [])
    if (!isShared(key)) {
      if (!Object.is(old, value)) edits.push([[key], value])
      return
    }
    const adopted = adoptKey(key, value, old)
    if (Object.is(adopted, old)) return
    edits.push([[key], adopted])
  }

  const parts: MirrorParts = {
    get state() {
      return state
    },
    sent: initial,
    isHot: state !== initial,
    lists,
    touched,
    withheld,
    replaced,
    toWarm,
    ledger,
    isShared,
    strategyOf: options.strategyOf,
    adoptKey,
    publish,
    change,
    touch,
    plan: (given, on) => insideKeys(editsOfKeys(given, false, on), on),
    increment,
    written,
    onError,
    connect(connected) {
      sink = connected
      early.splice(0).forEach(record)
    },
  }

  return {
    parts,
    initial,
    get shown() {
      return viewed ?? state
    },
    get version() {
      return version
    },
    sharedInitial: () => Object.fromEntries(Object.entries(initial).filter(([key]) => isShared(key))),

    setState(partial, replace) {
      endView()
      const given: unknown = typeof partial === 'function' ? (partial as (state: JsonObject) => unknown)(state) : partial
      if (given === state) return settled
      const edits = editsOfKeys(given, replace)
      if (edits.length === 0) return ledger.unchanged()
      if (replace) for (const edit of edits) if (edit.length > 1) replaced.add(edit[0][0]!)
      return change(edits, replace ? edits : insideKeys(edits))
    },

    set(path, value) {
      endView()
      const edit = placeEdit(state, path, value, lists, (key, given, old, at) => (!isShared(key) ? given : at.length === 1 ? adoptKey(key, given, old) : adopt(given, old, at)))
      return edit === undefined ? ledger.unchanged() : change([edit], [edit])
    },

    increment(path, by) {
      endView()
      return increment(keysOfPath(state, path, lists), by)
    },

    release(keys = withheld.keys()) {
      if (closed ?? refused) return
      for (const key of keys) withheld.give(key, touched)
      if (touched.empty) return
      ledger.write()
      schedule()
    },

    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },

    view(other) {
      if (closed) return
      const isOwn = ([key]: [string, unknown]): boolean => !isShared(key)
      const over = other && Object.fromEntries([...Object.entries(state).filter(isOwn), ...Object.entries(other).flatMap(([key, value]) => (isShared(key) ? [[key, adoptKey(key, value, state[key])] as const] : []))])
      if (over ?? viewed) show(state, over)
    },

    refuse(error) {
      refused = error
      ledger.close(error)
    },

    close(error) {
      endView()
      closed = error
      ledger.close(error)
      listeners.clear()
    },
  }

  /** Whole keys were given: only what differs inside them is sent. */
  function insideKeys(edits: readonly TreeEdit[], on = state): TreeEdit[] {
    const paths: TreeEdit[] = []
    for (const edit of edits) {
      const key = edit[0][0]!
      const old = on[key]
      if (!isShared(key) || (!Object.hasOwn(lists, key) && options.strategyOf(key) !== 'merge')) paths.push(edit)
      else if (isPlainObject(old) && isPlainObject(edit[1])) diffTrees(old, edit[1], [key], paths)
      else if (Object.hasOwn(lists, key) && Array.isArray(old) && Array.isArray(edit[1]) && sameOrder(old, edit[1], lists[key]!)) diffItems(key, old, edit[1], paths)
      else paths.push(edit)
    }
    return paths
  }

  /** The list has the same items in the same order: only what differs inside them is sent. */
  function diffItems(key: string, old: readonly unknown[], list: readonly unknown[], paths: TreeEdit[]): void {
    list.forEach((item, index) => diffTrees(old[index] as JsonObject, item as JsonObject, [key, idOf(item, lists[key]!)!], paths))
  }
}

/** Its `then` is a microtask without the host, whose queueMicrotask takes 10 µs when it is cold. */
const done = Promise.resolve()

/** The handle of a write that had nothing to share. */
const settled: Write = { applied: done, shared: done, durable: done, relayed: done }

function checkPath(path: Path): void {
  if (!Array.isArray(path) || path.length === 0) throw new TypeError("a path is a list of keys with at least one, such as ['filters', 'project']")
  path.forEach((key: unknown, i) => {
    if (typeof key !== 'string' && typeof key !== 'number') throw new TypeError(`path[${i}] must be a string or number`)
  })
}

/** The path as keys; items of a keyed list by id. Throws where it leads through another array. */
function keysOfPath(state: JsonObject, path: Path, lists: Lists): string[] {
  checkPath(path)
  const keys: string[] = []
  let at: unknown = state
  for (const key of path) {
    if (Array.isArray(at)) {
      const id = keys.length === 1 ? idOf(at[Number(key)], lists[keys[0]!] ?? '') : undefined
      if (id === undefined) throw new TypeError(`state.${keys.join('.')} is an array, whose items merge as one value: count in an object, or in a keyed list`)
      keys.push(id)
      at = (at as unknown[])[Number(key)]
      continue
    }
    checkKey(String(key), keys)
    keys.push(String(key))
    at = isPlainObject(at) && Object.hasOwn(at, String(key)) ? at[String(key)] : undefined
  }
  return keys
}

type AdoptAt = (key: string, value: unknown, previous: unknown, path: (string | number)[]) => unknown

/** The edit for `set(path, value)`: through a keyed list by id; inside another array, the whole array with the item changed. */
function placeEdit(state: JsonObject, path: Path, value: unknown, lists: Lists, adoptAt: AdoptAt): TreeEdit | undefined {
  checkPath(path)
  const keys: string[] = []
  let at: unknown = state
  for (let i = 0; i < path.length; i++) {
    const key = path[i]!
    if (Array.isArray(at)) {
      const field = i === 1 ? lists[keys[0]!] : undefined
      const id = field !== undefined && (i + 1 < path.length || value === undefined) ? idOf(at[Number(key)], field) : undefined
      if (id === undefined) return [keys, adoptAt(keys[0]!, withItem(at, path.slice(i), value), at, [...keys])]
      if (path[i + 1] === field) throw new TypeError(`${keys[0]}[${key}].${field} names the item: set the whole list to give it another`)
      keys.push(id)
      at = (at as unknown[])[Number(key)]
      continue
    }
    checkKey(String(key), keys)
    keys.push(String(key))
    at = isPlainObject(at) && Object.hasOwn(at, keys[i]!) ? at[keys[i]!] : undefined
  }
  if (value === undefined) return at === undefined ? undefined : [keys]
  const adopted = adoptAt(keys[0]!, value, at, [...keys])
  return Object.is(adopted, at) ? undefined : [keys, adopted]
}

function withItem(parent: unknown, path: readonly (string | number)[], value: unknown): unknown {
  const [key, ...rest] = path as [string | number, ...(string | number)[]]
  if (Array.isArray(parent)) {
    const index = Number(key)
    if (!Number.isInteger(index) || index < 0 || index > parent.length) throw new RangeError(`${String(key)} is not an index of an array of ${parent.length}`)
    const copy = [...(parent as unknown[])]
    if (rest.length === 0 && value === undefined) copy.splice(index, 1)
    else copy[index] = rest.length === 0 ? value : withItem(copy[index], rest, value)
    return copy
  }
  const copy: Record<string, unknown> = isPlainObject(parent) ? { ...parent } : {}
  if (rest.length === 0 && value === undefined) delete copy[key]
  else copy[key] = rest.length === 0 ? value : withItem(copy[key], rest, value)
  return copy
}
