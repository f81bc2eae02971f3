// The service worker's side of an app that starts offline. Caches by revision are Workbox's: https://developer.chrome.com/docs/workbox/modules/workbox-precaching
import { cleanupOutdatedCaches, matchPrecache, precacheAndRoute } from 'workbox-precaching'
import { TabmeshError } from '../errors.ts'
import type { State, Store } from '../types.ts'
import { isMessage, syncTag } from './messages.ts'

/** As Workbox's tools and Vite's PWA plugin list them. `revision`: changes with the file; null where the address does. */
export interface OfflineFile {
  readonly url: string
  readonly revision: string | null
}

export interface ServeOfflineOptions {
  /**
   * Opens the app's store, as its pages do, with its `relay` if it has one, with `openStore` of this entry, and `cachedFile` of its module. Called every 30 s while a page lives that asks for it (`keepOffline`): what pages have, and the
   * storage lacks, is stored then. It is closed again. Also where a relay was out of reach, and the browser says that there is a network: what no page has sent is handed over.
   */
  readonly reconcile?: () => Promise<Store<State>>
}

/** A browser gives a service worker so long, more or less; then it is asked again. */
const handOverMs = 25_000

interface SyncEvent {
  readonly tag: string
  waitUntil(done: Promise<unknown>): void
}

interface WorkerScope {
  addEventListener(type: 'sync', listener: (event: SyncEvent) => void): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown; waitUntil(done: Promise<unknown>): void }) => void): void
  skipWaiting(): Promise<void>
}

/**
 * Serves the files of one version of the app from a cache, the page itself too; to be called at the top of the service worker's script. A new version waits until no page uses the old one, or
 * until a page says that it may come (`keepOffline`).
 */
export function serveOffline(files: readonly OfflineFile[], { reconcile }: ServeOfflineOptions = {}): void {
  const scope = globalThis as unknown as WorkerScope
  let reconciling: Promise<void> | undefined
  cleanupOutdatedCaches()
  precacheAndRoute([...files], { ignoreURLParametersMatching: [/./] }) // what is behind the ? is for the page

  async function reconciled(): Promise<void> {
    const store = await reconcile!()
    try {
      await store.inspect().syncNow() // what pages have told it, and the journal lacks
    } finally {
      await store.close()
    }
  }

  /** Rejects where the relay was not reached: the browser tries again. */
  async function handOver(): Promise<void> {
    const store = await reconcile!()
    try {
      await new Promise<void>((resolve, reject) => {
        const look = ({ relay }: { readonly relay: string }): void => {
          if (['online', 'refused', 'off'].includes(relay)) resolve()
        }
        store.on('status', look)
        look(store.status)
        setTimeout(() => reject(new Error('the relay was not reached')), handOverMs)
      })
    } finally {
      await store.close()
    }
  }

  scope.addEventListener('sync', (event) => {
    if (event.tag === syncTag && reconcile) event.waitUntil(handOver())
  })
  scope.addEventListener('message', (event) => {
    if (isMessage(event.data, 'use-update')) event.waitUntil(scope.skipWaiting())
    if (isMessage(event.data, 'reconcile') && reconcile) event.waitUntil((reconciling ??= reconciled().catch(() => undefined).finally(() => (reconciling = undefined))))
  })
}

/** A file of the app as it is in the cache: what a service worker fetches itself does not come from there. For the option `wasm`. Rejects with TabmeshError `offline-failed` where it is not. */
export async function cachedFile(url: string): Promise<ArrayBuffer> {
  const response = await matchPrecache(url)
  if (!response) throw new TabmeshError('offline-failed', `${url} is not among the files that are cached: add it to those that serveOffline is given.`)
  return response.arrayBuffer()
}
