// The public types of `store.compute`.

/** The numbers that a block may hold. */
export interface NumberArrays {
  float32: Float32Array<ArrayBuffer>
  float64: Float64Array<ArrayBuffer>
  int32: Int32Array<ArrayBuffer>
  uint8: Uint8Array<ArrayBuffer>
}

export type NumberType = keyof NumberArrays

/** Memory of the compute module that is this tab's until it is given back. */
export interface Block<T extends NumberType = NumberType> {
  readonly type: T
  /** How many numbers. */
  readonly length: number
  /**
   * A view of the module's memory, no copy. Asked for anew whenever it is used: when the memory grows, earlier views are empty. What it holds at first is what was there before.
   * Throws TabmeshError `released` once it has been given back.
   */
  readonly array: NumberArrays[T]
  /** Gives it back, in O(1). Views of it must not be used any more: the next to take memory may get the same. Throws TabmeshError `released` the second time. */
  release(): void
}

export interface Statistics {
  /** 0 where there are no numbers, as `max` and `mean`. */
  readonly min: number
  readonly max: number
  readonly mean: number
  /** How many are NaN; they count for nothing else. */
  readonly notNumbers: number
  /** How many numbers lie in each of the equal parts from `from` to `to`; empty without `bins`. */
  readonly histogram: readonly number[]
}

export interface StatisticsOptions {
  /** Parts of the histogram, at most 1,024; default 0: none. */
  readonly bins?: number
  /** Where it begins and ends; default `min` and `max`. Numbers outside are not in it. */
  readonly from?: number
  readonly to?: number
}

export type Vector = readonly [x: number, y: number, z: number]

/** In units of the caller's: lengths, and seconds. */
export interface Forces {
  /** An acceleration; default none. */
  readonly gravity?: Vector
  /** Part of the velocity that is lost a second; default 0. */
  readonly drag?: number
  /** Part of the velocity that is left at a wall, 0 to 1; default 1. */
  readonly bounce?: number
  /** The box goes from -half to half; default 1 along each axis. */
  readonly half?: Vector
  /** At most 8 points that pull, or push where `strength` is negative, with strength / distance². */
  readonly attractors?: readonly { readonly place: Vector; readonly strength: number }[]
  /** Nothing is nearer to an attractor than this; default 0.05. */
  readonly softening?: number
}

/** Points that move in a box, by vector instructions. */
export interface Particles {
  readonly count: number
  /** Views of the module's memory, as `Block.array`: places and velocities along x, y and z, `count` numbers each. */
  readonly places: readonly [x: Float32Array<ArrayBuffer>, y: Float32Array<ArrayBuffer>, z: Float32Array<ArrayBuffer>]
  readonly velocities: readonly [x: Float32Array<ArrayBuffer>, y: Float32Array<ArrayBuffer>, z: Float32Array<ArrayBuffer>]
  /** Places all at random in the box, with velocities of at most `speed` (default 0) along each axis; the same for the same whole number `seed`. */
  scatter(seed: number, speed?: number): void
  /** What acts from the next step on. Throws RangeError for more than 8 attractors. */
  setForces(forces: Forces): void
  /** Moves all by `seconds`, by the semi-implicit Euler method. O(count × attractors). */
  step(seconds: number): void
  /** All places as x, y, z of 16 bits each, a view that the next call overwrites: 0 is -half, 65,535 is half. To be sent, or drawn as it is. */
  pack(): Uint16Array<ArrayBuffer>
  /** As `Block.release`. */
  release(): void
}

/** How a run went. */
export interface Performance {
  /** Frames, or steps, a second. */
  readonly fps?: number
  /** Of whatever is produced, a second. */
  readonly throughput?: number
  /** Milliseconds. */
  readonly latency?: number
  /** Bytes. */
  readonly memory?: number
}

export interface RecordDetails {
  /** What kind of record; default `'compute'`. */
  readonly type?: string
  /** Milliseconds since 1970; default now. */
  readonly time?: number
  /** JSON that belongs to it. */
  readonly params?: unknown
  readonly performance?: Performance
}

/** What is stored under an id, without its block. */
export interface ComputeRecord {
  readonly id: string
  readonly type: string
  readonly time: number
  readonly params: unknown
  readonly performance: Performance
  /** Of its block, if there is one. */
  readonly block: { readonly type: NumberType; readonly length: number } | undefined
}

export interface RecordQuery {
  readonly type?: string
  /** Of its time, in milliseconds since 1970, both included. */
  readonly from?: number
  readonly to?: number
  /** Only with at least so many frames a second. */
  readonly minFps?: number
  /** At most so many, the newest; default all. */
  readonly limit?: number
}

/** What the records of one minute say. Means are of those that tell; undefined where none does. */
export interface MinuteOfRecords {
  /** When it begins, in milliseconds since 1970. */
  readonly minute: number
  readonly count: number
  readonly fps: { readonly min: number; readonly mean: number; readonly max: number } | undefined
  readonly throughput: number | undefined
  readonly latency: number | undefined
  /** The most. */
  readonly memory: number | undefined
}

export interface Session {
  readonly id: string
  /** Notes that a page was shown. */
  visit(page: string): Promise<void>
  end(): Promise<void>
}

export interface Compute {
  /** Resolves when blocks can be taken. Rejects with TabmeshError `unsupported` where the browser has no WebAssembly SIMD, and `wasm-failed`. */
  readonly ready: Promise<void>
  /**
   * Takes so many numbers from the pool, in O(1) but where its memory has to grow, at an address that is a multiple of 16. Throws TabmeshError `not-ready` before `ready`, `out-of-memory`; RangeError for what is
   * no length.
   */
  float32(length: number): Block<'float32'>
  float64(length: number): Block<'float64'>
  int32(length: number): Block<'int32'>
  uint8(length: number): Block<'uint8'>
  /** Of a block's numbers, by vector instructions where they are float32. O(length). */
  statistics(block: Block, options?: StatisticsOptions): Statistics
  particles(count: number): Particles
  /** Bytes and blocks that this page has taken, and what the module holds for that. */
  usage(): { readonly blocks: number; readonly takenBytes: number; readonly heldBytes: number }
  /**
   * Stores a record under an id, in place of what was there; resolves when that is durable, in memory only where there is no IndexedDB. The block is copied when this is called, and compressed where it has more bytes than `persist.compressAbove` and is smaller for it. Throws
   * TypeError for params that JSON can't hold.
   */
  save(id: string, block: Block | undefined, details?: RecordDetails): Promise<void>
  /** The record, and its block, which the caller gives back. Undefined where there is none, or none that is whole. */
  load(id: string): Promise<{ readonly record: ComputeRecord; readonly block: Block | undefined } | undefined>
  /** The newest first, by an index: O(log of all + what is found), where `minFps` is not combined with others. */
  query(query?: RecordQuery): Promise<ComputeRecord[]>
  /** The same by the minute, the oldest first. */
  byMinute(query?: RecordQuery): Promise<MinuteOfRecords[]>
  /** Removes what is older than so many milliseconds, and all but the newest `keep`, but for slices of the state; how many those were. By itself it keeps 10,000 of 30 days, every 100th time something is saved. */
  cleanup(options: { readonly olderThan?: number; readonly keep?: number }): Promise<number>
  /** An id from what the caller knows of a user: its SHA-256, in hexadecimal. Never a clock or a counter. */
  userId(material: string): Promise<string>
  /** Begins a record of type `session`: who, when, which pages. */
  session(user: string): Promise<Session>
  /** Stores what the shared keys have now as a record of type `slice`: the state of a campaign, by its name. Throws TypeError for keys that are not shared. */
  saveSlice(name: string, keys: readonly string[]): Promise<void>
  /** What was stored, to be given to `setState`; undefined where nothing was. */
  loadSlice(name: string): Promise<Record<string, unknown> | undefined>
}
