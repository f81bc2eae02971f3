// Stores on the memory twin: each tab is a page of its own.
import { readFile } from 'node:fs/promises'
import { startEngine } from '../../js-glue/engine.ts'
import { loadModule } from '../../js-glue/core.ts'
import { bytePackerOf } from '../../js-glue/lz.ts'
import { createStoreOn } from '../../js-glue/open.ts'
import { createMemoryOrigin, type MemoryFaults, type MemoryOrigin, type MemoryTab } from '../../js-glue/platform/memory.ts'
import type { Store, StoreOptions } from '../../js-glue/index.ts'

export const wasm = await readFile(new URL('../../js-glue/generated/tabmesh.wasm', import.meta.url))
export const packer = bytePackerOf(await loadModule(wasm))

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any state a test likes
export type AnyState = Record<string, any>

export interface Mesh {
  readonly origin: MemoryOrigin
  /** What makes stores in a tab. */
  createIn(tab: MemoryTab): (options: StoreOptions<AnyState>) => Store<AnyState>
  /** Opens a store in a new tab, without waiting for it. */
  open(options?: Partial<StoreOptions<AnyState>>): { store: Store<AnyState>; tab: MemoryTab }
  /** The same, hydrated. */
  ready(options?: Partial<StoreOptions<AnyState>>): Promise<{ store: Store<AnyState>; tab: MemoryTab }>
}

export function createMesh(faults: MemoryFaults = {}): Mesh {
  const origin = createMemoryOrigin(faults)
  const createIn = (tab: MemoryTab) => (options: StoreOptions<AnyState>) => createStoreOn<AnyState>(tab, () => Promise.resolve({ startEngine, platform: tab.platform }), { wasm, ...options }, tab.platform.shelf)
  const open: Mesh['open'] = (options = {}) => {
    const tab = origin.openTab()
    return { store: createIn(tab)({ name: 'test', state: {}, ...options }), tab }
  }
  return {
    origin,
    createIn,
    open,
    async ready(options) {
      const opened = open(options)
      await opened.store.ready
      return opened
    },
  }
}

/** Resolves when `holds` does; fails with the last value it was given. */
export async function until(holds: () => boolean, what = 'the condition', ms = 5000): Promise<void> {
  const end = Date.now() + ms
  while (!holds()) {
    if (Date.now() > end) throw new Error(`${what} did not come within ${ms} ms`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
