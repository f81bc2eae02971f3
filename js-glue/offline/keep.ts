// The public names of `tabmesh/offline`: the page's side of an app that starts offline. Importing touches no global.
import { TabmeshError } from '../errors.ts'
import type { State, Store } from '../types.ts'
import { messageOf, syncTag } from './messages.ts'

const reconcileMs = 30_000

export interface KeepOfflineOptions {
  /** Default: the folder of the script. */
  readonly scope?: string
  /** Where the script is a module, as bundlers make it for browsers that know that; default `'classic'`. */
  readonly type?: 'classic' | 'module'
  /**
   * A new version of the app is cached, and waits. `use` puts it into service and loads this page again, and with it all pages of the app; called with nothing asked, it is used when the last of them is
   * closed.
   */
  readonly onUpdate?: (use: () => void) => void
  /**
   * Whose leader asks the service worker every 30 s to reconcile (`serveOffline`); and what is stored before a page is loaded again. Where its relay is not connected, the browser is asked to wake the
   * service worker when there is a network, also without a page (Background Synchronization; Chromium): it hands over what is stored.
   */
  readonly store?: Pick<Store<State>, 'flush' | 'leader' | 'on'>
}

export interface Offline {
  /** Resolves when everything is cached: from then on the app starts without a network. Rejects with TabmeshError `unsupported` and `offline-failed`. */
  readonly ready: Promise<void>
  /** Asks the server for a new version now; the browser does it with every navigation, and once a day. */
  update(): Promise<void>
  /** Stops telling and asking. What is cached stays. */
  close(): void
}

/** Registers the app's service worker, whose script calls `serveOffline` of `tabmesh/service-worker`. */
export function keepOffline(script: string | URL, { scope, type = 'classic', onUpdate, store }: KeepOfflineOptions = {}): Offline {
  const ended = new AbortController()
  const { signal } = ended

  async function register(): Promise<ServiceWorkerRegistration> {
    const { serviceWorker } = navigator as { serviceWorker?: ServiceWorkerContainer }
    if (!serviceWorker) throw new TabmeshError('unsupported', 'Browsers have service workers on https and localhost only: serve the page there.')
    const registration = await serviceWorker.register(script, { type, updateViaCache: 'none', ...(scope !== undefined && { scope }) }).catch((cause: unknown) => {
      throw new TabmeshError('offline-failed', `The service worker ${String(script)} could not be registered: is it served beside the page, as JavaScript?`, { cause })
    })
    if (signal.aborted) return registration
    // A new one has taken over: the files of the old one are gone, and so this page is loaded again.
    if (serviceWorker.controller) serviceWorker.addEventListener('controllerchange', () => void reload(), { once: true, signal })
    if (registration.waiting && serviceWorker.controller) tell(registration.waiting)
    registration.addEventListener('updatefound', () => watch(registration.installing), { signal })
    watch(registration.installing)
    return registration
  }

  /** Tells of a worker once it waits for another to go. */
  function watch(worker: ServiceWorker | null): void {
    worker?.addEventListener('statechange', () => worker.state === 'installed' && navigator.serviceWorker.controller && tell(worker), { signal })
  }

  function tell(worker: ServiceWorker): void {
    // The newest one that waits, when that is asked for.
    onUpdate?.(() => void registering.then(({ waiting }) => (waiting ?? worker).postMessage(messageOf('use-update'))))
  }

  async function reload(): Promise<void> {
    await Promise.race([store?.flush().catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 1000))])
    location.reload()
  }

  const registering = register()
  const active = registering.then(
    (registration) =>
      new Promise<ServiceWorkerRegistration>((resolve, reject) => {
        const worker = registration.active ?? registration.waiting ?? registration.installing
        const look = (): void => {
          if (registration.active) resolve(registration)
          else if (worker?.state === 'redundant') reject(new TabmeshError('offline-failed', 'The service worker could not cache the app: are all of its files there?'))
        }
        worker?.addEventListener('statechange', look)
        look()
      }),
  )

  const ready = active.then(() => undefined)
  ready.catch(() => undefined) // where nobody waits for it

  const undo = store?.leader.run(({ signal }) => {
    const timer = setInterval(() => void active.then((registration) => registration.active?.postMessage(messageOf('reconcile'))).catch(() => undefined), reconcileMs)
    signal.addEventListener('abort', () => clearInterval(timer))
  })

  const undoStatus = store?.on('status', ({ relay, leadership }) => {
    if (relay !== 'offline' || leadership !== 'leader') return
    active.then((registration) => (registration as { sync?: { register(tag: string): Promise<void> } }).sync?.register(syncTag)).catch(() => undefined)
  })

  return {
    ready,
    async update() {
      await (await registering).update()
    },
    close() {
      ended.abort()
      undo?.()
      undoStatus?.()
    },
  }
}
