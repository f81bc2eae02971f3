// Compute records in IndexedDB: a database of their own, so that large blocks hold up nothing of the state. What is looked for
// lies apart from the bytes, and is indexed so that one request finds the newest.
import { TabmeshError } from '../errors.ts'
import type { RecordShelf, StoredRecord } from '../platform.ts'
import { recordsOf } from './record-names.ts'

/** As the journal's: some browsers never answer an open, and do the next. */
const openWaitMs = 2500
const records = 'records'
const blocks = 'blocks'
/** The index of all by age, of a type's by age, and by frames a second. Ages are negative times: indexes are read forwards in one request, and the newest come first. */
const byAge = 'age'
const byType = 'type'
const byFps = 'fps'

/** As it is stored: what indexes go by lies on top. */
interface Row {
  readonly id: string
  readonly type: string
  readonly age: number
  readonly fps?: number | undefined
  readonly record: StoredRecord
}

const failed = (what: string, cause: unknown): TabmeshError => new TabmeshError('storage-failed', `The compute records could not be ${what}. Nothing has changed: try again.`, { cause })

function opened(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(recordsOf(name), 1)
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      reject(failed('opened', undefined))
    }, openWaitMs)
    request.onupgradeneeded = () => {
      const store = request.result.createObjectStore(records, { keyPath: 'id' })
      store.createIndex(byAge, 'age')
      store.createIndex(byType, ['type', 'age'])
      store.createIndex(byFps, 'fps')
      request.result.createObjectStore(blocks)
    }
    request.onsuccess = () => {
      clearTimeout(timer)
      if (isLate) request.result.close()
      else resolve(request.result)
    }
    request.onerror = () => {
      clearTimeout(timer)
      reject(failed('opened', request.error))
    }
  })
}

export async function openRecordDatabase(name: string): Promise<RecordShelf> {
  let connection: Promise<IDBDatabase> | undefined
  let closed = false

  /** Opened again where the browser has closed it, or it was erased. */
  function database(): Promise<IDBDatabase> {
    if (closed) throw new TabmeshError('closed', 'The store is closed.')
    return (connection ??= opened(name).then(
      (database) => {
        database.onversionchange = () => forget(database)
        database.onclose = () => forget(database)
        if (closed) database.close()
        return database
      },
      (cause: unknown) => {
        connection = undefined
        throw cause
      },
    ))
  }

  function forget(database: IDBDatabase): void {
    connection = undefined
    database.close()
  }

  /** A browser may have closed the connection, and its event be on the way. */
  async function begun(mode: IDBTransactionMode, what: string): Promise<IDBTransaction> {
    const open = await database()
    try {
      return open.transaction([records, blocks], mode)
    } catch (cause) {
      forget(open)
      throw failed(what, cause)
    }
  }

  /**
   * One transaction; `work` makes its requests in this task or in their events, and commits nothing: a request that fails then takes the others with it. Resolves to what `work` returned, when all is
   * complete.
   */
  async function transact<T>(mode: IDBTransactionMode, what: string, work: (records: IDBObjectStore, blocks: IDBObjectStore) => T): Promise<T> {
    const transaction = await begun(mode, what)
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(failed(what, transaction.error))
    })
    const result = work(transaction.objectStore(records), transaction.objectStore(blocks))
    await done
    return result
  }

  await database()
  return {
    async put(record, bytes) {
      const { id, type, time, performance } = record
      const row: Row = { id, type, age: -time, ...(performance.fps !== undefined && { fps: performance.fps }), record }
      await transact('readwrite', 'stored', (records, blocks) => {
        records.put(row)
        if (bytes) blocks.put(bytes, id)
        else blocks.delete(id)
      })
    },
    async get(id) {
      const [row, bytes] = await transact('readonly', 'read', (records, blocks) => [records.get(id) as IDBRequest<Row | undefined>, blocks.get(id) as IDBRequest<ArrayBuffer | undefined>] as const)
      return row.result && { record: row.result.record, bytes: bytes.result }
    },
    async query({ type, from = -Infinity, to = Infinity, minFps, limit }) {
      if (from > to || limit === 0) return []
      // An index answers the whole question, or all that it finds is looked at.
      const isByFps = minFps !== undefined && type === undefined && from === -Infinity && to === Infinity
      const range = isByFps ? IDBKeyRange.lowerBound(minFps) : type === undefined ? IDBKeyRange.bound(-to, -from) : IDBKeyRange.bound([type, -to], [type, -from])
      const most = minFps === undefined && Number.isFinite(limit) ? limit : undefined
      const found = await transact('readonly', 'read', (records) => records.index(isByFps ? byFps : type === undefined ? byAge : byType).getAll(range, most) as IDBRequest<Row[]>)
      const rows = minFps === undefined ? found.result : found.result.filter(({ fps = -Infinity }) => fps >= minFps)
      if (isByFps) rows.sort((a, b) => a.age - b.age || (a.id < b.id ? -1 : 1))
      return rows.slice(0, limit).map(({ record }) => record)
    },
    async remove(before, keep, spared) {
      let removed = 0
      await transact('readwrite', 'removed', (records, blocks) => {
        const all = records.index(byAge).getAllKeys() as IDBRequest<string[]>
        const stays = records.index(byType).getAllKeys(IDBKeyRange.bound([spared, -Infinity], [spared, Infinity])) as IDBRequest<string[]>
        const young = records.index(byAge).count(IDBKeyRange.upperBound(-before))
        young.onsuccess = () => {
          const staying = new Set(stays.result)
          const old = all.result.slice(Math.min(keep, young.result)).filter((id) => !staying.has(id))
          removed = old.length
          for (const id of old) {
            records.delete(id)
            blocks.delete(id)
          }
        }
      })
      return removed
    },
    close() {
      closed = true
      connection?.then(
        (database) => database.close(),
        () => undefined, // it was told to whom it concerned
      )
    },
  }
}

/** Empties it: deleting would wait for pages that sleep, and others for that. */
export async function eraseRecordDatabase(name: string): Promise<void> {
  const database = await opened(name)
  try {
    await new Promise<void>((resolve, reject) => {
      const transaction = database.transaction([records, blocks], 'readwrite')
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(failed('erased', transaction.error))
      transaction.objectStore(records).clear()
      transaction.objectStore(blocks).clear()
    })
  } finally {
    database.close()
  }
}
