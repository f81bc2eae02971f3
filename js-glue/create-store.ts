// Stores whose module lies beside this file.
import { hydrated } from './open.ts'
import { createStoreInPage } from './page.ts'
import type { State, Store, StoreOptions } from './types.ts'

/**
 * Makes a store, or another handle to the one of that name in this page. Synchronous and usable at once:
 * until `ready`, reads show the initial state, and writes apply here and are sent later.
 * Throws TypeError for options that make no sense.
 */
export function createStore<S extends State>(options: StoreOptions<S>): Store<S> {
  return createStoreInPage(options, () => new URL('./tabmesh.wasm', import.meta.url))
}

/** `createStore`, and waits until it is hydrated. */
export async function openStore<S extends State>(options: StoreOptions<S>): Promise<Store<S>> {
  return hydrated(createStore(options))
}
