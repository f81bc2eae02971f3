// redux's enhancer `tabmesh`: slices are shared as values, and chosen actions run on the state of all tabs.
import type { Action, Reducer, StoreEnhancer, UnknownAction } from 'redux'
import { equals } from '../json-tree.ts'
import type { State, Store, StoreOptions } from '../types.ts'
import { bind, holdable, valuesOf } from './bind.ts'

/** Options of the enhancer: those of `createStore`, with the state that the reducer begins with. Keys are slices. */
export interface EnhancerOptions extends Omit<StoreOptions<State>, 'state' | 'include' | 'exclude'> {
  include?: readonly string[]
  exclude?: readonly string[]
  /**
   * The actions that run once, on the newest stored state of all tabs, one after another: what two tabs count at one instant counts twice. This tab shows their effect at once. What other
   * actions change is shared as values; those that are dispatched before such a one is stored run with it, in their order.
   */
  actions?: (action: UnknownAction) => boolean
}

/** What the enhancer adds to the store: the tabmesh store below it, with `ready`, `leader`, `conflicts` and the rest. */
export interface WithTabmesh {
  readonly tabmesh: Store<State>
}

export type TabmeshEnhancer = (options: EnhancerOptions) => StoreEnhancer<WithTabmesh>

/** What other tabs have changed reaches the reducer as an action of this type, when the state already has it. */
export const remoteType = 'tabmesh/remote'

type Members = Record<string, unknown>
interface Remote extends Action {
  readonly type: typeof remoteType
  readonly payload: { readonly values: Members; readonly removed: readonly string[] }
}

/** A chosen action, and what this tab alone had when it was dispatched. */
interface Pending {
  readonly action: UnknownAction
  readonly own: Members
}

const without = (state: object, keys: readonly string[]): Members => Object.fromEntries(Object.entries(state).filter(([key]) => !keys.includes(key)))

/** The enhancer on other surroundings: `create` makes the tabmesh store. */
export function enhancerOn(create: (options: StoreOptions<State>) => Store<State>): TabmeshEnhancer {
  const enhancer = ({ actions, include, exclude, ...options }: EnhancerOptions) => {
    const isShared = (key: string): boolean => (include?.includes(key) ?? true) && exclude?.includes(key) !== true

    return (createReduxStore: (reducer: Reducer<Members>, preloaded?: Members) => { getState(): Members; dispatch(action: Action): unknown; replaceReducer(next: Reducer<Members>): void }) => (first: Reducer<Members>, preloaded?: Members) => {
      let reducer = first
      const reduced = (state: Members | undefined, action: Action): Members => {
        if (action.type !== remoteType) return reducer(state, action)
        const { values, removed } = (action as Remote).payload
        return reducer({ ...without(state!, removed), ...values }, action)
      }
      const store = createReduxStore(reduced, preloaded)
      const begun = store.getState() as unknown
      if (typeof begun !== 'object' || begun === null || Array.isArray(begun)) throw new TypeError('tabmesh shares the keys of an object: let the reducer make one, as combineReducers does')

      /** Chosen actions that this tab shows and that are not stored yet; what all have without them, while there are any. */
      const pending: Pending[] = []
      let confirmed: Members | undefined
      let isRunning = false
      let refreshing: ReturnType<typeof setTimeout> | undefined
      let changed: () => void = () => undefined
      const known = new Set(Object.keys(begun))
      /** Slices that were added later and still are as their reducer begins: nobody has written them. */
      const untouched = new Map<string, unknown>()
      /** How each of these began. */
      const begins: Members = {}
      /** Slices that the reducer has no more: the other tabs keep them. */
      const dropped = new Set<string>()

      const initial = holdable(valuesOf(begun, isShared))
      const mesh = create({ ...options, include, exclude, state: initial } as StoreOptions<State>)

      /** Without what is pending, and without what nobody has written. */
      function written(): Members {
        const state = store.getState()
        const own = untouched.size > 0 ? without(state, [...untouched.keys()]) : state
        const shows = confirmed ? { ...valuesOf(own, (key) => !isShared(key)), ...confirmed } : own
        return dropped.size > 0 ? { ...shows, ...valuesOf(mesh.getState(), (key) => dropped.has(key)) } : shows
      }

      /** Has the store show these shared slices, where it does not. */
      function show(next: Members): void {
        const state = store.getState()
        const removed = Object.keys(state).filter((key) => isShared(key) && next[key] === undefined && state[key] !== undefined && !untouched.has(key))
        const values = Object.fromEntries(Object.entries(next).filter(([key, value]) => isShared(key) && !Object.is(value, state[key])))
        if (removed.length === 0 && Object.keys(values).length === 0) return
        store.dispatch({ type: remoteType, payload: { values, removed } } as Remote)
        touch()
      }

      function touch(): void {
        const state = store.getState()
        for (const [key, value] of untouched) if (!Object.is(state[key], value)) untouched.delete(key)
      }

      /** Each on what this tab alone had then: it has done its work there. */
      function reducedBy(batch: readonly Pending[], from: Members): Members {
        return batch.reduce((state, { action, own }) => reducer({ ...state, ...own }, action), from)
      }

      function refresh(): void {
        clearTimeout(refreshing)
        refreshing = undefined
        show(reducedBy(pending, { ...store.getState(), ...begins, ...written() }))
      }

      const view = {
        getState: written,
        setState(partial: Members, replace = false) {
          const next = replace ? partial : { ...written(), ...partial }
          if (!confirmed) return show(next)
          confirmed = valuesOf(next, isShared)
          // It may be what is pending that has been stored: shown when that is known, or else in a task of its own.
          refreshing ??= setTimeout(refresh)
        },
        subscribe(listener: () => void) {
          changed = listener
          return () => {
            changed = () => undefined
          }
        },
      }

      /** Slices that have been added: what others have of them is shown, and how they begin is written by nobody. */
      function meet(): void {
        touch()
        const state = store.getState()
        const added = Object.keys(state).filter((key) => isShared(key) && !known.has(key))
        if (added.length === 0) return
        const probe = reducer(undefined, { type: `tabmesh/begins/${Math.random()}` })
        const shared = mesh.getState() as Members
        for (const key of added) {
          known.add(key)
          dropped.delete(key)
          if (probe[key] === undefined || !equals(probe[key], state[key])) continue // somebody has written it
          untouched.set(key, state[key])
          begins[key] = state[key]
          if (shared[key] !== undefined) show({ ...state, [key]: shared[key] })
        }
      }

      async function run(): Promise<void> {
        if (isRunning) return
        isRunning = true
        while (pending.length > 0) {
          const batch = [...pending]
          const outcome = await stored(batch, Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join('-'))
          pending.splice(0, batch.length)
          if (outcome) confirmed = { ...confirmed, ...valuesOf(outcome, isShared) }
          if (outcome && pending.length > 0) refresh()
          else {
            // Where they could not be run on what all have, their effect is shared as values.
            const last = confirmed
            confirmed = undefined
            clearTimeout(refreshing)
            refreshing = undefined
            if (outcome) show(last!)
          }
          changed()
        }
        isRunning = false
      }

      /** What all have afterwards; undefined where there is nothing to run them on. */
      async function stored(batch: readonly Pending[], id: string): Promise<Members | undefined> {
        try {
          for (;;) {
            const { status, state } = await mesh.transaction(
              (newest) => {
                const before: Members = { ...store.getState(), ...begins, ...newest }
                const after = reducedBy(batch, before)
                return Object.fromEntries(Object.keys({ ...before, ...after }).flatMap((key) => (isShared(key) && !Object.is(before[key], after[key]) ? [[key, after[key]]] : [])))
              },
              { id },
            )
            if (status === 'committed') return state as Members
          }
        } catch (cause) {
          if (!['unsupported', 'closed'].includes((cause as { code?: string }).code ?? '')) console.error(cause)
          return undefined
        }
      }

      function dispatch(action: Action): unknown {
        // What follows one that is not stored yet may rest on it.
        if (pending.length === 0 && actions?.(action) !== true) {
          const result = store.dispatch(action)
          meet()
          changed()
          return result
        }
        confirmed ??= valuesOf(written(), isShared)
        const entry: Pending = { action, own: valuesOf(store.getState(), (key) => !isShared(key)) }
        pending.push(entry)
        try {
          return store.dispatch(action)
        } catch (cause) {
          pending.splice(pending.indexOf(entry), 1)
          if (pending.length === 0) confirmed = undefined
          throw cause
        } finally {
          meet()
          void run()
        }
      }

      bind(view, mesh, isShared, initial)
      return {
        ...store,
        dispatch,
        replaceReducer(next: Reducer<Members>) {
          reducer = next
          const before = Object.keys(store.getState())
          store.replaceReducer(reduced)
          const probe = next(undefined, { type: `tabmesh/begins/${Math.random()}` })
          for (const key of before) {
            if (!isShared(key) || key in probe) continue
            known.delete(key)
            dropped.add(key)
          }
          meet()
        },
        tabmesh: mesh,
      }
    }
  }
  return enhancer as never
}
