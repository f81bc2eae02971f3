// What the glue needs of its surroundings: interfaces only. platform/ has one file a browser primitive,
// and memory.ts, the twin of all of them.

/** Ways to other tabs, by the browser's names for them. */
export type ChannelKind = 'broadcast-channel' | 'storage-event'

/** Best first. */
export const channelKinds: readonly ChannelKind[] = ['broadcast-channel', 'storage-event']

/** Bytes as text that is valid UTF-16, for ways that carry nothing else. Both throw RangeError when memory is out. */
export interface BytePacker {
  readonly pack: (bytes: Uint8Array) => string
  /** Undefined for what `pack` did not make. */
  readonly unpack: (text: string) => Uint8Array | undefined
}

/** A lossy, unordered-across-senders way to all other replicas of the store. Never echoes. */
export interface Channel {
  /** Sends a copy of the bytes. Never throws: what is lost, anti-entropy finds. */
  post(frame: Uint8Array): void
  close(): void
}

/** What a journal holds from a cursor on. */
export interface JournalContents {
  /** Newest first; the second serves when the first is damaged. None where the records after the cursor are all there. */
  readonly checkpoints: readonly Uint8Array[]
  /** In the order in which they were stored. */
  readonly records: readonly Uint8Array[]
  /** Where the next read goes on. */
  readonly cursor: number
  /** Changes when the store is erased, or the browser has cleared it away. */
  readonly generation: string
  /** How often the store's history has been dropped. */
  readonly era: number
  /** The version that has taken over; 0 for none. */
  readonly successor: number
  /** Of the last `endsKept` eras, by their numbers: which of their writes the next one has. */
  readonly ends: ReadonlyMap<number, Uint8Array>
}

/** Of a journal that was read from its beginning: nobody has written into it. */
export const isEmpty = ({ records, checkpoints }: JournalContents): boolean => records.length + checkpoints.length === 0

/** Who holds the leader's lease, nobody if empty; `beat` changes whenever it is kept. */
export interface Lease {
  readonly holder: string
  readonly beat: number
}

/** So many callers' calls are remembered. */
export const callersKept = 64

/** The ends of so many eras are remembered. */
export const endsKept = 16

/** What became of a leader's work: done, or nothing has changed, for it has been replaced, or the era has ended. */
export type Fenced = 'stored' | 'replaced' | 'era-ended'

/** Durable storage shared by all replicas of the store. Every call may reject; nothing is lost by trying again. */
export interface Journal {
  readonly kind: 'indexed-db' | 'file'
  /** Everything after `cursor`; from 0, or where the era is not `era`, all there is. */
  read(cursor: number, era: number): Promise<JournalContents>
  /**
   * Stores records in one transaction begun and ended in this task, so that the page need not run again; resolves when it is complete, which means durable. Rejects with
   * TabmeshError `era-ended` when that era has ended, a successor has taken over, or the store that was read has been erased: then nobody reads them, unless the successor gives up.
   */
  append(records: readonly Uint8Array[], era: number): Promise<void>
  /**
   * One transaction: hands `run` what `read` would, and stores the records it returns before anybody
   * else can read or write. `known`: a transaction of this `id` has been stored, within a day. Resolves when
   * complete; rejects with what `run` threw, and nothing is stored then.
   */
  transact(cursor: number, era: number, id: string | undefined, now: number, run: (contents: JournalContents, known: boolean) => readonly Uint8Array[]): Promise<void>
  /** Stores a term above the stored one and not below `atLeast`, and returns it. */
  claimTerm(atLeast: number, instance: string): Promise<number>
  /** Takes the lease, or keeps it, where nobody else holds it, or it still is what was `seen`. Returns what is stored then. */
  lease(instance: string, seen?: Lease): Promise<Lease>
  /** Gives back the lease, if it is still the own one; in this task, and without waiting for an answer. */
  endLease(instance: string): Promise<void>
  /**
   * A leader begins a call of another tab's: resolves to nothing ('') when that is stored, to who has begun it before, or to `undefined` where another leads, or in another era. Calls
   * of that caller below `settled` are forgotten.
   */
  beginCall(term: number, era: number, call: { readonly caller: string; readonly number: number; readonly settled: number }, instance: string): Promise<string | undefined>
  /** Stores the state of everything up to `cursor` and drops records that two checkpoints cover. */
  checkpoint(term: number, era: number, bytes: Uint8Array, cursor: number): Promise<Fenced>
  /**
   * One transaction: hands `run` everything after `cursor`; the next era begins with the `state` it returns, and `end` is
   * kept for who is behind. Nothing changes when it returns nothing.
   */
  endEra(term: number, era: number, cursor: number, run: (contents: JournalContents) => { readonly state: Uint8Array; readonly end: Uint8Array } | undefined): Promise<Fenced>
  /** One transaction: from then on nothing is appended, for that version has taken over; 0: it has not, after all. Resolves to all there is then. */
  succeed(version: number): Promise<JournalContents>
  /** Erases everything and starts a new generation. */
  erase(): Promise<void>
  /**
   * The browser has cleared `generation` away, and this one has begun in its place: stores what this tab has of it, and says which one it is. Nothing has changed where it was
   * erased, or others have gone on in another era.
   */
  refound(generation: string, era: number, state: Uint8Array): Promise<{ readonly generation: string } | 'erased' | 'left-behind'>
  close(): void
}

export interface LockHandlers {
  readonly granted: () => void
  /** The lock was taken away while held. */
  readonly lost: () => void
}

/** Who is alive, and who holds the leader lock: instances in hex. */
export interface Roll {
  readonly alive: string[]
  /** `undefined` when nobody holds it, `''` when it is held by somebody who is not shown as alive. */
  readonly holder: string | undefined
}

export interface LeaderLock {
  /** Queues for the leader lock; when held or queued already, gives up the place and queues again. */
  request(handlers: LockHandlers): void
  release(): void
  /** Where giving it back takes a while: until others may know of that. */
  readonly givenBack?: Promise<void> | undefined
}

/** The leader lock, and a register of who is alive. */
export interface Lock extends LeaderLock {
  /** The same; `steals`: takes it from its holder. */
  request(handlers: LockHandlers, steals?: boolean): void
  /**
   * Makes this replica known as alive until `hide`, or its death; one that is not `reachable`, for nothing but a name of the holder. `knocked`: somebody has knocked, and it is
   * shown again.
   */
  show(instance: string, reachable: boolean, knocked: () => void): void
  hide(): void
  /** As it is now, this instance included. */
  roll(): Promise<Roll>
  /** Shows an instance as alive no more; whoever runs shows itself again at once. */
  knock(instance: string): void
}

/** A window of another origin, as postMessage knows it. */
export interface WindowPeer {
  readonly window: { postMessage(message: unknown, targetOrigin: string, transfer: never[]): void }
  readonly origin: string
}

/** A frame, or how many frames have arrived. */
export type BridgeMessage = Uint8Array | number

export interface WindowPortHandlers {
  /** Both sides are connected, for the first time or anew; `key` is the same on both, and of no other connection. */
  readonly connected: (key: string, post: (message: BridgeMessage) => void) => void
  readonly receive: (message: BridgeMessage) => void
}

export interface SocketHandlers {
  readonly opened: () => void
  /** A binary frame; empty for one that is none. */
  readonly received: (bytes: Uint8Array) => void
  /** Once, by whoever's will; codes of RFC 6455, 7.4. Nothing follows. */
  readonly closed: (code: number) => void
}

/** A connection to a server. */
export interface Socket {
  /** Bytes that are not on their way yet. */
  readonly backlog: number
  /** Nothing happens while it is not open. */
  send(bytes: Uint8Array): void
  close(): void
}

export interface Clock {
  /** Wall-clock milliseconds since 1970. */
  now(): number
  /**
   * Calls once, later; returns the undo. Timers may be late by minutes: nothing may depend on them for
   * safety. Only one that `holds` keeps a Node process running.
   */
  after(ms: number, task: () => void, holds?: boolean): () => void
  /** Calls in a task of its own, as soon as possible, also in hidden pages. */
  soon(task: () => void): void
  /** Calls after `ms`, by default when what was just sent has had time to arrive; in hidden pages, whose timers are late, as `soon`. */
  later(task: () => void, ms?: number): void
}

/** Small texts that are kept at once, and may be gone at any time. Nothing throws: what is blocked, full or absent takes and has nothing. */
export interface Shelf {
  read(key: string): string | null
  /** Whether it is there now. */
  write(key: string, text: string): boolean
  remove(key: string): void
  keys(): string[]
}

export interface LifecycleListener {
  /** The page may never run again after this call. */
  suspend(): void
  /** It does. Everything may have been missed. */
  resume(): void
  visibility(visible: boolean): void
}

export interface Lifecycle {
  /** Resolves when the page may act: at once, or when a prerendered page is shown. */
  active(): Promise<void>
  visible(): boolean
  /** Returns the undo. */
  watch(listener: LifecycleListener): () => void
}

/** `undefined` where the surroundings do not have it. */
export interface TabLabel {
  readonly text: string
  /** Once. */
  release(): void
}

/** A compute record without its bytes, as it is stored. */
export interface StoredRecord {
  readonly id: string
  readonly type: string
  /** Milliseconds since 1970. */
  readonly time: number
  readonly params: unknown
  readonly performance: { readonly fps?: number; readonly throughput?: number; readonly latency?: number; readonly memory?: number }
  readonly block?: { readonly type: string; readonly length: number; readonly packing: 'none' | 'gzip' } | undefined
}

/** Compute records of one store's name, shared by all tabs. Every call may reject; nothing is changed then. */
export interface RecordShelf {
  /** Stores it in place of what was there; resolves when that is complete. The bytes are not the caller's any more. */
  put(record: StoredRecord, bytes: ArrayBuffer | undefined): Promise<void>
  get(id: string): Promise<{ readonly record: StoredRecord; readonly bytes: ArrayBuffer | undefined } | undefined>
  /** The newest first. */
  query(query: { readonly type?: string; readonly from?: number; readonly to?: number; readonly minFps?: number; readonly limit?: number }): Promise<StoredRecord[]>
  /** Removes what is from before a time, and all but the newest `keep`, but nothing of the type that is `spared`; resolves to how many those were. */
  remove(before: number, keep: number, spared: string): Promise<number>
  close(): void
}

export interface Platform {
  readonly clock: Clock
  readonly lifecycle: Lifecycle
  readonly shelf: Shelf
  /** `count` random bytes from a cryptographic source. */
  random(count: number): Uint8Array
  /** A readable name for this tab: the same after a reload, and no other tab's while it is not released. */
  claimLabel(): Promise<TabLabel>
  openChannel(kind: ChannelKind, name: string, receive: (frame: Uint8Array) => void, packer: BytePacker): Channel | undefined
  openJournal(name: string, durability: 'relaxed' | 'strict', onLost: () => void): Promise<Journal> | undefined
  /** The versions of which there is a database (versions.ts): where the surroundings have no list of databases, those of `candidates`. Rejects where they cannot be told now. */
  versions(name: string, candidates: readonly number[]): Promise<number[]>
  /** In memory where there is no database, or no name is given. */
  openRecords(name: string | undefined): Promise<RecordShelf>
  /** Erases them, also those of tabs that have them open. */
  eraseRecords(name: string): Promise<void>
  openLock(name: string): Lock | undefined
  /** Connects to a store of that name in another window, which does the same; `nonce` is this side's. Returns the undo. */
  connectWindow(name: string, peer: WindowPeer, nonce: string, clock: Clock, handlers: WindowPortHandlers): () => void
}
