// The public names of `tabmesh/inline`: those of `tabmesh`, with the module inside, compressed, as text.
import packed from 'tabmesh.wasm.gz'
import { hydrated } from './open.ts'
import { createStoreInPage } from './page.ts'
import type { State, Store, StoreOptions } from './types.ts'

export * from './names.ts'

async function unpacked(): Promise<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0))
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer()
}

/** As `createStore` of `tabmesh`: nothing is fetched. */
export function createStore<S extends State>(options: StoreOptions<S>): Store<S> {
  return createStoreInPage(options, unpacked)
}

/** `createStore`, and waits until it is hydrated. */
export async function openStore<S extends State>(options: StoreOptions<S>): Promise<Store<S>> {
  return hydrated(createStore(options))
}
