// Compute records in memory: where there is no database, and the twin of record-database.ts.
import type { RecordShelf, StoredRecord } from '../platform.ts'

export type RecordsInMemory = Map<string, { readonly record: StoredRecord; readonly bytes: ArrayBuffer | undefined }>

export function recordShelfOn(records: RecordsInMemory): RecordShelf {
  const newest = (): StoredRecord[] => [...records.values()].map(({ record }) => record).sort((a, b) => b.time - a.time || (a.id < b.id ? -1 : 1))
  return {
    async put(record, bytes) {
      const stored = { record: structuredClone(record), bytes }
      await Promise.resolve()
      records.set(record.id, stored)
    },
    async get(id) {
      await Promise.resolve()
      return structuredClone(records.get(id))
    },
    async query({ type, from = -Infinity, to = Infinity, minFps = -Infinity, limit = Infinity }) {
      await Promise.resolve()
      const found = newest().filter((record) => (type === undefined || record.type === type) && record.time >= from && record.time <= to && (record.performance.fps ?? -Infinity) >= minFps)
      return structuredClone(found.slice(0, limit))
    },
    async remove(before, keep, spared) {
      await Promise.resolve()
      const old = newest().filter(({ type, time }, place) => type !== spared && (time < before || place >= keep))
      for (const { id } of old) records.delete(id)
      return old.length
    },
    close: () => undefined,
  }
}
