// localStorage: small, synchronous, shared by all pages of the origin, and flushed to the disk when the browser likes (HTML, Storage).
import type { Shelf } from '../platform.ts'

/** Blocked, full, or not there at all, as in workers and Node. */
function attempt<T>(use: (storage: Storage) => T, otherwise: T): T {
  try {
    return use(localStorage)
  } catch {
    return otherwise
  }
}

export const localShelf: Shelf = {
  read: (key) => attempt((storage) => storage.getItem(key), null),
  write: (key, text) => attempt((storage) => (storage.setItem(key, text), true), false),
  remove: (key) => attempt((storage) => storage.removeItem(key), undefined),
  keys: () => attempt((storage) => Object.keys(storage), []),
}
