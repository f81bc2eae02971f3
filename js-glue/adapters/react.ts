// The public names of `tabmesh/react`: hooks on useSyncExternalStore, which render on a server what the store had first.
import { useEffect, useInsertionEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import type { Conflict, DeepReadonly, State, Store, TabInfo } from '../types.ts'
import type { AppStore } from './bind.ts'
import type { BroadcastSync, BroadcastSyncConfig } from './broadcast-sync.ts'
import { hold } from './hold.ts'
import { conflictsView, follow, leaderView, tabsView, type LeaderInfo, type View } from './views.ts'
import { createBroadcastSync } from './zustand.ts'

export type { BroadcastSync, BroadcastSyncConfig } from './broadcast-sync.ts'
export type { LeaderInfo } from './views.ts'
export type { AppStore } from './bind.ts'
export type { SyncState } from './broadcast-sync.ts'

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

function useView<S extends State, T>(store: Store<S>, view: View<T>): T {
  const source = useMemo(() => follow(store, view), [store, view])
  return useSyncExternalStore(source.subscribe, source.get, () => view.first)
}

/** Who leads; what leads does so by `store.leader.run`. */
export function useLeader<S extends State>(store: Store<S>): LeaderInfo {
  return useView(store, leaderView)
}

/** The tabs that are here, this one first; `lastSeen` is of the last change of anything else. */
export function useTabs<S extends State>(store: Store<S>): readonly TabInfo[] {
  return useView(store, tabsView)
}

/** What awaits somebody's choice, by `store.conflicts.resolve`. */
export function useConflicts<S extends State>(store: Store<S>): readonly Conflict[] {
  return useView(store, conflictsView)
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
