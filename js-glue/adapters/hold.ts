// A sync is started while any component holds it.
import type { BroadcastSync } from './broadcast-sync.ts'

/** How many components have started a sync, and its end that waits for the next task: StrictMode and hot reloading mount again at once. */
const holders = new WeakMap<object, { count: number; ending?: ReturnType<typeof setTimeout> | undefined }>()

/** Returns the undo. */
export function hold<S>(sync: BroadcastSync<S>): () => void {
  const holder = holders.get(sync) ?? { count: 0 }
  holders.set(sync, holder)
  clearTimeout(holder.ending)
  holder.count++
  sync.start()
  return () => {
    if (--holder.count === 0) holder.ending = setTimeout(() => void sync.stop())
  }
}
