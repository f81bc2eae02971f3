// The public names of `tabmesh/service-worker`: those of `tabmesh`, in one piece, for service workers may not import() anything later.
import { browserEngine } from './browser-engine.ts'
import { createStoreOn, hydrated } from './open.ts'
import type { State, Store, StoreOptions } from './types.ts'

export * from './names.ts'
export { cachedFile, serveOffline, type OfflineFile, type ServeOfflineOptions } from './offline/serve.ts'

const worker = {}

/**
 * As `createStore` of `tabmesh`, for a replica that reads, and writes now and then, but never leads: the browser ends a service worker whenever it likes. Make it
 * in the handler of an event, await its `ready`, and hand `event.waitUntil` what it writes: `store.set(…).durable`.
 */
export function createStore<S extends State>(options: Omit<StoreOptions<S>, 'leader'>): Store<S> {
  const { startEngine, platform } = browserEngine()
  return createStoreOn(worker, () => Promise.resolve({ startEngine: (given) => startEngine({ ...given, courier: true }), platform, wasm: () => new URL('./tabmesh.wasm', import.meta.url) }), { ...options, leader: false })
}

/** `createStore`, and waits until it is hydrated. */
export async function openStore<S extends State>(options: Omit<StoreOptions<S>, 'leader'>): Promise<Store<S>> {
  return hydrated(createStore(options))
}
