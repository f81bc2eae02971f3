// The public names of `tabmesh/react`: hooks on useSyncExternalStore, which render on a server what the store had first.
import { useEffect, useInsertionEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import type { Conflict, DeepReadonly, Leader, State, Store, StoreEvents, TabInfo } from '../types.ts'
import type { AppStore } from './bind.ts'
import type { BroadcastSync, BroadcastSyncConfig } from './broadcast-sync.ts'
import { createBroadcastSync } from './zustand.ts'

export type { BroadcastSync, BroadcastSyncConfig } from './broadcast-sync.ts'

/** The whole state; renders again with every change. */
export function useStore<S extends State>(store: Store<S>): DeepReadonly<S>
/** What `selector` makes of the state; renders again when that is another by `equals` (default Object.is). A selector that makes new objects each time needs `equals`. */
export function useStore<S extends State, T>(store: Store<S>, selector: (state: DeepReadonly<S>) => T, equals?: (a: T, b: T) => boolean): T
export function useStore<S extends State>(store: Store<S>, selector: (state: DeepReadonly<S>) => unknown = (state) => state, equals: (a: unknown, b: unknown) => boolean = Object.is): unknown {
  const shown = useRef<{ readonly value: unknown } | undefined>(undefined)
  const [now, first] = useMemo(() => {
    // One state has one selection: React asks again and again.
    const selected = (stateOf: () => DeepReadonly<S>) => {
      let last: { readonly state: DeepReadonly<S>; readonly value: unknown } | undefined
      return (): unknown => {
        const state = stateOf()
        if (last?.state === state) return last.value
        const next = selector(state)
        const before = last ?? shown.current
        last = { state, value: before !== undefined && equals(before.value, next) ? before.value : next }
        return last.value
      }
    }
    return [selected(() => store.getState()), selected(() => store.getInitialState())] as const
  }, [store, selector, equals])
  const value = useSyncExternalStore(useMemo(() => (listener: () => void) => store.subscribe(listener), [store]), now, first)
  useEffect(() => {
    shown.current = { value }
  }, [value])
  return value
}

/** What `read` says now, and after every such event. `first`: what a server renders. */
function useEvents<S extends State, T>(store: Store<S>, events: readonly (keyof StoreEvents<S>)[], read: (store: Store<S>) => T, same: (a: T, b: T) => boolean, first: T): T {
  const source = useMemo(() => {
    let value = read(store)
    const renew = (): void => {
      const next = read(store)
      if (!same(value, next)) value = next
    }
    return {
      get: () => value,
      subscribe: (changed: () => void) => {
        renew() // what has happened since it was rendered
        const undo = events.map((event) =>
          store.on(event, () => {
            renew()
            changed()
          }),
        )
        return () => undo.forEach((each) => each())
      },
    }
  }, [store, events, read, same])
  return useSyncExternalStore(source.subscribe, source.get, () => first)
}

export type LeaderInfo = Pick<Leader, 'isLeader' | 'id' | 'term' | 'guarantee'>

const leaderEvents = ['leader', 'status'] as const // the guarantee is the storage's
const nobody: LeaderInfo = { isLeader: false, id: undefined, term: 0, guarantee: 'advisory' }
const leaderOf = ({ leader: { isLeader, id, term, guarantee } }: Store<State>): LeaderInfo => ({ isLeader, id, term, guarantee })
const sameLeader = (a: LeaderInfo, b: LeaderInfo): boolean => a.id === b.id && a.term === b.term && a.isLeader === b.isLeader && a.guarantee === b.guarantee

/** Who leads; what leads does so by `store.leader.run`. */
export function useLeader<S extends State>(store: Store<S>): LeaderInfo {
  return useEvents(store as unknown as Store<State>, leaderEvents, leaderOf, sameLeader, nobody)
}

const tabEvents = ['tabs'] as const
const noTabs: readonly TabInfo[] = []
const tabsOf = (store: Store<State>): readonly TabInfo[] => store.tabs
const sameTabs = (a: readonly TabInfo[], b: readonly TabInfo[]): boolean =>
  a.length === b.length && a.every(({ id, label, isLeader, visible }, i) => b[i]!.id === id && b[i]!.label === label && b[i]!.isLeader === isLeader && b[i]!.visible === visible)

/** The tabs that are here, this one first; `lastSeen` is of the last change of anything else. */
export function useTabs<S extends State>(store: Store<S>): readonly TabInfo[] {
  return useEvents(store as unknown as Store<State>, tabEvents, tabsOf, sameTabs, noTabs)
}

const conflictEvents = ['conflict'] as const
const noConflicts: readonly Conflict[] = []
const conflictsOf = (store: Store<State>): readonly Conflict[] => store.conflicts.list()
const sameConflicts = (a: readonly Conflict[], b: readonly Conflict[]): boolean => a.length === b.length && a.every(({ id, values }, i) => b[i]!.id === id && b[i]!.values.length === values.length)

/** What awaits somebody's choice, by `store.conflicts.resolve`. */
export function useConflicts<S extends State>(store: Store<S>): readonly Conflict[] {
  return useEvents(store as unknown as Store<State>, conflictEvents, conflictsOf, sameConflicts, noConflicts)
}

/** How many components have started a sync, and its end that waits for the next task: StrictMode and hot reloading mount again at once. */
const holders = new WeakMap<object, { count: number; ending?: ReturnType<typeof setTimeout> | undefined }>()

function hold<S>(sync: BroadcastSync<S>): () => void {
  const holder = holders.get(sync) ?? { count: 0 }
  holders.set(sync, holder)
  clearTimeout(holder.ending)
  holder.count++
  sync.start()
  return () => {
    if (--holder.count === 0) holder.ending = setTimeout(() => void sync.stop())
  }
}

/**
 * Shares a zustand store while the component is mounted. Callbacks may be others in every render; other options count from the first one on, and anew when the store or
 * `channelName` is another.
 */
export function useBroadcastSync<S extends object>(store: AppStore<S>, config: BroadcastSyncConfig<S>): BroadcastSync<S> {
  const latest = useRef(config)
  useInsertionEffect(() => {
    latest.current = config
  })
  const sync = useMemo(() => {
    const { customResolver, shouldSync } = config
    return createBroadcastSync(store, {
      ...config,
      onSyncStateChange: (state) => latest.current.onSyncStateChange?.(state),
      onRemoteUpdate: (keys, source) => latest.current.onRemoteUpdate?.(keys, source),
      ...(customResolver && { customResolver: (local: unknown, remote: unknown) => (latest.current.customResolver ?? customResolver)(local, remote) }),
      ...(shouldSync && { shouldSync: (previous: S, next: S) => (latest.current.shouldSync ?? shouldSync)(previous, next) }),
    })
    // The rest of `config` counts from the first render on.
  }, [store, config.channelName])
  useEffect(() => hold(sync), [sync])
  return sync
}
