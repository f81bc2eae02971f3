// Which view is shown: the part of the address behind the #, so that any host can serve the page.
import { useSyncExternalStore } from 'react'

const read = (): string => location.hash.replace(/^#\/?/, '')

function watch(listener: () => void): () => void {
  addEventListener('hashchange', listener)
  return () => removeEventListener('hashchange', listener)
}

/** The name of the view in the address; empty for none. */
export const useRoute = (): string => useSyncExternalStore(watch, read)
