// The public names of `tabmesh/zustand`.
import { createStore } from '../create-store.ts'
import type { AppStore } from './bind.ts'
import { createBroadcastSyncOn, type BroadcastSync, type BroadcastSyncConfig } from './broadcast-sync.ts'
import { middlewareOn, type TabmeshMiddleware } from './middleware.ts'

export type { BroadcastSync, BroadcastSyncConfig, SyncState } from './broadcast-sync.ts'
export type { TabmeshMiddleware, TabmeshOptions, Values, WithTabmesh } from './middleware.ts'
export type { AppStore } from './bind.ts'

/**
 * Shares a zustand store that exists between all tabs that name the channel, once it is started; the store, its actions and its middleware stay as they are. Members that are
 * functions are not shared. Throws TypeError for a configuration that makes no sense; `start` does for a name.
 */
export function createBroadcastSync<S extends object>(store: AppStore<S>, config: BroadcastSyncConfig<S>): BroadcastSync<S> {
  return createBroadcastSyncOn(createStore, store, config)
}

/**
 * The middleware: `create(tabmesh((set) => ({ … }), { name: 'board' }))` is shared from its first task on, for as long as the page lives or until `store.tabmesh.close()`. Members that
 * are functions are not shared. Goes with immer, persist and devtools, around or within; what persist has kept is the initial state, which beats nothing that was written.
 */
export const tabmesh: TabmeshMiddleware = middlewareOn(createStore)
