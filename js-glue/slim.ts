// The public names of `tabmesh/slim`: those of `tabmesh`, without a place of the module: no bundler has anything to copy.
import type { WasmSource } from './core.ts'
import { hydrated } from './open.ts'
import { createStoreInPage } from './page.ts'
import type { State, Store, StoreOptions } from './types.ts'

export * from './names.ts'

let give!: (source: WasmSource) => void
const given = new Promise<WasmSource>((resolve) => (give = resolve))

/** Says where the module is: its URL, its bytes, or compiled. Stores that were made before wait for it; the first call counts. The file is `tabmesh/tabmesh.wasm`. */
export function init(source: WasmSource): void {
  give(source)
}

/** As `createStore` of `tabmesh`: works by itself until `init` was called, unless the option `wasm` says where the module is. */
export function createStore<S extends State>(options: StoreOptions<S>): Store<S> {
  return createStoreInPage(options, () => given)
}

/** `createStore`, and waits until it is hydrated. */
export async function openStore<S extends State>(options: StoreOptions<S>): Promise<Store<S>> {
  return hydrated(createStore(options))
}
