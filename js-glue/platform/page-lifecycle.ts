// The page's life: hidden, frozen, in the back/forward cache, shown again (Page Lifecycle; HTML, pagehide).
import type { Lifecycle } from '../platform.ts'

/** In workers and Node, where there is no page: always visible, never suspended. */
export function createPageLifecycle(): Lifecycle {
  const page = typeof document === 'undefined' ? undefined : document
  return {
    active: () =>
      new Promise((resolve) => {
        if ((page as { prerendering?: boolean } | undefined)?.prerendering) page!.addEventListener('prerenderingchange', () => resolve(), { once: true })
        else resolve()
      }),
    visible: () => page === undefined || page.visibilityState === 'visible',
    watch(listener) {
      if (!page) return () => undefined
      const undo = new AbortController()
      const { signal } = undo
      // Capture: the app's own handlers may stop propagation. No unload or beforeunload: they bar bfcache.
      addEventListener('pagehide', () => listener.suspend(), { capture: true, signal })
      page.addEventListener('freeze', () => listener.suspend(), { capture: true, signal })
      page.addEventListener('resume', () => listener.resume(), { capture: true, signal })
      addEventListener('pageshow', (event) => event.persisted && listener.resume(), { capture: true, signal })
      page.addEventListener('visibilitychange', () => listener.visibility(page.visibilityState === 'visible'), { capture: true, signal })
      return () => undo.abort()
    },
  }
}
