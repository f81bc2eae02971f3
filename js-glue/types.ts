// The public types. API reference: README and docs.

/** What a store can hold: JSON, with objects at the top. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** The state of a store: an object whose shared keys hold JSON. */
export type State = object

/** The keys from the state's root to a place in it; array items by index. */
export type Path = readonly (string | number)[]

/** Read-only all the way down: what `getState` returns is never changed in place. */
export type DeepReadonly<T> = T extends (...args: never[]) => unknown ? T : T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

export type Strategy = 'merge' | 'last-write-wins'

export interface StoreOptions<S extends State> {
  /** One mesh per origin and name: 1 to 64 of `A-Z a-z 0-9 . _ : -`. */
  name: string
  /** Used for keys that nobody has written yet; never beats a written value. */
  state: S
  /** Top-level keys that are shared; default all. */
  include?: readonly (keyof S & string)[]
  /** Top-level keys that never leave this tab; wins over `include`. */
  exclude?: readonly (keyof S & string)[]
  /** How concurrent writes merge, for all keys or by key; default `'merge'`. */
  conflicts?: Strategy | { readonly [K in keyof S & string]?: Strategy }
  /** Where the state is kept; default `true`, IndexedDB with relaxed durability. `false`: memory only. */
  persist?: boolean | { readonly durability?: 'relaxed' | 'strict' }
  /** Whether this tab takes part in the leader election; default true. */
  leader?: boolean
  /** Aborts opening, or closes the store later. */
  signal?: AbortSignal
  /** Where the module is: URL, bytes, or compiled; default the `tabmesh.wasm` beside this file. */
  wasm?: string | URL | ArrayBuffer | Uint8Array | WebAssembly.Module
  /** Every sync event as a record; `true` prints them to the console. */
  debug?: boolean | ((event: DebugEvent) => void)
}

/** How far a write has come. Each promise is made when asked for, and rejects only when the store closes first. */
export interface Write {
  /** In this tab's memory: always, when the call returns. */
  readonly applied: Promise<void>
  /** Another live tab has it; with no other tab, as `durable`. */
  readonly shared: Promise<void>
  /** The IndexedDB transaction that holds it has completed. */
  readonly durable: Promise<void>
  /** The relay has it. Pending for ever without a relay. */
  readonly relayed: Promise<void>
}

export type Level = 'applied' | 'shared' | 'durable' | 'relayed'

export interface TabInfo {
  readonly id: string
  readonly label: string
  readonly isLeader: boolean
  readonly visible: boolean
  /** Milliseconds since 1970, by that tab's clock. */
  readonly connectedAt: number
  /** Milliseconds since 1970, by this tab's clock. */
  readonly lastSeen: number
}

export interface Leader {
  readonly isLeader: boolean
  /** The leading tab, if one is known. */
  readonly id: string | undefined
  /** Grows with every change of leader. */
  readonly term: number
  /** `fenced`: no effect of an earlier term is accepted by the storage. `advisory`: no such promise. */
  readonly guarantee: 'fenced' | 'advisory'
  /**
   * Calls `task` whenever this tab leads; aborts `signal` when it stops leading. `fence` is the term:
   * pass it to whatever can refuse an older one. Returns the undo.
   */
  run(task: (context: { signal: AbortSignal; fence: number }) => void): () => void
}

export interface Status {
  readonly persistence: 'indexed-db' | 'opening' | 'none'
  readonly channel: 'broadcast-channel' | 'none'
  readonly leadership: 'leader' | 'follower' | 'none'
  readonly relay: 'off'
  /** Writes of this tab that are not durable yet. */
  readonly pendingDurable: number
  /** Whether closing the tab now loses nothing. */
  readonly safeToClose: boolean
}

export interface Stats {
  readonly writes: number
  readonly framesIn: number
  readonly bytesIn: number
  readonly framesOut: number
  readonly bytesOut: number
  /** Frames and records not used because something was wrong with them. */
  readonly dropped: number
  /** Writes that came before an earlier one of the same tab, and were asked for again. */
  readonly gaps: number
  readonly divergences: number
  readonly nodes: number
  readonly textBytes: number
  readonly poolBytes: number
}

export type DebugEvent =
  | { readonly type: 'frame'; readonly direction: 'in' | 'out'; readonly kind: string; readonly bytes: number; readonly at: number }
  | { readonly type: 'journal'; readonly records: number; readonly bytes: number; readonly at: number }

export interface StoreEvents<S> {
  status: Status
  leader: { readonly isLeader: boolean; readonly id: string | undefined; readonly term: number }
  tabs: readonly TabInfo[]
  'remote-update': { readonly keys: readonly (keyof S & string)[]; readonly source: string | undefined }
  'storage-full': { readonly cause: unknown }
  'identity-conflict': undefined
  divergence: { readonly source: string }
  error: { readonly error: Error }
}

export type Selector<S, T> = (state: DeepReadonly<S>) => T

export interface Store<S extends State> {
  /** The current state; the same object until something changes. Never crosses into WebAssembly. */
  getState(): DeepReadonly<S>
  /** The state as given to `createStore`. */
  getInitialState(): DeepReadonly<S>
  /**
   * Shallow merge at the top level; inside a key only what differs is written. `undefined` removes a
   * key. With `replace`, keys that are not given are removed, and changed ones replace whatever others
   * write into them meanwhile. Throws TypeError, naming the path, for what JSON can't hold.
   */
  setState(partial: Partial<S> | DeepReadonly<Partial<S>> | ((state: DeepReadonly<S>) => Partial<S> | DeepReadonly<Partial<S>>), replace?: boolean): Write
  /** Sets one place, making objects on the way; `undefined` removes it. */
  set(path: Path, value: unknown): Write
  remove(path: Path): Write
  /** Calls the listener after every change; returns the undo. A listener that throws is reported and does not stop the others. */
  subscribe(listener: (state: DeepReadonly<S>, previous: DeepReadonly<S>) => void): () => void
  /** The same for a part of the state, when it is another one by `equals` (default Object.is). */
  subscribe<T>(selector: Selector<S, T>, listener: (part: T, previous: T) => void, options?: { equals?: (a: T, b: T) => boolean; fireImmediately?: boolean }): () => void
  /** Resolves when the state is hydrated from storage and live tabs; after 3 s without storage all the same. */
  readonly ready: Promise<void>
  /** Grows with every change, local or remote. */
  readonly version: number
  /** Resolves once all writes made so far in this tab have reached the level; default `durable`. Pending where nothing can be stored. */
  flush(level?: Level): Promise<void>
  readonly tab: { readonly id: string; readonly label: string }
  readonly tabs: readonly TabInfo[]
  readonly leader: Leader
  readonly status: Status
  stats(): Stats
  on<K extends keyof StoreEvents<S>>(event: K, listener: (detail: StoreEvents<S>[K]) => void): () => void
  /** Flushes, leaves, frees the module's memory. Safe twice. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
  /** Closes, and erases everything stored under the name, in frozen tabs too when they wake. */
  destroy(): Promise<void>
}
