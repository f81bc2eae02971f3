// `createBroadcastSync`: a store that exists is shared while it is started.
import type { Resolver, State, Store, StoreOptions, TabInfo } from '../types.ts'
import { bind, holdable, valuesOf, whenHydrated, type AppStore, type Persisted } from './bind.ts'

export type SyncState = 'connected' | 'disconnected' | 'leader' | 'follower'

export interface BroadcastSyncConfig<S> {
  /** All tabs that name it share; 1 to 64 of `A-Z a-z 0-9 . _ : -`. */
  channelName: string
  /** The only top-level keys that are shared; default all. */
  syncKeys?: readonly (keyof S & string)[]
  /** Keys that never leave this tab; wins over `syncKeys`. Members that are functions never do. */
  excludeKeys?: readonly (keyof S & string)[]
  /** At most one frame in so many milliseconds; default 0, one a task. */
  throttleMs?: number
  /** Only when nothing has changed for so many milliseconds. */
  debounceMs?: number
  /**
   * When two tabs write a top-level key without having seen each other: the later write wins (default), the earlier does, both are merged field by field, or `customResolver` is asked.
   */
  conflictStrategy?: 'last-write-wins' | 'first-write-wins' | 'merge' | 'custom'
  /**
   * Returns what a key is to be, of two concurrent values of it; `undefined` stands for none. Is called in the leading tab, once: `local` is what that tab has written, or else the earliest.
   * Of more than two values it is called again with its result. When it throws, the later write wins, and an error is printed.
   */
  customResolver?: (local: unknown, remote: unknown) => unknown
  /** Default true. False: `isLeader` is false in all tabs; one of them looks after the storage all the same. */
  enableLeaderElection?: boolean
  /** Has no effect: the browser's locks tell the next leader at once, without a beat. */
  leaderHeartbeatMs?: number
  /** Prints every frame. */
  debug?: boolean
  /** `connected` when the state is here, then `leader` or `follower` whenever that changes; `disconnected` after `stop`. */
  onSyncStateChange?: (state: SyncState) => void
  /** Other tabs have changed these keys; `source` is the id of one of them, where it is known. */
  onRemoteUpdate?: (keys: readonly (keyof S & string)[], source: string | undefined) => void
  /** False keeps a change of this tab here, until a later one of the same key is shared. */
  shouldSync?: (previous: S, next: S) => boolean
}

export interface BroadcastSync<S> {
  /** Shares from now on. What the store has is its initial state the first time, which beats nothing that was written; what changed between `stop` and here is written. */
  start(): void
  /** Shares no more; the store keeps what it has. Resolves when what was written is stored, or at once where others in this page go on with it. */
  stop(): Promise<void>
  isActive(): boolean
  isLeader(): boolean
  /** Of this page load; empty until the core is loaded. */
  getTabId(): string
  /** Asks the other tabs for what this one lacks. */
  requestState(): void
  /** Sends now what is waiting, or was kept by `shouldSync`. */
  broadcastState(keys?: readonly (keyof S & string)[]): void
  /** This one first. */
  getConnectedTabs(): readonly TabInfo[]
  /** This tab leads; rejects where there are no Web Locks, or no election. */
  forceLeader(): Promise<void>
}

/** Folds the values of a key, the leading tab's own first. */
const resolverOf =
  (self: () => string, resolve: (local: unknown, remote: unknown) => unknown): Resolver =>
  (values, { entries }) => {
    const own = Math.max(0, entries.findIndex(({ tab }) => tab === self()))
    return values.filter((_, at) => at !== own).reduce((local, remote) => resolve(local, remote), values[own])
  }

/** The same on other surroundings: `create` makes the tabmesh store. */
export function createBroadcastSyncOn<S extends object>(create: (options: StoreOptions<State>) => Store<State>, store: AppStore<S> & Persisted, config: BroadcastSyncConfig<S>): BroadcastSync<S> {
  const { channelName, syncKeys, excludeKeys, conflictStrategy = 'last-write-wins', customResolver, enableLeaderElection = true, shouldSync } = config
  if (conflictStrategy === 'custom' && typeof customResolver !== 'function') throw new TypeError("'custom' needs customResolver")
  const isShared = (key: string): boolean => (syncKeys === undefined || (syncKeys as readonly string[]).includes(key)) && !(excludeKeys as readonly string[] | undefined)?.includes(key)
  let mesh: Store<State> | undefined
  let unbind: (() => void) | undefined
  let base: Record<string, unknown> | undefined // what the others had of it when it was stopped
  let stoppedAt: S | undefined
  let cancelStart: (() => void) | undefined
  let shown: SyncState = 'disconnected'
  let stopping: Promise<void> = Promise.resolve()

  function tell(state: SyncState): void {
    if (state === shown) return
    shown = state
    attempt(() => config.onSyncStateChange?.(state))
  }

  function attempt(task: () => void): void {
    try {
      task()
    } catch (error) {
      console.error(error)
    }
  }

  function tellRole(): void {
    if (shown === 'disconnected' || !enableLeaderElection || mesh!.leader.id === undefined) return
    tell(mesh!.leader.isLeader ? 'leader' : 'follower')
  }

  function begin(): void {
    cancelStart = undefined
    const initial = (base ??= holdable(valuesOf(store.getState(), isShared)))
    let previous = stoppedAt ?? store.getState()
    // What is undefined is as not given.
    const opened: Store<State> = create({
      name: channelName,
      state: initial,
      include: syncKeys as never,
      exclude: excludeKeys as never,
      throttleMs: config.throttleMs,
      debounceMs: config.debounceMs,
      conflicts: conflictStrategy === 'custom' ? { resolve: resolverOf(() => opened.tab.id, customResolver!) } : conflictStrategy,
      shouldSync: shouldSync && (() => shouldSync(previous, store.getState())),
      debug: config.debug,
    } as StoreOptions<State>)
    mesh = opened
    // Others in this page may have the same store open: nothing of this one stays there when it is stopped.
    const undo = [
      bind(store, opened, isShared, initial),
      store.subscribe((next) => (previous = next)), // after what is shared of it
      opened.on('error', ({ error }) => {
        console.error(error)
        if (opened.tabs.length === 0 && shown !== 'disconnected') void stop() // it has ended
      }),
      opened.on('leader', tellRole),
      opened.on('remote-update', ({ keys, source }) => attempt(() => config.onRemoteUpdate?.(keys, source))),
    ]
    previous = store.getState()
    unbind = () => undo.forEach((each) => each())
    opened.ready.then(
      () => {
        if (mesh !== opened) return
        tell('connected')
        tellRole()
      },
      () => undefined, // the store tells its errors itself
    )
  }

  function stop(): Promise<void> {
    cancelStart?.()
    cancelStart = undefined
    if (mesh) {
      stoppedAt = store.getState()
      try {
        base = valuesOf(mesh.exportState(), isShared) // what the others have of it, or may have: not what `shouldSync` has kept
      } catch {
        // It was not ready, or has ended.
      }
      unbind?.()
      stopping = mesh.close()
      mesh = undefined
      tell('disconnected')
    }
    return stopping
  }

  return {
    start() {
      if (mesh ?? cancelStart) return
      let begun = false
      const cancel = whenHydrated(store, () => {
        begun = true
        begin()
      })
      if (!begun) cancelStart = cancel
    },
    stop,
    isActive: () => mesh !== undefined,
    isLeader: () => enableLeaderElection && mesh?.leader.isLeader === true,
    getTabId: () => mesh?.tab.id ?? '',
    requestState: () => mesh?.requestState(),
    broadcastState: (keys) => mesh?.broadcastState(keys as never),
    getConnectedTabs: () => mesh?.tabs ?? [],
    async forceLeader() {
      if (!mesh || !enableLeaderElection) throw new TypeError('forceLeader needs start() and enableLeaderElection')
      await mesh.leader.force()
    },
  }
}
