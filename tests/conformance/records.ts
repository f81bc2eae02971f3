// RecordShelf: what one tab stores all find, the newest first.
import type { RecordShelf, StoredRecord } from '../../js-glue/platform.ts'
import { check, equal, newName, type Case, type Tab } from './surroundings.ts'

const open = (tab: Tab, name: string): Promise<RecordShelf> => tab.platform.openRecords(name)
const record = (id: string, time: number, type = 'run', fps?: number): StoredRecord => ({ id, type, time, params: { note: id }, performance: fps === undefined ? {} : { fps } })
const ids = (records: readonly StoredRecord[]): string => records.map(({ id }) => id).join(' ')

export const recordCases: Case[] = [
  {
    name: 'what one tab stores another has, bytes and all; the same id again takes its place',
    async run({ openTab }) {
      const name = newName()
      const [a, b] = [await open(await openTab(), name), await open(await openTab(), name)]
      equal(await b.get('x'), undefined, 'what nobody has stored')
      await a.put({ ...record('x', 5), block: { type: 'uint8', length: 3, packing: 'none' } }, Uint8Array.of(1, 2, 3).buffer)
      const found = await b.get('x')
      equal(found?.record, { ...record('x', 5), block: { type: 'uint8', length: 3, packing: 'none' } }, 'the record')
      equal([...new Uint8Array(found!.bytes!)], [1, 2, 3], 'its bytes')
      await b.put(record('x', 6), undefined)
      const again = await a.get('x')
      equal([again?.record.time, again?.bytes], [6, undefined], 'the record that took its place')
      equal(ids(await a.query({})), 'x', 'all records')
      a.close()
      b.close()
    },
  },
  {
    name: 'what is read is a copy',
    async run({ openTab }) {
      const shelf = await open(await openTab(), newName())
      await shelf.put(record('x', 1), Uint8Array.of(1, 2).buffer)
      const found = await shelf.get('x')
      new Uint8Array(found!.bytes!).fill(7)
      equal([...new Uint8Array((await shelf.get('x'))!.bytes!)], [1, 2], 'the bytes')
      shelf.close()
    },
  },
  {
    name: 'is found by type, by time, by frames a second, the newest first, and so many',
    async run({ openTab }) {
      const shelf = await open(await openTab(), newName())
      await Promise.all([record('a', 10, 'run', 60), record('b', 20, 'run', 30), record('c', 30, 'other', 50), record('d', 40, 'run'), record('e', -5, 'run', 10.5)].map((one) => shelf.put(one, undefined)))
      const found = async (query: Parameters<RecordShelf['query']>[0], wanted: string): Promise<void> => equal(ids(await shelf.query(query)), wanted, JSON.stringify(query))
      await found({}, 'd c b a e')
      await found({ limit: 2 }, 'd c')
      await found({ limit: 0 }, '')
      await found({ type: 'run' }, 'd b a e')
      await found({ type: 'run', limit: 1 }, 'd')
      await found({ type: 'none' }, '')
      await found({ from: 10, to: 30 }, 'c b a')
      await found({ from: 11 }, 'd c b')
      await found({ to: 19 }, 'a e')
      await found({ from: 30, to: 10 }, '')
      await found({ type: 'run', from: -5, to: 20 }, 'b a e')
      await found({ minFps: 30 }, 'c b a')
      await found({ minFps: 30, limit: 2 }, 'c b')
      await found({ minFps: 50, type: 'run' }, 'a')
      await found({ minFps: 30, from: 10, to: 20, limit: 1 }, 'b')
      shelf.close()
    },
  },
  {
    name: 'what is old goes, and what is too many, with its bytes',
    async run({ openTab }) {
      const shelf = await open(await openTab(), newName())
      for (let i = 1; i <= 6; i++) await shelf.put(record(`r${i}`, i * 10), Uint8Array.of(i).buffer)
      equal(await shelf.remove(25, Infinity, 'spared'), 2, 'those from before 25')
      equal(ids(await shelf.query({})), 'r6 r5 r4 r3', 'those that stay')
      equal(await shelf.remove(-Infinity, 3, 'spared'), 1, 'those that are too many')
      equal(await shelf.remove(50, 2, 'spared'), 1, 'both')
      equal(ids(await shelf.query({})), 'r6 r5', 'those that stay in the end')
      equal(await shelf.get('r4'), undefined, 'one that has gone')
      equal([...new Uint8Array((await shelf.get('r5'))!.bytes!)], [5], 'the bytes of one that stays')
      equal(await shelf.remove(0, 100, 'spared'), 0, 'nothing')
      await shelf.put(record('kept', 1, 'spared'), undefined)
      equal(await shelf.remove(1000, 0, 'spared'), 2, 'all but what is spared')
      equal(ids(await shelf.query({})), 'kept', 'what is spared')
      shelf.close()
    },
  },
  {
    name: 'is erased in all tabs, which go on with nothing',
    async run({ openTab }) {
      const name = newName()
      const [one, two] = [await openTab(), await openTab()]
      const [a, b] = [await open(one, name), await open(two, name)]
      await a.put(record('x', 1), undefined)
      await two.platform.eraseRecords(name)
      equal(ids(await a.query({})), '', 'what is left')
      await a.put(record('y', 2), undefined)
      equal(ids(await b.query({})), 'y', 'what came after')
      const other = await open(one, newName())
      equal(ids(await other.query({})), '', 'what another store has')
      for (const shelf of [a, b, other]) shelf.close()
    },
  },
  {
    name: "without a name it is nobody else's",
    async run({ openTab }) {
      const tab = await openTab()
      const [a, b] = [await tab.platform.openRecords(undefined), await tab.platform.openRecords(undefined)]
      await a.put(record('x', 1), undefined)
      check((await a.get('x')) !== undefined, 'a record is gone')
      equal(ids(await b.query({})), '', 'what another has')
      a.close()
      b.close()
    },
  },
]
