// The real surroundings: a page, a worker, or Node, with what is there.
import type { Platform } from '../platform.ts'
import { openBroadcastChannel } from './broadcast-channel.ts'
import { openIndexedDb, versionsInIndexedDb } from './indexed-db.ts'
import { recordsOf } from './record-names.ts'
import { localShelf } from './local-storage.ts'
import { createPageLifecycle } from './page-lifecycle.ts'
import { openStorageEvents } from './storage-events.ts'
import { createSystemClock } from './system-clock.ts'
import { claimTabLabel } from './tab-label.ts'
import { randomBytes } from './web-crypto.ts'
import { openWebLocks } from './web-locks.ts'
import { connectWindow } from './window-port.ts'

function hasDatabases(): boolean {
  try {
    // Reading the property throws in opaque origins.
    return !!(globalThis as { indexedDB?: IDBFactory }).indexedDB
  } catch {
    return false
  }
}

export function createBrowserPlatform(): Platform {
  return {
    clock: createSystemClock(),
    lifecycle: createPageLifecycle(),
    shelf: localShelf,
    random: randomBytes,
    claimLabel: claimTabLabel,
    openChannel: (kind, name, receive, packer) => (kind === 'broadcast-channel' ? openBroadcastChannel(name, receive) : openStorageEvents(name, receive, packer)),
    openJournal: (name, durability, onLost) => (hasDatabases() ? openIndexedDb(name, durability, onLost) : undefined),
    versions: versionsInIndexedDb,
    async openRecords(name) {
      // Loaded by those who compute.
      if (name !== undefined && hasDatabases()) return (await import('./record-database.ts')).openRecordDatabase(name)
      return (await import('./memory-records.ts')).recordShelfOn(new Map())
    },
    async eraseRecords(name) {
      if (!hasDatabases()) return
      // Where nobody has computed there is nothing to load for it. Not every browser has the list.
      const there = await (indexedDB as Partial<IDBFactory>).databases?.().catch(() => undefined)
      if (there?.some((one) => one.name === recordsOf(name)) ?? true) await (await import('./record-database.ts')).eraseRecordDatabase(name)
    },
    openLock: openWebLocks,
    connectWindow,
  }
}
