// The public types. API reference: README and docs.
import type { Compute } from './compute/types.ts'

/** What a store can hold: JSON, with objects at the top. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** The state of a store: an object whose shared keys hold JSON. */
export type State = object

/** The keys from the state's root to a place in it; array items by index. */
export type Path = readonly (string | number)[]

/** Read-only all the way down: what `getState` returns is never changed in place. */
export type DeepReadonly<T> = T extends (...args: never[]) => unknown ? T : T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

export type StrategyName = 'merge' | 'last-write-wins' | 'first-write-wins' | 'resolve' | 'prompt'

/** Chooses between concurrent values of a key, the earliest first; `undefined` stands for its removal. Runs in the leader. */
export type Resolver = (values: readonly unknown[], context: ResolverContext) => unknown

export interface ResolverContext {
  readonly key: string
  /** What all of them replaced; `undefined` where there was nothing. */
  readonly base: unknown
  readonly entries: readonly ConflictValue[]
}

/**
 * How concurrent writes of a key merge. `'merge'`: leaf by leaf, the later write wins. `'last-write-wins'`: the key
 * whole. `'first-write-wins'`: the key whole, the earlier stays until a tab that has seen it writes. `resolve`: the
 * leader calls it once with all values. `'prompt'`: the later shows, and all wait in `store.conflicts`.
 */
export type Strategy = Exclude<StrategyName, 'resolve'> | { readonly resolve: Resolver }

export interface ConflictValue {
  /** `undefined` for a removal. */
  readonly value: unknown
  /** The instance that wrote it; of a value that was settled before the history was last dropped, one that no tab has. */
  readonly tab: string
  /** Milliseconds since 1970, by the clocks that its writer had seen. */
  readonly time: number
}

export interface Conflict {
  readonly id: string
  readonly path: Path
  /** What the values replaced; `undefined` where there was nothing. */
  readonly base: unknown
  /** At most 16, the earliest first; the last one shows. */
  readonly values: readonly ConflictValue[]
}

export interface ConflictInbox {
  /** What awaits a choice. Kept until someone has chosen, also over a reload. */
  list(): readonly Conflict[]
  /** Chooses for all tabs: this tab's value, the latest of another, or a new one. Throws TabmeshError `unknown-conflict`. */
  resolve(id: string, choice: 'local' | 'remote' | { readonly value: unknown }): Write
  /** Accepts what shows, of all of them. */
  clear(): void
  /** Called with the new list after every change; returns the undo. */
  subscribe(listener: (conflicts: readonly Conflict[]) => void): () => void
}

/** This tab's own writes, newest first; at most 100. */
export interface StoreHistory {
  /** Takes the newest write back, but not what other tabs have written over it. False when there is none. */
  undo(): boolean
  redo(): boolean
  readonly canUndo: boolean
  readonly canRedo: boolean
  clear(): void
}

export interface StoreOptions<S extends State> {
  /** One mesh per origin and name: 1 to 64 of `A-Z a-z 0-9 . _ : -`. */
  name: string
  /** Used for keys that nobody has written yet; never beats a written value. */
  state: S
  /** Top-level keys that are shared; default all. */
  include?: readonly (keyof S & string)[]
  /** Top-level keys that never leave this tab; wins over `include`. */
  exclude?: readonly (keyof S & string)[]
  /**
   * Asked of every change of this tab, before it is told: one of which it says no stays in this tab, until a later change of the same top-level key is shared, or another tab changes
   * the same place (of a keyed list that gains, loses or moves items, all of it; of a counter, its sum). For what is not worth sending, such as a drag that goes on; what must never leave the tab belongs into `exclude`.
   */
  shouldSync?: (previous: DeepReadonly<S>, next: DeepReadonly<S>) => boolean
  /** What this tab writes is sent and stored at most once in so many milliseconds; default 0, once a task. Who awaits `shared` or `durable`, or leaves the page, does not wait for it. */
  throttleMs?: number
  /** The same once this tab has written nothing for so many milliseconds; with `throttleMs`, after those at the latest. */
  debounceMs?: number
  /** How concurrent writes merge, for all keys or by key; default `'merge'`. */
  conflicts?: Strategy | { readonly [K in keyof S & string]?: Strategy }
  /** Arrays of objects that merge item by item, by key: the field that holds an item's id, a string or number. */
  lists?: { readonly [K in keyof S & string]?: string }
  /** Of the state's schema, from 1 on; default 1. Each version has data of its own. */
  version?: number
  /** What makes older data into that of a version. Runs in the first tab that finds no data of its own version, and counts once. */
  migrations?: readonly Migration[]
  /**
   * Where the state is kept; default `true`, IndexedDB with relaxed durability. `false`: memory only. `hotCopy`, default true: what is shared of a state of up to 128 K characters is
   * also kept in localStorage, so that the next page shows it at once. `compressAbove`, default 10,000: the state is stored compressed where it has more bytes, with all that its merging
   * needs; Infinity: never.
   */
  persist?: boolean | { readonly durability?: 'relaxed' | 'strict'; readonly hotCopy?: boolean; readonly compressAbove?: number }
  /** Ways to the other tabs, best first; default all that the browser has. The later ones serve where the first does not reach everybody. */
  channels?: readonly ('broadcast-channel' | 'storage-event' | CustomChannel)[]
  /** Stores of the same name in windows of other origins: an iframe, the opener, a popup. Both sides name each other. */
  bridges?: readonly Bridge[]
  /**
   * Whether this tab takes part in the leader election; default true. `preferVisible`: a visible tab takes over from a leader that has been hidden for 30 s, at most once a minute, where
   * there are Web Locks; to be given in all tabs.
   */
  leader?: boolean | { readonly preferVisible: boolean }
  /** The same state on several devices. A store with a relay has data of its own, by room: what was written without one is not in it. */
  relay?: RelayAccess
  /** Aborts opening, or closes the store later. */
  signal?: AbortSignal
  /** Where the module is: URL (a relative one from the page's), bytes, or compiled; default the `tabmesh.wasm` beside this file. */
  wasm?: string | URL | ArrayBuffer | Uint8Array | WebAssembly.Module
  /** Every sync event as a record, as `on('debug')` has them; `true` prints them to the console. */
  debug?: boolean | ((event: DebugEvent) => void)
  /** A change that takes longer from the tab that wrote it to the listeners of this one is a debug event `slow`; milliseconds, default 10. */
  slowMs?: number
}

/** Where the relay is (`tabmesh/relay`), and what it is told. */
export interface RelayAccess {
  /** `wss://…`; `ws://…` on one machine. Never with the token in it. */
  readonly url: string
  /** Asked for each connection, and again before a token expires; kept in memory alone, by the tab that leads. */
  readonly token: () => string | Promise<string>
  /** Who names the same room shares it, as far as the token lets them; 1 to 64 of `A-Z a-z 0-9 . _ : -`, default the store's name. Give each user rooms of their own, or have them share one: what is on the device belongs to the room. */
  readonly room?: string
}

/** A way to the other tabs of the app's own, such as a SharedWorker, or a native host of web views. */
export interface CustomChannel {
  /** What `status.channel` calls it. */
  readonly name: string
  /**
   * Opens the way to all tabs that name the same `mesh`. Called when the store starts, for its version and for all versions of it, and again when its page comes back. Undefined where there is none.
   * `receive` takes each frame that another tab has posted: frames may be lost, come twice, and overtake each other. What throws is told as an `error`.
   */
  open(mesh: string, receive: (frame: Uint8Array) => void): { post(frame: Uint8Array): void; close(): void } | undefined
}

/** A step between versions of the schema. The steps from the stored version on run in their order; a version without one takes the state as it is. */
export interface Migration {
  /** The version that it leads to; at least 2. */
  readonly version: number
  /** The keyed lists of the version that it starts from, where they were others than this one's. */
  readonly lists?: Readonly<Record<string, string>>
  /**
   * Takes what was written of the shared state, and returns all of it; may be async. Keys that nobody has written are absent, for the old `state` is not stored; so are
   * those that were removed, and what this version's `state` has there is shown. A conflict that awaits a choice is what it shows. When it throws, nothing has changed, and it is tried again.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- states of other versions have other types
  readonly up: (state: any) => object | Promise<object>
  /** The way back to the version before, for `exportState` alone. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
  readonly down?: (state: any) => object
}

/**
 * A window of another origin whose store, of the same name and version, shares some keys with this one; one bridge a window. What either side writes the other has as a write of its own; a counter crosses as its value, and a
 * conflict that awaits a choice as what shows. When they meet, keys that only one side has written since they last had the same are that side's.
 */
export interface Bridge {
  /** `iframe.contentWindow`, `window.opener`, `window.parent`, or what `window.open` has returned. */
  readonly window: { postMessage(message: unknown, targetOrigin: string, transfer: never[]): void }
  /** Its exact origin, such as `https://app.example`. */
  readonly origin: string
  /** The only top-level keys that cross, either way. */
  readonly include: readonly string[]
}

/** How far a write has come. Each promise is made when asked for, and rejects when the store closes first, when the write is refused and taken back, or was lost (`write-lost`). */
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
  /** Of the leader of another device, by the relay: that device. Its tabs are one here. */
  readonly device?: string
}

/** Takes and returns JSON, or a promise of it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- callers and handlers agree on the types
export type CallHandler = (...args: any[]) => unknown

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
  /** What `call` of that name runs while this tab leads; every tab that may lead should have it. Returns the undo. */
  handle(name: string, handler: CallHandler): () => void
  /**
   * Runs the handler of that name in whichever tab leads, and resolves to its result; arguments and result are JSON. It is begun once, whoever leads in the end (where `guarantee` is `fenced`): while
   * nobody leads, or messages are lost, the call waits. Rejects with TabmeshError `call-failed` (the handler threw), `no-handler`, `call-unknown` (the tab that began it is gone:
   * it may have been done), `call-unanswered` (no leader for a minute), `closed`; TypeError for what JSON can't hold.
   */
  call(name: string, ...args: unknown[]): Promise<unknown>
  /**
   * This tab leads from now on, whoever does; resolves when it does. For what the user asks for, not for failover. Rejects with TabmeshError `unsupported` where there are no Web
   * Locks, or this tab takes no part.
   */
  force(): Promise<void>
}

export interface Status {
  readonly persistence: 'indexed-db' | 'file' | 'opening' | 'none'
  /** The way by which all tabs are reached, as far as is known; `none`: this tab is by itself until it reads the storage again. */
  readonly channel: 'broadcast-channel' | 'storage-event' | 'none' | (string & {})
  readonly leadership: 'leader' | 'follower' | 'none'
  /**
   * `online`: the leader is connected to the relay. `connecting`: not yet, or this tab follows and has not asked. `offline`: tried again, at random within a minute. `refused`: the relay
   * has said no, and why as an `error`. `off`: there is none.
   */
  readonly relay: 'off' | 'connecting' | 'online' | 'offline' | 'refused'
  /** How far the times of writes are ahead of this device's clock, in milliseconds: some clock was wrong when one was made. It changes nothing but the times that are told; while it lasts, `stats().seen` counts nothing. */
  readonly clockSkewMs: number
  /** A newer version of the app has been met: writes throw TabmeshError `upgrade-required`. */
  readonly readOnly: boolean
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
  /** How often the store's history has been dropped. */
  readonly era: number
  /** As `compute.usage()`; undefined until `compute.ready`. */
  readonly compute?: ReturnType<Compute['usage']> | undefined
  /** From a write in another tab to the listeners of this one; undefined while none was seen. By the clock of the device, so to within a millisecond. */
  readonly seen?: Latency | undefined
  /** From a write of this tab, other than by a transaction, to its being durable; undefined while none was. */
  readonly stored?: Latency | undefined
}

/** How long something took, in milliseconds. The percentiles are those of a histogram: at most a quarter too large. */
export interface Latency {
  readonly count: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
  /** How many took at most so long, and longer than the class before; classes with none are left out. */
  readonly classes: readonly (readonly [upTo: number, count: number])[]
}

/** One of the places where a store's state is kept. */
export interface Layer {
  readonly name: 'memory' | 'hot-copy' | 'indexed-db' | 'file'
  readonly bytes: number
  /** Of the journal: what it is made of, and how much of that is damaged and left out. */
  readonly checkpoints?: number
  readonly records?: number
  readonly damaged?: number
  /** Its version: the same where the same writes have been merged, whatever their order. The hot copy has none, for it is only shown. */
  readonly digest?: string
  /** How long ago its newest write was made, by the clocks that its writer had seen; undefined where nobody has written. */
  readonly ageMs?: number | undefined
  /** At how many places it shows something else than memory. */
  readonly differences: number
}

export interface Reconciliation {
  /** The layers that lacked something, or showed something else, and were mended. */
  readonly mended: readonly Layer['name'][]
  /** As they are now. */
  readonly layers: readonly Layer[]
}

/** What tools look at: `tabmesh/inspector` shows it. */
export interface Inspection {
  /**
   * Who wrote last at a place or below it, as an id of `store.tabs`, and when, in milliseconds since 1970, by the clocks that the writer had seen; undefined where the initial state still is. What
   * was written before the history was last dropped is nobody's that lives. O(size of the place).
   */
  lastWriteOf(path: Path): { readonly tab: string; readonly time: number } | undefined
  /** The layers that there are now, the fastest first. Reads the journal: for people, not for loops. */
  layers(): Promise<readonly Layer[]>
  /**
   * Brings all layers to the same, now: what is written here is stored, what the journal has is merged, and what it lacks, by whatever hand, is stored in it again. No layer goes before another: the merge
   * decides. Rejects with TabmeshError `storage-failed` where the journal cannot be read or written now. O(size of the journal).
   */
  syncNow(): Promise<Reconciliation>
  /**
   * Shows readers the shared keys of another state, in this tab alone: until the next change, of whomever, or until it is called without. For time travel: nothing of it is written, for writes, undo,
   * transactions and what functions given to `setState` get go by what is so. Throws TypeError for what JSON can't hold.
   */
  view(state?: object): void
  /** Whether a top-level key is shared, by `include` and `exclude`. */
  isShared(key: string): boolean
}

export type DebugEvent =
  | { readonly type: 'frame'; readonly direction: 'in' | 'out'; readonly kind: string; readonly bytes: number; readonly at: number }
  | { readonly type: 'journal'; readonly records: number; readonly bytes: number; readonly at: number }
  | { readonly type: 'slow'; readonly from: string; readonly ms: number; readonly at: number }

export interface StoreEvents<S> {
  status: Status
  leader: { readonly isLeader: boolean; readonly id: string | undefined; readonly term: number }
  tabs: readonly TabInfo[]
  'remote-update': { readonly keys: readonly (keyof S & string)[]; readonly source: string | undefined }
  /** Another tab has the data of a newer version of the app: this one should be loaded again. Told once a version. */
  'upgrade-required': { readonly version: number }
  'storage-full': { readonly cause: unknown }
  /** The conflicts that await a choice have changed. */
  conflict: readonly Conflict[]
  'identity-conflict': undefined
  divergence: { readonly source: string }
  /** Frames, what was stored, and what was slow. Made only while somebody listens. */
  debug: DebugEvent
  error: { readonly error: Error }
}

export interface Outcome<S> {
  /**
   * `committed`: stored, and no other transaction came in between. `conflict`: nothing was written, because the
   * version was another one. `unknown`: the store was closed while it was being stored, or the database has been silent for 10 s; it is
   * still done once, or not at all.
   */
  readonly status: 'committed' | 'conflict' | 'unknown'
  readonly state: DeepReadonly<S>
}

export interface TransactionOptions {
  /** The only top-level keys that may be written. */
  readonly keys?: readonly string[]
  /** Names this transaction: a second one of that name within a day, in any tab, writes nothing and is `committed`. */
  readonly id?: string
}

export type Selector<S, T> = (state: DeepReadonly<S>) => T

export interface Store<S extends State> {
  /** The current state; the same object until something changes; before `ready` what the store showed last, where there is a copy. Never crosses into WebAssembly. */
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
  /**
   * Adds a whole number: increments of different tabs add up. A later `set` begins the count anew, and drops
   * increments that had not seen it. Throws TypeError where something else is, RangeError beyond ±(2^53 - 1).
   */
  increment(path: Path, by?: number): Write
  /**
   * Exclusive read-modify-write across all tabs: `fn` sees the newest stored state, and what it returns is stored
   * before any other transaction runs. Rejects with what `fn` throws; with TabmeshError `unsupported` where there
   * is no database, `storage-failed` where it cannot be written, and then nothing was. `fn` may be called again
   * after a failure, and must not be async.
   */
  transaction(fn: (state: DeepReadonly<S>) => Partial<S> | DeepReadonly<Partial<S>> | undefined, options?: TransactionOptions): Promise<Outcome<S>>
  /** Writes only if `version` still is the one expected when everything stored has been read. */
  compareAndSet(expectedVersion: number, partial: Partial<S> | DeepReadonly<Partial<S>>, options?: TransactionOptions): Promise<Outcome<S>>
  /** Calls the listener after every change; returns the undo. A listener that throws is reported and does not stop the others. */
  subscribe(listener: (state: DeepReadonly<S>, previous: DeepReadonly<S>) => void): () => void
  /** The same for a part of the state, when it is another one by `equals` (default Object.is). */
  subscribe<T>(selector: Selector<S, T>, listener: (part: T, previous: T) => void, options?: { equals?: (a: T, b: T) => boolean; fireImmediately?: boolean }): () => void
  /** Resolves when the state is hydrated from storage and live tabs; after 3 s without storage all the same. */
  readonly ready: Promise<void>
  /**
   * A copy of the shared state, as a version of the app would have it, by the `down` steps of `migrations`; default this one's. Throws RangeError where a step or its `down` is
   * missing, TabmeshError `not-ready` before `ready`.
   */
  exportState(options?: { readonly version?: number }): Record<string, unknown>
  /** Grows with every change, local or remote. */
  readonly version: number
  /** Resolves once all writes made so far in this tab have reached the level; default `durable`. Pending where nothing can be stored. */
  flush(level?: Level): Promise<void>
  /** `id`: of this page load; `label`: readable, the same after a reload where there are Web Locks. Both empty until the core is loaded. */
  readonly tab: { readonly id: string; readonly label: string }
  readonly tabs: readonly TabInfo[]
  readonly leader: Leader
  readonly conflicts: ConflictInbox
  readonly history: StoreHistory
  /** Typed arrays in module memory, what computes on them, and records of it. Throws TabmeshError `not-ready` until the core is loaded. */
  readonly compute: Compute
  readonly status: Status
  stats(): Stats
  /** Throws TabmeshError `not-ready` until the core is loaded. */
  inspect(): Inspection
  on<K extends keyof StoreEvents<S>>(event: K, listener: (detail: StoreEvents<S>[K]) => void): () => void
  /** Asks the other tabs, and the storage, for what this one lacks. It comes by itself, too: this is for who knows better. */
  requestState(): void
  /** Sends now what waits for its pace, and what `shouldSync` has kept here of these keys (default all); tabs that have missed something ask for it. */
  broadcastState(keys?: readonly (keyof S & string)[]): void
  /** Flushes, leaves, frees the module's memory. Safe twice. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
  /** Closes, and erases everything stored under the name, in frozen tabs too when they wake. */
  destroy(): Promise<void>
}
