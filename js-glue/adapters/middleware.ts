// zustand's middleware `tabmesh`: a store that is shared from its first task on.
import type { StateCreator, StoreMutatorIdentifier } from 'zustand/vanilla'
import { equals } from '../json-tree.ts'
import type { State, Store, StoreOptions } from '../types.ts'
import { bind, holdable, valuesOf, whenHydrated, type AppStore, type Persisted } from './bind.ts'

/** Members that are functions are not shared. */
export type Values<S> = { [K in keyof S as S[K] extends (...args: never[]) => unknown ? never : K]: S[K] }

/** Options of the middleware: those of `createStore`, with the state that the initializer returns. */
export type TabmeshOptions<S> = Omit<StoreOptions<Values<S>>, 'state'>

/** What the middleware adds to the store: the tabmesh store below it, with `ready`, `leader`, `conflicts` and the rest. */
export interface WithTabmesh<S> {
  readonly tabmesh: Store<Values<S>>
}

declare module 'zustand/vanilla' {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the names are zustand's
  interface StoreMutators<S, A> {
    tabmesh: S extends { getState(): infer T } ? S & WithTabmesh<T> : S
  }
}

export type TabmeshMiddleware = <T extends object, Mps extends [StoreMutatorIdentifier, unknown][] = [], Mcs extends [StoreMutatorIdentifier, unknown][] = []>(
  initializer: StateCreator<T, [...Mps, ['tabmesh', unknown]], Mcs>,
  options: TabmeshOptions<T>,
) => StateCreator<T, Mps, [['tabmesh', unknown], ...Mcs]>

type Api = AppStore<object> & Persisted

/** The middleware on other surroundings: `create` makes the tabmesh store. */
export function middlewareOn(create: (options: StoreOptions<State>) => Store<State>): TabmeshMiddleware {
  const middleware = (initializer: (set: unknown, get: unknown, api: Api) => object, { include, exclude, ...options }: Omit<StoreOptions<State>, 'state'>) => (set: unknown, get: unknown, api: Api) => {
    const first = initializer(set, get, api)
    const functions = Object.keys(first).filter((key) => typeof (first as Record<string, unknown>)[key] === 'function')
    const left = [...(exclude ?? []), ...functions] as string[]
    const isShared = (key: string): boolean => ((include as readonly string[] | undefined)?.includes(key) ?? true) && !left.includes(key)
    let mesh: Store<State> | undefined
    let initial: Record<string, unknown> | undefined
    // What it has when it is made, with what persist reads at once: before that there is no previous state.
    const unwatch = api.subscribe((_, previous: object | undefined) => {
      if (previous) initial ??= valuesOf(previous, isShared)
    })

    function open(): Store<State> {
      if (mesh) return mesh
      unwatch()
      const base = (initial ??= valuesOf(api.getState() ?? first, isShared))
      const state = holdable(base)
      const opened = (mesh = create({ ...options, include, exclude: left as never, state } as StoreOptions<State>))
      const join = (from: Record<string, unknown>): void => void bind(api, opened, isShared, from)
      if (api.persist?.hasHydrated() !== false) join(state)
      else whenHydrated(api, () => void opened.ready.then(() => join(imported(opened)), () => undefined)) // it tells its errors itself
      return opened
    }

    /** What persist has read late is written where nobody has written anything yet; the rest is what others have. */
    function imported(opened: Store<State>): Record<string, unknown> {
      const [state, initial] = [opened.getState(), opened.getInitialState()] as [Record<string, unknown>, Record<string, unknown>]
      const values = valuesOf(api.getState(), isShared)
      return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Object.is(state[key], initial[key]) && !equals(value, initial[key]) ? initial[key] : value]))
    }

    Object.defineProperty(api, 'tabmesh', { get: open, enumerable: true, configurable: true })
    void Promise.resolve().then(open)
    return first
  }
  return middleware as never
}
