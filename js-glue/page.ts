// Composition root of what pages load first: stores of this page, whose engine is loaded later.
import type { WasmPlace } from './core.ts'
import { createStoreOn } from './open.ts'
import { localShelf } from './platform/local-storage.ts'
import type { State, Store, StoreOptions } from './types.ts'

const page = {}

/** As `createStore`; `wasm`: where the module is, when the options do not say. */
export function createStoreInPage<S extends State>(options: StoreOptions<S>, wasm: WasmPlace): Store<S> {
  return createStoreOn(page, async () => ({ ...(await import('./browser-engine.ts')).browserEngine(), wasm }), options, localShelf)
}
