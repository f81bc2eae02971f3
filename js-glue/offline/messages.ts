// What a page tells its service worker.

export type OfflineMessage = 'use-update' | 'reconcile'

export const messageOf = (what: OfflineMessage): { tabmesh: OfflineMessage } => ({ tabmesh: what })

/** Whether another page, or our own, has said this. */
export const isMessage = (data: unknown, what: OfflineMessage): boolean => (data as { tabmesh?: unknown } | null)?.tabmesh === what

/** Of Background Synchronization: the browser says when there is a network, also where no page lives. https://wicg.github.io/background-sync/spec/ */
export const syncTag = 'tabmesh-relay'
