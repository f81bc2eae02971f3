// Typed façade over the generated module: loads it once a page, turns status codes into TabmeshError.
import createModule, { type MainModule } from './generated/tabmesh.mjs'
import { TabmeshError, type ErrorCode } from './errors.ts'
import type { TreeEdit } from './json-tree.ts'
import type { Lists } from './keyed-list.ts'
import { memoryOf } from './memory.ts'
import type { StrategyName } from './types.ts'

/** Where the module comes from; default the file beside the glue. */
export type WasmSource = string | URL | ArrayBuffer | Uint8Array | WebAssembly.Module
/** Asked when the module is loaded. */
export type WasmPlace = () => WasmSource | Promise<WasmSource>

let loading: Promise<MainModule> | undefined

/** The module, loaded by the first call; a failed load is tried again by the next. */
export async function loadModule(place: WasmSource | WasmPlace): Promise<MainModule> {
  if (loading) return loading
  // One that is not known yet keeps nobody waiting who knows another.
  const source = place instanceof Function ? await Promise.resolve(place()).catch((cause: unknown) => Promise.reject(loadError(cause))) : place
  loading ??= instantiate(source).catch((cause: unknown) => {
    loading = undefined
    throw loadError(cause)
  })
  return loading
}

async function instantiate(source: WasmSource): Promise<MainModule> {
  const compiled = await compile(source)
  return new Promise<MainModule>((resolve, reject) => {
    createModule({
      instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void) {
        WebAssembly.instantiate(compiled, imports).then((instance) => done(instance, compiled), reject)
        return {}
      },
    }).then(resolve, reject)
  })
}

async function compile(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source as BufferSource)
  const url = new URL(source, globalThis.location?.href)
  if (url.protocol === 'file:') {
    // Node: not an import, which bundlers would follow into the browser build.
    const fs = globalThis.process.getBuiltinModule('node:fs/promises')
    return WebAssembly.compile(new Uint8Array(await fs.readFile(url)))
  }
  const response = await fetch(url, { credentials: 'same-origin' })
  if (!response.ok) throw new TabmeshError('wasm-failed', `${url.href} answered ${response.status}: serve tabmesh.wasm beside the bundle, or pass its place as the option wasm.`)
  // Servers that do not know the type application/wasm make compileStreaming fail: fall back to bytes.
  if (response.headers.get('Content-Type')?.startsWith('application/wasm')) return WebAssembly.compileStreaming(response)
  return WebAssembly.compile(await response.arrayBuffer())
}

function loadError(cause: unknown): TabmeshError {
  if (cause instanceof TabmeshError) return cause
  if (/unsafe-eval|Content.Security.Policy|WebAssembly.*\bCSP\b/i.test((cause as Error | undefined)?.message ?? '')) {
    return new TabmeshError('csp-wasm-blocked', "The page's Content-Security-Policy forbids WebAssembly: add 'wasm-unsafe-eval' to script-src. This tab goes on by itself, without sharing.", { cause })
  }
  return new TabmeshError('wasm-failed', 'tabmesh.wasm could not be loaded: is it served beside the bundle? Its place can be passed as the option wasm. This tab goes on by itself, without sharing.', { cause })
}

export const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
export const bytesOf = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16))

/** The lock actions of the core, by number; and `incomplete`: it has run out of memory, and must not go on. */
const lockActions = ['none', 'request', 'release', 'claim', 'steal', 'incomplete'] as const
const strategies: readonly StrategyName[] = ['merge', 'last-write-wins', 'first-write-wins', 'resolve', 'prompt']

/** Where the fields of a report lie, in words of 32 bits: struct Report in wasm/bindings/bindings.cc. */
const wakeAtWord = 0
const claimTermWord = 2
const clockWord = 4
const seqWord = 6
const lockWord = 7
const changesWord = 8
const eventsWord = 10
const outputWord = 12
const framesWord = 14
const recordsWord = 16

export type CoreEvent =
  | { readonly type: 'ready' | 'tabs' | 'conflicts' | 'catch-up' | 'destroyed' | 'identity-conflict' }
  | { readonly type: 'divergence'; readonly from: string }
  /** `at`: when it was written, in milliseconds since 1970; of what was asked for, nothing. */
  | { readonly type: 'remote'; readonly from: string; readonly at?: number }
  | { readonly type: 'knock'; readonly id: string }
  | { readonly type: 'note'; readonly from: string; readonly value: unknown }
  | { readonly type: 'shared'; readonly seq: number }
  | { readonly type: 'strategy-mismatch'; readonly key: string }
  | { readonly type: 'later-era'; readonly era: number }
  | { readonly type: 'dropped'; readonly reason: string }
  | { readonly type: 'leader'; readonly term: number; readonly self: 0 | 1; readonly id?: string }

/** Grammar: wasm/crdt/conflicts.h. */
export interface CoreConflict {
  readonly id: string
  readonly key: string
  readonly strategy: number
  readonly base?: unknown
  readonly values: readonly { readonly tab: string; readonly time: number; readonly value?: unknown }[]
}

export interface CorePeer {
  readonly id: string
  readonly label: string
  readonly visible: boolean
  readonly connectedAt: number
  readonly lastSeen: number
}

/** The calls of a replica that take and return nothing but numbers and booleans. */
const plainCalls = ['restored', 'askShared', 'tick', 'setVisible', 'setStores', 'compactionDue', 'suspend', 'resume', 'destroy', 'lockGranted', 'lockLost', 'termClaimed', 'claimFailed', 'announce', 'takeLead', 'accept', 'passOver'] as const

type WithoutHandle<F> = F extends (handle: number, ...rest: infer A) => infer R ? (...rest: A) => R : never

export interface CoreOptions {
  readonly name: string
  readonly instance: Uint8Array
  readonly label: string
  readonly connectedAt: number
  readonly visible: boolean
  readonly mayLead: boolean
  readonly defaultStrategy: StrategyName
  readonly strategies: Readonly<Record<string, StrategyName>>
  readonly lists: Lists
}

/** One replica. What a call wants done waits in the module's memory and is taken from there, each once, in the order of the `take…` here. */
export interface Core {
  readonly replica: { readonly [K in (typeof plainCalls)[number]]: WithoutHandle<MainModule[K]> }
  open(state: object, now: number): void
  /** A stored record or checkpoint; 0 when it was merged, undefined when there was no memory to take it. */
  restore(record: Uint8Array, now: number): number | undefined
  /** Throws TabmeshError, and then nothing has changed. */
  localSet(edits: readonly TreeEdit[], now: number): void
  /** Goes on in a later era, with nothing but the initial state. All that was to be done must have been taken. */
  enterEra(era: number, state: object, now: number): void
  /** The record to store, or undefined when nothing has to change. Throws TabmeshError. No other write is taken until `accept`, `withdraw` or `passOver`. */
  propose(edits: readonly TreeEdit[], now: number): Uint8Array | undefined
  /** What was proposed is not stored, and never will be. An empty write of its number, to be stored as any is, where that was passed over. */
  withdraw(now: number): Uint8Array | undefined
  /** Whether its own write of this number is merged. */
  hasOwn(seq: number): boolean
  receive(frame: Uint8Array, now: number): void
  /** A JSON value for one instance, or for all where `to` is empty. Throws TabmeshError. */
  sendNote(to: string, value: unknown, now: number): void
  /** What this replica has, for one that lacks part of it: on another device. */
  greeting(): Uint8Array
  /** What the sender of a greeting lacks, empty where that is nothing; undefined for what is no greeting of this store. */
  answer(greeting: Uint8Array): Uint8Array | undefined
  /** Up to which number all writes of an instance are here. */
  wholeOf(instance: string): number
  /** Who is alive, and then who holds the leader lock: two calls of the core, after each of which there is something to perform. */
  retainPeers(alive: readonly string[], now: number): void
  lockHeldBy(holder: string | undefined, now: number): void
  takeChanges(): readonly TreeEdit[]
  takeFrames(): Uint8Array[]
  takeRecords(): Uint8Array[]
  takeLock(): { action: (typeof lockActions)[number]; term: number }
  takeEvents(): readonly CoreEvent[]
  /** Throws away all that the `take…` would return, where nobody reads it. */
  discard(): void
  /** When to tick, in milliseconds since 1970; 0 for never. */
  wakeAt(): number
  /** The number of the newest own write. */
  seq(): number
  /** The time of the newest write seen, in milliseconds since 1970. */
  clockMs(): number
  /** Who wrote last at or below that place, and when; undefined where nobody has. Throws TabmeshError. */
  lastWrite(path: readonly string[]): readonly [tab: string, time: number] | undefined
  /** Empty when memory is out, and while stored records wait for earlier ones. */
  checkpoint(): Uint8Array
  /** The same in two replicas that have merged the same: 16 hexadecimal digits. */
  digest(): string
  /** A piece of it, of at most `pieceBytes`, packed (JOURNAL_FORMAT.md); nothing when memory is out. */
  pack(piece: Uint8Array): Uint8Array
  /** What the next era begins with, and which writes of this one are in it. Undefined as `checkpoint`. */
  nextEra(): { state: Uint8Array; end: Uint8Array } | undefined
  /** Which own writes are in what followed the era (`isKept`); undefined where `end` is not that of this one. */
  keptAtEnd(end: Uint8Array): readonly number[] | undefined
  peers(): CorePeer[]
  conflicts(): CoreConflict[]
  counters(): number[]
  /** Frees the module's memory. Safe twice; later calls do nothing, for the memory belongs to others then. */
  free(): void
}

const none: readonly never[] = []

export function createCore(module: MainModule, options: CoreOptions): Core {
  const memory = memoryOf(module)
  const put = (...parts: (string | Uint8Array)[]): number[] => memory.put(...parts) ?? refuse('out-of-memory')
  const [nameSize, labelSize] = put(options.name, options.label, options.instance) as [number, number]
  const handle = module.create(nameSize, labelSize, options.connectedAt, options.visible, options.mayLead, strategies.indexOf(options.defaultStrategy))
  const report = module.report(handle) >> 2
  let freed = false

  const word = (at: number): number => module.HEAPU32[report + at]!
  const double = (at: number): number => module.HEAPF64[(report + at) >> 1]!
  const take = (at: number): number => {
    const value = word(at)
    module.HEAPU32[report + at] = 0
    return value
  }
  const takeText = (at: number): string | undefined => {
    const size = freed ? 0 : take(at + 1)
    return size === 0 ? undefined : memory.text(word(at), size)
  }
  const takeSpans = (at: number): Uint8Array[] => {
    const spans: Uint8Array[] = []
    if (freed) return spans
    const words = module.HEAPU32
    const end = (words[report + at]! >> 2) + 2 * take(at + 1)
    for (let span = words[report + at]! >> 2; span < end; span += 2) spans.push(memory.bytes(words[span]!, words[span + 1]!))
    return spans
  }
  const outputText = (): string => memory.text(word(outputWord), word(outputWord + 1))
  const outputBytes = (): Uint8Array => memory.bytes(word(outputWord), word(outputWord + 1))
  const outputRecord = (): Uint8Array | undefined => {
    const record = outputBytes()
    return record.byteLength > 0 ? record : undefined
  }
  const printed = (reader: 'peers' | 'conflicts' | 'counters'): unknown[] => {
    if (freed) return []
    module[reader](handle)
    return JSON.parse(outputText()) as unknown[]
  }

  /** Bytes from elsewhere never throw; undefined without memory for them. Frames may be lost. */
  const given = (name: 'restore' | 'receive' | 'retainPeers' | 'lockHeldBy', bytes: Uint8Array, now: number): number | undefined => {
    const sizes = freed ? undefined : memory.put(bytes)
    return sizes && (module[name](handle, sizes[0]!, now) as number | undefined)
  }

  const check = (code: number): void => {
    if (code === 0) return
    module.statusName(handle, code)
    refuse(outputText() as ErrorCode)
  }
  const checkOpen = (): void => {
    if (freed) throw new TabmeshError('closed', 'The store is closed.')
  }

  for (const [key, field] of Object.entries(options.lists)) module.setList(handle, ...(put(key, field) as [number, number]))
  for (const [key, strategy] of Object.entries(options.strategies)) module.setStrategy(handle, put(key)[0]!, strategies.indexOf(strategy))

  return {
    replica: Object.fromEntries(plainCalls.map((name) => [name, (...rest: never[]) => freed || (module[name] as (...all: unknown[]) => unknown)(handle, ...rest)])) as unknown as Core['replica'],
    open(state, now) {
      check(module.open(handle, put(JSON.stringify(state))[0]!, now))
    },
    restore: (record, now) => given('restore', record, now),
    enterEra(era, state, now) {
      if (!freed) check(module.enterEra(handle, put(JSON.stringify(state))[0]!, era, now))
    },
    localSet(edits, now) {
      checkOpen()
      check(module.localSet(handle, put(JSON.stringify(edits))[0]!, now))
    },
    propose(edits, now) {
      checkOpen()
      check(module.propose(handle, put(JSON.stringify(edits))[0]!, now))
      return outputRecord()
    },
    withdraw(now) {
      if (freed) return undefined
      module.withdraw(handle, now)
      return outputRecord()
    },
    hasOwn: (seq) => !freed && module.hasOwn(handle, seq),
    receive: (frame, now) => void given('receive', frame, now),
    sendNote(to, value, now) {
      checkOpen()
      check(module.sendNote(handle, ...(put(bytesOf(to), JSON.stringify(value)) as [number, number]), now))
    },
    greeting() {
      if (freed) return new Uint8Array()
      module.greeting(handle)
      return outputBytes()
    },
    answer(greeting) {
      const sizes = freed ? undefined : memory.put(greeting)
      return sizes && module.answer(handle, sizes[0]!) === 0 ? outputBytes() : undefined
    },
    wholeOf(instance) {
      const sizes = freed ? undefined : memory.put(bytesOf(instance))
      return sizes ? module.wholeOf(handle, sizes[0]!) : 0
    },
    retainPeers: (alive, now) => void given('retainPeers', bytesOf(alive.join('')), now),
    lockHeldBy: (holder, now) => void given('lockHeldBy', holder === '' ? new Uint8Array(16) : bytesOf(holder ?? ''), now),
    takeChanges() {
      const text = takeText(changesWord)
      return text === undefined ? none : (JSON.parse(text) as TreeEdit[])
    },
    takeFrames: () => takeSpans(framesWord),
    takeRecords: () => takeSpans(recordsWord),
    takeLock: () => ({ term: double(claimTermWord), action: lockActions[freed ? 0 : take(lockWord)]! }),
    takeEvents() {
      const text = takeText(eventsWord)
      return text === undefined ? none : (JSON.parse(`[${text}]`) as CoreEvent[])
    },
    discard() {
      if (!freed) for (const at of [changesWord, eventsWord, framesWord, recordsWord]) take(at + 1)
    },
    wakeAt: () => (freed ? 0 : double(wakeAtWord)),
    seq: () => (freed ? 0 : word(seqWord)),
    clockMs: () => (freed ? 0 : double(clockWord)),
    lastWrite(path) {
      checkOpen()
      check(module.lastWrite(handle, put(JSON.stringify(path))[0]!))
      return word(outputWord + 1) === 0 ? undefined : (JSON.parse(outputText()) as [string, number])
    },
    checkpoint() {
      if (freed) return new Uint8Array()
      module.checkpoint(handle)
      return outputBytes()
    },
    digest() {
      if (freed) return ''
      module.digest(handle)
      return outputText()
    },
    pack(piece) {
      const sizes = freed ? undefined : memory.put(piece)
      if (!sizes) return new Uint8Array()
      module.pack(handle, sizes[0]!)
      return outputBytes()
    },
    nextEra() {
      const size = freed ? 0 : module.nextEra(handle)
      if (size === 0) return undefined
      const both = outputBytes()
      return { state: both.slice(0, size), end: both.slice(size) }
    },
    keptAtEnd(end) {
      const sizes = freed ? undefined : memory.put(end)
      if (!sizes) return undefined
      module.keptAtEnd(handle, sizes[0]!)
      const kept = JSON.parse(outputText()) as number[]
      return kept.length > 0 ? kept : undefined
    },
    peers: () => printed('peers') as CorePeer[],
    conflicts: () => printed('conflicts') as CoreConflict[],
    counters: () => printed('counters') as number[],
    free() {
      if (!freed) module.free(handle)
      freed = true
    },
  }
}

/** Throws what the core calls by this name. */
function refuse(name: ErrorCode): never {
  throw new TabmeshError(name, advice[name] ?? `The core refused a write: ${name}.`)
}

const advice: Partial<Record<ErrorCode, string>> = {
  'depth-exceeded': 'The state is nested deeper than 512 levels: flatten it.',
  'key-too-long': 'A key is longer than 1,024 bytes of UTF-8: shorten it.',
  'value-too-large': 'A single value (a string, an array, or a key under last-write-wins) is larger than 1 MiB: split it.',
  'state-too-large': 'The whole state would be larger than 64 MiB: keep less in it.',
  'out-of-memory': 'The module has run out of memory; the write was taken back.',
  'bad-list-item': 'An item of a keyed list is no object, or lacks its id: give each its own.',
  'not-a-number': 'A counter is a whole number within ±(2^53 - 1).',
  'sequence-exhausted': 'This tab has made four billion writes: reload it.',
}
