// The public names of `tabmesh/vue`: composables, which follow a store until their scope ends.
import { getCurrentScope, onScopeDispose, shallowRef, type ShallowRef } from 'vue'
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

/** A ref to read: what is shown belongs to the store. */
export type Followed<T> = Readonly<ShallowRef<T>>

/** On a server nothing ends a component's scope: there nothing is followed. */
const isServer = (): boolean => typeof document === 'undefined'

function following<T>(first: T, now: () => T, subscribe: (changed: () => void) => () => void): Followed<T> {
  if (isServer()) return shallowRef(first)
  const shown = shallowRef(now())
  const undo = subscribe(() => (shown.value = now()))
  if (getCurrentScope()) onScopeDispose(undo)
  return shown
}

/** The whole state. Plain objects, not reactive ones: the ref is another with every change. Without a scope (outside of components) it is followed for good. */
export function useStore<S extends State>(store: Store<S>): Followed<DeepReadonly<S>>
/** What `selector` makes of the state; another when that is another by `equals` (default Object.is). */
export function useStore<S extends State, T>(store: Store<S>, selector: (state: DeepReadonly<S>) => T, equals?: (a: T, b: T) => boolean): Followed<T>
export function useStore<S extends State>(store: Store<S>, selector: (state: DeepReadonly<S>) => unknown = (state) => state, equals: (a: unknown, b: unknown) => boolean = Object.is): Followed<unknown> {
  let value = selector(store.getState())
  const now = (): unknown => {
    const next = selector(store.getState())
    return equals(value, next) ? value : (value = next)
  }
  return following(selector(store.getInitialState()), now, (changed) => store.subscribe(changed))
}

function useView<S extends State, T>(store: Store<S>, view: View<T>): Followed<T> {
  const { get, subscribe } = follow(store, view)
  return following(view.first, get, subscribe)
}

/** Who leads; what leads does so by `store.leader.run`. */
export function useLeader<S extends State>(store: Store<S>): Followed<LeaderInfo> {
  return useView(store, leaderView)
}

/** The tabs that are here, this one first; `lastSeen` is of the last change of anything else. */
export function useTabs<S extends State>(store: Store<S>): Followed<readonly TabInfo[]> {
  return useView(store, tabsView)
}

/** What awaits somebody's choice, by `store.conflicts.resolve`. */
export function useConflicts<S extends State>(store: Store<S>): Followed<readonly Conflict[]> {
  return useView(store, conflictsView)
}

/** Shares a store with `getState`, `setState` and `subscribe`, such as zustand's, until the scope ends. */
export function useBroadcastSync<S extends object>(store: AppStore<S>, config: BroadcastSyncConfig<S>): BroadcastSync<S> {
  const sync = createBroadcastSync(store, config)
  if (isServer()) return sync
  const undo = hold(sync)
  if (getCurrentScope()) onScopeDispose(undo)
  return sync
}
