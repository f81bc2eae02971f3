// Typed façade over the generated module: loads it once a page, turns status codes into TabmeshError.
import createModule, { type MainModule } from './generated/tabmesh.mjs'
import { TabmeshError, type ErrorCode } from './errors.ts'
import type { TreeEdit } from './json-tree.ts'
import type { Lists } from './keyed-list.ts'
import type { StrategyName } from './types.ts'

/** Where the module comes from; default the file beside the glue. */
export type WasmSource = string | URL | ArrayBuffer | Uint8Array | WebAssembly.Module

let loading: Promise<MainModule> | undefined

/** The module, loaded by the first call; a failed load is tried again by the next. */
export function loadModule(source?: WasmSource): Promise<MainModule> {
  loading ??= instantiate(source).catch((cause: unknown) => {
    loading = undefined
    throw loadError(cause)
  })
  return loading
}

async function instantiate(source: WasmSource | undefined): Promise<MainModule> {
  const compiled = await compile(source ?? new URL('./tabmesh.wasm', import.meta.url))
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
  const url = new URL(source, import.meta.url)
  if (url.protocol === 'file:') {
    // Node: not an import, which bundlers would follow into the browser build.
    const fs = process.getBuiltinModule('node:fs/promises')
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
  if (cause instanceof WebAssembly.CompileError && /unsafe-eval|Content.Security.Policy/i.test(cause.message)) {
    return new TabmeshError('csp-wasm-blocked', "The page's Content-Security-Policy forbids WebAssembly: add 'wasm-unsafe-eval' to script-src. This tab goes on by itself, without sharing.", { cause })
  }
  return new TabmeshError('wasm-failed', 'tabmesh.wasm could not be loaded: is it served beside the bundle? Its place can be passed as the option wasm. This tab goes on by itself, without sharing.', { cause })
}

/** The lock actions of the core, by number. */
const lockActions = ['none', 'request', 'release', 'claim'] as const
const strategies: readonly StrategyName[] = ['merge', 'last-write-wins', 'first-write-wins', 'resolve', 'prompt']

/** Bits of `Core.pending`: what the last call wants done, in the order in which to do it. */
export const pendingChanges = 1
export const pendingFrames = 4
export const pendingRecords = 2
export const pendingLock = 8
export const pendingEvents = 16

export type CoreEvent =
  | { readonly type: 'ready' | 'tabs' | 'conflicts' | 'catch-up' | 'destroyed' | 'identity-conflict' }
  | { readonly type: 'remote' | 'divergence'; readonly from: string }
  | { readonly type: 'shared'; readonly seq: number }
  | { readonly type: 'strategy-mismatch'; readonly key: string }
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

/** The calls of a replica that need no translation. */
const plainCalls = ['restore', 'restored', 'askShared', 'tick', 'setVisible', 'suspend', 'resume', 'destroy', 'retainPeers', 'lockGranted', 'lockLost', 'termClaimed', 'claimFailed', 'seq', 'checkpoint', 'accept', 'withdraw'] as const

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

/** One replica. After every call but the readers, what `pending` names is taken, each once. */
export interface Core {
  readonly replica: { readonly [K in (typeof plainCalls)[number]]: WithoutHandle<MainModule[K]> }
  open(state: object, now: number): void
  /** What is pending afterwards. Throws TabmeshError, and then nothing has changed. */
  localSet(edits: readonly TreeEdit[], now: number): number
  /** The record to store, or undefined when nothing has to change. Throws TabmeshError. No other write is taken until `accept` or `withdraw`. */
  propose(edits: readonly TreeEdit[], now: number): Uint8Array | undefined
  /** What is pending afterwards. */
  receive(frame: Uint8Array, now: number): number
  pending(): number
  takeChanges(): TreeEdit[]
  takeFrames(): Uint8Array[]
  takeRecords(): Uint8Array[]
  takeLock(): { action: (typeof lockActions)[number]; term: number }
  takeEvents(): CoreEvent[]
  /** When to tick, in milliseconds since 1970; 0 for never. */
  wakeAt(): number
  peers(): CorePeer[]
  conflicts(): CoreConflict[]
  counters(): number[]
  /** Frees the module's memory. Safe twice; later calls do nothing, for the memory belongs to others then. */
  free(): void
}

export function createCore(module: MainModule, options: CoreOptions): Core {
  const handle = module.create(
    options.name,
    options.instance,
    options.label,
    options.connectedAt,
    options.visible,
    options.mayLead,
    strategies.indexOf(options.defaultStrategy),
  )
  for (const [key, field] of Object.entries(options.lists)) module.setList(handle, key, field)
  for (const [key, strategy] of Object.entries(options.strategies)) module.setStrategy(handle, key, strategies.indexOf(strategy))
  const replica = Object.fromEntries(plainCalls.map((name) => [name, (...rest: unknown[]) => (freed ? undefined : (module[name] as (...all: unknown[]) => unknown)(handle, ...rest))])) as unknown as Core['replica']
  let freed = false

  const check = (code: number): void => {
    if (code === 0) return
    const name = module.statusName(code) as ErrorCode
    throw new TabmeshError(name, advice[name] ?? `The core refused a write: ${name}.`)
  }

  return {
    replica,
    open(state, now) {
      check(module.open(handle, JSON.stringify(state), now))
    },
    localSet(edits, now) {
      if (freed) throw new TabmeshError('closed', 'The store is closed.')
      const pending = module.localSet(handle, JSON.stringify(edits), now)
      if (pending < 0) check(-pending)
      return pending
    },
    propose(edits, now) {
      if (freed) throw new TabmeshError('closed', 'The store is closed.')
      check(module.propose(handle, JSON.stringify(edits), now))
      const record = module.takeProposal(handle)
      return record.byteLength > 0 ? record : undefined
    },
    receive: (frame, now) => (freed ? 0 : module.receive(handle, frame, now)),
    pending: () => (freed ? 0 : module.pendingActions(handle)),
    takeChanges: () => JSON.parse(module.takeChanges(handle)) as TreeEdit[],
    takeFrames: () => module.takeFrames(handle),
    takeRecords: () => module.takeRecords(handle),
    takeLock: () => ({ term: module.claimTerm(handle), action: lockActions[module.takeLock(handle)]! }),
    takeEvents: () => JSON.parse(module.takeEvents(handle)) as CoreEvent[],
    wakeAt: () => module.wakeAt(handle),
    peers: () => (freed ? [] : (JSON.parse(module.peers(handle)) as CorePeer[])),
    conflicts: () => (freed ? [] : (JSON.parse(module.conflicts(handle)) as CoreConflict[])),
    counters: () => (freed ? [] : (JSON.parse(module.counters(handle)) as number[])),
    free() {
      if (!freed) module.free(handle)
      freed = true
    },
  }
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
