// The public names of `tabmesh/node`: those of `tabmesh`, with stores that are kept in a directory.
import { startEngine } from './engine.ts'
import { createStoreOn, hydrated } from './open.ts'
import { createNodePlatform } from './platform/node.ts'
import type { State, Store, StoreOptions } from './types.ts'

export * from './names.ts'

export interface NodeStoreOptions<S extends State> extends StoreOptions<S> {
  /** Where the store is kept, made if need be; on a disk with hard links. All threads and processes that name it share the store. */
  readonly directory: string
}

/** How long a process is kept running for what is not stored yet, in milliseconds: a disk that fails must not keep it for ever. */
const heldMs = 10_000

/** Until the store is read, and whenever something is written until it is stored. */
function keepRunning<S extends State>(store: Store<S>): void {
  let isRead = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = (): void => {
    const isDone = isRead && store.status.safeToClose
    if (!isDone) timer ??= setTimeout(() => undefined, heldMs)
    else timer = clearTimeout(timer) as undefined
  }
  store.subscribe(look)
  store.on('status', look)
  const read = (): void => {
    isRead = true
    look()
  }
  store.ready.then(read, read)
  look()
}

/** By directory, as pages are by what they are: two calls with one name share a store. */
const directories = new Map<string, object>()

/**
 * As `createStore` of `tabmesh`, with `persist` in the directory. Threads of one process see each other's writes at once; another process sees
 * them when it opens the store, and at each transaction. Who leads holds a lease in the directory, at most one of all of them. A process
 * runs on until what it has written is stored, but 10 s at most; an open store alone does not keep it running. Throws TypeError for options that make no sense.
 */
export function createStore<S extends State>({ directory, ...options }: NodeStoreOptions<S>): Store<S> {
  if (typeof directory !== 'string' || directory === '') throw new TypeError(`directory must be the path of a directory, not ${JSON.stringify(directory)}`)
  const of = directories.get(directory) ?? {}
  directories.set(directory, of)
  const store = createStoreOn(of, () => Promise.resolve({ startEngine, platform: createNodePlatform(directory), wasm: () => new URL('./tabmesh.wasm', import.meta.url) }), options)
  keepRunning(store)
  return store
}

/** `createStore`, and waits until it is hydrated. */
export async function openStore<S extends State>(options: NodeStoreOptions<S>): Promise<Store<S>> {
  return hydrated(createStore(options))
}
