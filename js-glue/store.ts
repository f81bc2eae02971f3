// The store a user holds: a plain JS mirror of the state, so that a read never crosses into WebAssembly.
import { TabmeshError } from './errors.ts'
import { adopt, applyEdits, checkKey, diffTrees, isPlainObject, warm, type JsonObject, type TreeEdit } from './json-tree.ts'
import { createTouchedPaths } from './touched.ts'
import type { Level, Path, Strategy, Write } from './types.ts'
import { createWriteLedger, type WriteLedger } from './writes.ts'

/** The half of the engine that the mirror needs. */
export interface Committer {
  /** Stamps edits; returns the write's number. Throws TabmeshError, and then nothing has changed. */
  commit(edits: readonly TreeEdit[]): number
  /** Asks the other tabs to acknowledge the newest write. */
  askShared(): void
  /** Does something when nobody waits. */
  later(task: () => void): void
}

export interface MirrorOptions {
  readonly state: JsonObject
  readonly include: readonly string[] | undefined
  readonly exclude: readonly string[] | undefined
  readonly strategyOf: (key: string) => Strategy
  /** A listener threw, or a write was refused after it had been applied. */
  readonly onError: (error: TabmeshError) => void
}

export interface Mirror {
  readonly state: JsonObject
  readonly initial: JsonObject
  readonly version: number
  readonly ledger: WriteLedger
  /** The initial values of the shared keys. */
  sharedInitial(): JsonObject
  isShared(key: string): boolean
  setState(partial: unknown, replace: boolean): Write
  set(path: Path, value: unknown): Write
  level(level: Level): Promise<void>
  subscribe(listener: (state: JsonObject, previous: JsonObject) => void): () => void
  /** From now on writes are stamped; those made before are stamped now. */
  connect(committer: Committer): void
  /** Merges what others wrote under what this tab has not sent yet. Returns the top-level keys concerned. */
  applyRemote(edits: readonly TreeEdit[]): string[]
  /** Sends what has been written so far, now. */
  flush(): void
  close(error: Error): void
}

export function createMirror(options: MirrorOptions): Mirror {
  const initial = adoptInitial(options.state)
  let state = initial
  let sent = initial // what the core has seen; the same object as `state` when nothing is pending
  let version = 0
  let committer: Committer | undefined
  let scheduled = false
  let closed: Error | undefined
  const touched = createTouchedPaths()
  const toWarm = new Set<JsonObject>()
  const replaced = new Set<string>()
  const listeners = new Set<(state: JsonObject, previous: JsonObject) => void>()
  const ledger = createWriteLedger(() => committer?.askShared())

  function isShared(key: string): boolean {
    if (!options.include && !options.exclude) return true
    return (options.include?.includes(key) ?? true) && !(options.exclude?.includes(key) ?? false)
  }

  function adoptInitial(given: JsonObject): JsonObject {
    if (!isPlainObject(given)) throw new TypeError('state must be a plain object')
    const result: Record<string, unknown> = {}
    for (const key of Object.keys(given)) {
      checkKey(key, [])
      if (given[key] !== undefined) result[key] = isShared(key) ? adopt(given[key], undefined, [key]) : given[key]
    }
    return result
  }

  function publish(next: JsonObject): void {
    const previous = state
    state = next
    version++
    for (const listener of [...listeners]) {
      if (state !== next) break // a listener has written: the others were told the newer state already
      try {
        listener(next, previous)
      } catch (cause) {
        options.onError(new TabmeshError('listener-failed', 'A listener of the store threw; the others were told all the same.', { cause }))
      }
    }
  }

  function schedule(): void {
    if (scheduled || !committer || touched.empty) return
    scheduled = true
    queueMicrotask(() => {
      scheduled = false
      flush()
    })
  }

  /** Applies local edits at once; what lies at `paths` is sent later. Both may name excluded keys. */
  function change(edits: readonly TreeEdit[], paths: readonly TreeEdit[]): Write {
    if (closed) throw closed
    let shared = false
    for (const [path] of paths) {
      const key = path[0]!
      if (!isShared(key)) continue
      shared = true
      touched.add(options.strategyOf(key) === 'merge' ? path : [key])
    }
    const handle = shared ? ledger.write() : settled
    schedule()
    const next = applyEdits(state, edits, toWarm)
    if (next !== state) publish(next)
    if (touched.empty) sent = state
    return handle
  }

  function keepWarm(): void {
    if (toWarm.size === 0) return
    committer?.later(() => {
      toWarm.forEach(warm)
      toWarm.clear()
    })
  }

  function flush(): void {
    if (!committer || touched.empty) return
    const edits = touched.edits(state, replaced)
    touched.clear()
    replaced.clear()
    try {
      const seq = committer.commit(edits)
      sent = state
      if (ledger.seal(seq)) committer.askShared()
      keepWarm()
    } catch (cause) {
      const error = cause instanceof TabmeshError ? cause : new TabmeshError('malformed-json', 'A write was refused.', { cause })
      ledger.refuse(error)
      // What the core refused no other tab will see: take it back here too.
      const excluded = diff(sent, state, (key) => !isShared(key))
      publish(applyEdits(sent, excluded))
      sent = state
      options.onError(error)
    }
  }

  function diff(before: JsonObject, after: JsonObject, wanted: (key: string) => boolean): TreeEdit[] {
    const edits: TreeEdit[] = []
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (!wanted(key) || before[key] === after[key]) continue
      edits.push(Object.hasOwn(after, key) ? [[key], after[key]] : [[key]])
    }
    return edits
  }

  function editsOfKey(key: string, value: unknown, edits: TreeEdit[]): void {
    const old = Object.hasOwn(state, key) ? state[key] : undefined
    if (value === undefined) {
      if (old !== undefined) edits.push([[key]])
      return
    }
    checkKey(key, [])
    if (!isShared(key)) {
      if (!Object.is(old, value)) edits.push([[key], value])
      return
    }
    const adopted = adopt(value, old, [key])
    if (Object.is(adopted, old)) return
    edits.push([[key], adopted])
  }

  return {
    get state() {
      return state
    },
    initial,
    get version() {
      return version
    },
    ledger,
    isShared,
    sharedInitial: () => Object.fromEntries(Object.entries(initial).filter(([key]) => isShared(key))),

    setState(partial, replace) {
      const given: unknown = typeof partial === 'function' ? (partial as (state: JsonObject) => unknown)(state) : partial
      if (given === state) return settled
      if (!isPlainObject(given)) throw new TypeError('setState takes a plain object, or a function that returns one')
      const edits: TreeEdit[] = []
      for (const key of Object.keys(given)) editsOfKey(key, given[key], edits)
      if (replace) for (const key of Object.keys(state)) if (!Object.hasOwn(given, key)) edits.push([[key]])
      if (edits.length === 0) return settledBy(ledger)
      return changeKeys(edits, replace)
    },

    set(path, value) {
      const edit = placeEdit(state, path, value, isShared)
      return edit === undefined ? settledBy(ledger) : change([edit], [edit])
    },

    level(level) {
      return ledger.level(level)
    },

    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },

    connect(connected) {
      committer = connected
      flush()
    },

    applyRemote(edits) {
      flush()
      const wanted = options.include || options.exclude ? edits.filter(([path]) => isShared(path[0]!)) : edits
      const base = applyEdits(sent, wanted, toWarm)
      if (base === sent) return []
      // Before the core is connected nothing has been sent: what this tab wrote stays on top.
      const next = sent === state ? base : applyEdits(base, [...diff(sent, state, (key) => !isShared(key)), ...touched.edits(state, replaced)])
      sent = base
      publish(next)
      if (touched.empty) sent = state
      keepWarm()
      return [...new Set(wanted.map(([path]) => path[0]!))]
    },

    flush,
    close(error) {
      closed = error
      ledger.close(error)
      listeners.clear()
    },
  }

  /** Whole keys were given: only what differs inside them is sent. */
  function changeKeys(edits: readonly TreeEdit[], replace: boolean): Write {
    const paths: TreeEdit[] = []
    for (const edit of edits) {
      const key = edit[0][0]!
      const old = state[key]
      if (replace && edit.length > 1) replaced.add(key)
      if (!replace && isShared(key) && isPlainObject(old) && isPlainObject(edit[1])) diffTrees(old, edit[1], [key], paths)
      else paths.push(edit)
    }
    return change(edits, paths)
  }
}

/** The handle of a write that had nothing to share. */
const settled: Write = {
  applied: Promise.resolve(),
  shared: Promise.resolve(),
  durable: Promise.resolve(),
  relayed: Promise.resolve(),
}

/** The handle of a write that changed nothing: as far along as the newest write. */
function settledBy(ledger: WriteLedger): Write {
  return {
    applied: Promise.resolve(),
    get shared() {
      return ledger.level('shared')
    },
    get durable() {
      return ledger.level('durable')
    },
    get relayed() {
      return ledger.level('relayed')
    },
  }
}

/** The edit for `set(path, value)`; inside an array, the whole array with the item changed. */
function placeEdit(state: JsonObject, path: Path, value: unknown, isShared: (key: string) => boolean): TreeEdit | undefined {
  if (!Array.isArray(path) || path.length === 0) throw new TypeError("a path is a list of keys with at least one, such as ['filters', 'project']")
  const keys: string[] = []
  let at: unknown = state
  for (let i = 0; i < path.length; i++) {
    const key: unknown = path[i]
    if (typeof key !== 'string' && typeof key !== 'number') throw new TypeError(`path[${i}] must be a string or number`)
    if (Array.isArray(at)) {
      const array: unknown = withItem(at, path.slice(i), value)
      return [keys, isShared(keys[0]!) ? adopt(array, at, [...keys]) : array]
    }
    checkKey(String(key), keys)
    keys.push(String(key))
    at = isPlainObject(at) && Object.hasOwn(at, keys[i]!) ? at[keys[i]!] : undefined
  }
  if (value === undefined) return at === undefined ? undefined : [keys]
  const adopted = isShared(keys[0]!) ? adopt(value, at, [...keys]) : value
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
