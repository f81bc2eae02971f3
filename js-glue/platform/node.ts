// Node: threads of one process, and processes, that share a directory.
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { Platform, Shelf } from '../platform.ts'
import { openBroadcastChannel } from './broadcast-channel.ts'
import { openFileJournal, storesIn } from './file-journal.ts'
import { recordShelfOn } from './memory-records.ts'
import { createPageLifecycle } from './page-lifecycle.ts'
import { createSystemClock } from './system-clock.ts'
import { randomBytes } from './web-crypto.ts'

const noShelf: Shelf = { read: () => null, write: () => false, remove: () => undefined, keys: () => [] }

export function createNodePlatform(directory: string): Platform {
  const path = resolve(directory)
  // Stores of one name in two directories are two stores.
  const scope = createHash('sha256').update(path).digest('hex').slice(0, 16)
  return {
    clock: createSystemClock(),
    lifecycle: createPageLifecycle(),
    shelf: noShelf,
    random: randomBytes,
    claimLabel: () => Promise.resolve({ text: `node ${process.pid}`, release: () => undefined }),
    openChannel: (kind, name, receive) => (kind === 'broadcast-channel' ? openBroadcastChannel(`${scope}:${name}`, receive) : undefined),
    openJournal: (name, durability) => openFileJournal(path, name, durability),
    async versions(name) {
      const stores = await storesIn(path)
      return stores.flatMap((one) => (one === name ? [1] : one.startsWith(`${name}@`) ? [Number(one.slice(name.length + 1))] : []))
    },
    openRecords: () => Promise.resolve(recordShelfOn(new Map())), // of this store alone
    eraseRecords: () => Promise.resolve(),
    openLock: () => undefined, // Node 20 has none; the lease in the journal serves processes, too
    connectWindow: () => () => undefined,
  }
}
