// Keeps a store of another library and a tabmesh store equal: what differs from the one goes to the other, so that neither hears its own echo.
import { adopt, diffTrees, equals, type TreeEdit } from '../json-tree.ts'
import type { State, Store } from '../types.ts'

/** What zustand's stores have, and others like them. */
export interface AppStore<S> {
  getState(): S
  setState(partial: S | Partial<S> | ((state: S) => S | Partial<S>), replace?: boolean): void
  subscribe(listener: (state: S, previous: S) => void): () => void
}

/** What `bind` asks of it. */
interface Bound {
  getState(): object
  setState(partial: object, replace?: boolean): void
  subscribe(listener: () => void): () => void
}

/** zustand's persist middleware; asynchronous storage is read later. */
export interface Persisted {
  readonly persist?: { hasHydrated(): boolean; onFinishHydration(task: () => void): () => void }
}

const unseen = Symbol()
type Members = Record<string, unknown>

/** zustand waits for a storage that fails, and tells nobody. */
const persistWaitMs = 3000

/** Calls once persist has read, or has not answered for 3 s; at once without persist. Returns the undo. */
export function whenHydrated({ persist }: Persisted, task: () => void): () => void {
  if (persist?.hasHydrated() !== false) {
    task()
    return () => undefined
  }
  const end = (): void => {
    clearTimeout(timer)
    undo()
  }
  const go = (): void => {
    end()
    task()
  }
  const undo = persist.onFinishHydration(go)
  const timer = setTimeout(go, persistWaitMs)
  return end
}

/** Without what JSON can't hold: it stays where it is. */
export function holdable(values: Members): Members {
  return Object.fromEntries(
    Object.entries(values).filter(([key, value]) => {
      try {
        adopt(value, undefined, [key])
        return true
      } catch {
        return false // told when it is bound
      }
    }),
  )
}

/** The members of a state that can be shared: no functions. */
export function valuesOf(state: object, isShared: (key: string) => boolean): Members {
  return Object.fromEntries(Object.entries(state).filter(([key, value]) => isShared(key) && typeof value !== 'function' && value !== undefined))
}

/**
 * Shows in `app` what `mesh` has, now and from now on, and writes what `app` changes into `mesh`. `base`: what `app` had when the two last were equal; what it has changed since
 * is written, and no more than that. A key that JSON can't hold is printed, once a reason: it stays in `app` alone, and is tried again when it changes. Returns the undo.
 */
export function bind(app: Bound, mesh: Store<State>, isShared: (key: string) => boolean, base: Members): () => void {
  let handed: Members
  const told = new Set<string>()

  function write(task: () => void): void {
    try {
      task()
    } catch (cause) {
      const error = cause as Error & { code?: string }
      if (told.has(error.message) || error.code === 'closed') return
      told.add(error.message)
      console.error(error)
    }
  }

  function push(): void {
    const shows = app.getState() as Members
    const values = valuesOf(shows, isShared)
    const changed = Object.keys({ ...handed, ...values }).filter((key) => !Object.is(values[key], handed[key]) && typeof shows[key] !== 'function')
    if (changed.length === 0) return
    handed = values
    const partial = Object.fromEntries(changed.map((key) => [key, values[key]]))
    try {
      mesh.setState(partial)
    } catch {
      // One bad key keeps the others from nobody.
      for (const key of changed) write(() => mesh.setState({ [key]: values[key] }))
    }
  }

  // What it is told as the previous state may be one that it has never been told as the state: another listener has written.
  function pull(): void {
    const state = mesh.getState() as Members
    const shows = app.getState() as Members
    const changed = Object.keys({ ...pulled, ...state }).filter((key) => isShared(key) && !Object.is(state[key], pulled[key]) && !equals(state[key], shows[key]) && typeof shows[key] !== 'function')
    pulled = state
    if (changed.length === 0) return
    const partial = Object.fromEntries(changed.filter((key) => state[key] !== undefined).map((key) => [key, state[key]]))
    const gone = changed.filter((key) => state[key] === undefined)
    if (gone.length === 0) return app.setState(partial)
    const next: Members = { ...shows, ...partial }
    for (const key of gone) delete next[key]
    app.setState(next, true)
  }

  const edits: TreeEdit[] = []
  handed = valuesOf(app.getState(), isShared)
  diffTrees(base, handed, [], edits)
  for (const [path, value] of edits) write(() => mesh.set(path, value))
  // What is not there either is gone, unless it cannot be.
  let pulled: Members = Object.fromEntries(Object.keys(holdable(handed)).map((key) => [key, unseen]))
  pull()
  const leave = [mesh.subscribe(pull), app.subscribe(push)]
  return () => leave.forEach((undo) => undo())
}
