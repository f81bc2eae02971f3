// Journal: what was stored is there for all, in its order; terms and eras are fences.
import type { Journal } from '../../js-glue/platform.ts'
import { bytes, check, equal, newName, numbers, refusal, type Case, type Tab } from './surroundings.ts'

async function open(tab: Tab, name: string): Promise<Journal> {
  const opening = tab.platform.openJournal(name, 'relaxed', () => undefined)
  check(opening !== undefined, 'there is no database here')
  return opening
}

export const journalCases: Case[] = [
  {
    name: 'what one tab stores another reads, in the order of storing, from a cursor on',
    async run({ openTab }) {
      const name = newName()
      const [a, b] = [await open(await openTab(), name), await open(await openTab(), name)]
      const empty = await b.read(0, 0)
      equal([empty.records.length, empty.checkpoints.length, empty.era], [0, 0, 0], 'a new journal')
      await a.append([bytes(1), bytes(2, 2)], 0)
      await b.append([bytes(3)], 0)
      await a.append([], 0)
      const all = await b.read(0, 0)
      equal(numbers(all.records), [[1], [2, 2], [3]], 'all records')
      await a.append([bytes(4)], 0)
      equal(numbers((await b.read(all.cursor, 0)).records), [[4]], 'what is new')
      equal(numbers((await a.read(0, 0)).records), [[1], [2, 2], [3], [4]], 'all records again')
      check(all.generation === empty.generation && all.generation !== '', 'the generation has changed')
      a.close()
      b.close()
    },
  },
  {
    name: 'records are copies, of any size',
    async run({ openTab }) {
      const name = newName()
      const journal = await open(await openTab(), name)
      const large = Uint8Array.from({ length: 700_000 }, (_, i) => i & 0xff)
      const view = large.subarray(10, 20)
      const storing = journal.append([view, large], 0)
      large.fill(0, 0, 100)
      await storing
      const [part, whole] = (await journal.read(0, 0)).records
      equal([...part!], [10, 11, 12, 13, 14, 15, 16, 17, 18, 19], 'a part of a buffer')
      equal([whole!.length, whole![5], whole![699_999]], [700_000, 5, 699_999 & 0xff], 'a large one')
      journal.close()
    },
  },
  {
    name: 'a transaction sees all before it, and nobody comes in between',
    async run({ openTab }) {
      const name = newName()
      const journals = [await open(await openTab(), name), await open(await openTab(), name), await open(await openTab(), name)]
      await Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          journals[i % 3]!.transact(0, 0, undefined, Date.now(), ({ records }) => [bytes(records.length)]),
        ),
      )
      equal((await journals[0]!.read(0, 0)).records.map(([byte]) => byte), Array.from({ length: 30 }, (_, i) => i), 'the counts')
      journals.forEach((journal) => journal.close())
    },
  },
  {
    name: 'a transaction that throws stores nothing; one that is named is known by its name in every tab',
    async run({ openTab }) {
      const name = newName()
      const [a, b] = [await open(await openTab(), name), await open(await openTab(), name)]
      equal(await refusal(a.transact(0, 0, 'one', Date.now(), () => { throw new TypeError('of the app') })), 'TypeError: of the app', 'what it rejects with')
      equal((await a.read(0, 0)).records.length, 0, 'how much is stored')
      const known: boolean[] = []
      for (const journal of [a, b]) {
        await journal.transact(0, 0, 'one', Date.now(), (_, isKnown) => {
          known.push(isKnown)
          return isKnown ? [] : [bytes(1)]
        })
      }
      equal(known, [false, true], 'whether it is known')
      equal(numbers((await a.read(0, 0)).records), [[1]], 'what is stored')
      a.close()
      b.close()
    },
  },
  {
    name: 'terms grow, whoever claims them',
    async run({ openTab }) {
      const name = newName()
      const [a, b] = [await open(await openTab(), name), await open(await openTab(), name)]
      const first = await a.claimTerm(1, 'aa')
      const [second, third] = await Promise.all([b.claimTerm(1, 'bb'), a.claimTerm(1, 'aa')])
      const far = await b.claimTerm(100, 'bb')
      check(first >= 1 && new Set([first, second, third]).size === 3 && Math.min(second, third) > first && far >= 100, `terms ${[first, second, third, far].join(', ')}`)
      a.close()
      b.close()
    },
  },
  {
    name: 'a checkpoint stands for the records before it; of two the newer comes first, and records go when both cover them',
    async run({ openTab }) {
      const name = newName()
      const [a, b] = [await open(await openTab(), name), await open(await openTab(), name)]
      const term = await a.claimTerm(1, 'aa')
      await a.append([bytes(1), bytes(2)], 0)
      const early = await a.read(0, 0)
      equal(await a.checkpoint(term, 0, bytes(10), early.cursor), 'stored', 'the first')
      await b.append([bytes(3)], 0)
      const later = await a.read(0, 0)
      equal(numbers(later.checkpoints), [[10]], 'one checkpoint')
      equal(await a.checkpoint(term, 0, bytes(20), later.cursor), 'stored', 'the second')
      const both = await b.read(0, 0)
      equal(numbers(both.checkpoints), [[20], [10]], 'both checkpoints')
      equal(numbers(both.records), [[3]], 'what the older one does not cover')
      equal(numbers((await b.read(early.cursor, 0)).records), [[3]], 'for one who has the first part')
      a.close()
      b.close()
    },
  },
  {
    name: 'who has been replaced, or is of another era, changes nothing',
    async run({ openTab }) {
      const name = newName()
      const [a, b] = [await open(await openTab(), name), await open(await openTab(), name)]
      const old = await a.claimTerm(1, 'aa')
      const term = await b.claimTerm(1, 'bb')
      await a.append([bytes(1)], 0)
      const { cursor } = await a.read(0, 0)
      equal(await a.checkpoint(old, 0, bytes(10), cursor), 'replaced', 'a checkpoint')
      equal(await b.checkpoint(term, 7, bytes(10), cursor), 'era-ended', 'a checkpoint of another era')
      equal(await a.endEra(old, 0, cursor, () => ({ state: bytes(1), end: bytes(2) })), 'replaced', 'the end of an era')
      equal(await refusal(a.append([bytes(9)], 7)), 'era-ended', 'a record of another era')
      const found = await b.read(0, 0)
      equal([numbers(found.records), found.checkpoints.length, found.era], [[[1]], 0, 0], 'what is there')
      a.close()
      b.close()
    },
  },
  {
    name: 'an era ends at once: its records are gone, its end is kept, and nothing more is stored in it',
    async run({ openTab }) {
      const name = newName()
      const [a, b] = [await open(await openTab(), name), await open(await openTab(), name)]
      const term = await a.claimTerm(1, 'aa')
      await a.append([bytes(1)], 0)
      const { cursor } = await a.read(0, 0)
      await b.append([bytes(2)], 0)
      let rest: number[][] = []
      equal(await a.endEra(term, 0, cursor, (contents) => {
        rest = numbers(contents.records)
        return { state: bytes(50), end: bytes(60) }
      }), 'stored', 'its end')
      equal(rest, [[2]], 'what its leader had not read')
      equal(await refusal(b.append([bytes(3)], 0)), 'era-ended', 'a late record')
      const found = await b.read(cursor, 0)
      equal([found.era, numbers(found.records), numbers(found.checkpoints)[0], [...found.ends.get(0)!]], [1, [], [50], [60]], 'the next era')
      equal(await refusal(b.append([bytes(5)], 0)), 'era-ended', 'one later still')
      await b.append([bytes(4)], 1)
      equal(numbers((await a.read(found.cursor, 1)).records), [[4]], 'what is new in it')
      equal(await a.endEra(term, 1, found.cursor, () => undefined), 'stored', 'one that is not to end')
      equal((await a.read(0, 1)).era, 1, 'the era')
      a.close()
      b.close()
    },
  },
  {
    name: 'who has read what is erased then stores nothing more',
    async run({ openTab }) {
      const name = newName()
      const [a, b] = [await open(await openTab(), name), await open(await openTab(), name)]
      await b.read(0, 0)
      await a.erase()
      equal(await refusal(b.append([bytes(1)], 0)), 'era-ended', 'a record of the old store')
      equal((await a.read(0, 0)).records.length, 0, 'what is in the new one')
      a.close()
      b.close()
    },
  },
  {
    name: 'the ends of the last 16 eras are kept',
    async run({ openTab }) {
      const journal = await open(await openTab(), newName())
      const term = await journal.claimTerm(1, 'aa')
      for (let era = 0; era < 19; era++) {
        const { cursor } = await journal.read(0, era)
        equal(await journal.endEra(term, era, cursor, () => ({ state: bytes(era), end: bytes(100 + era) })), 'stored', `the end of era ${era}`)
      }
      const { era, ends, checkpoints } = await journal.read(0, 19)
      equal([era, [...ends.keys()], [...ends.values()].map(([byte]) => byte)], [19, Array.from({ length: 16 }, (_, i) => i + 3), Array.from({ length: 16 }, (_, i) => i + 103)], 'what is kept')
      equal(numbers(checkpoints), [[18], [18]], 'the state')
      journal.close()
    },
  },
  {
    name: 'who is succeeded stores nothing more, until it is not after all',
    async run({ openTab }) {
      const name = newName()
      const [a, b] = [await open(await openTab(), name), await open(await openTab(), name)]
      await a.append([bytes(1)], 0)
      equal((await a.read(0, 0)).successor, 0, 'nobody')
      const last = await b.succeed(3)
      equal([numbers(last.records), last.successor, (await a.read(last.cursor, 0)).successor], [[[1]], 3, 3], 'all there is, and who')
      equal(await refusal(a.append([bytes(2)], 0)), 'era-ended', 'an append')
      equal((await b.succeed(0)).successor, 0, 'nobody, after all')
      await a.append([bytes(3)], 0)
      // What was refused meanwhile may be there: its writer stores it again.
      equal(numbers((await b.read(0, 0)).records).filter(([byte]) => byte !== 2), [[1], [3]], 'what is stored then')
      a.close()
      b.close()
    },
  },
  {
    name: 'erased, everything is gone, and the generation is another',
    async run({ openTab }) {
      const name = newName()
      const [a, b] = [await open(await openTab(), name), await open(await openTab(), name)]
      await a.append([bytes(1)], 0)
      const before = await b.read(0, 0)
      await a.erase()
      const after = await b.read(0, 0)
      equal([after.records.length, after.checkpoints.length, after.era], [0, 0, 0], 'what is left')
      check(after.generation !== before.generation, 'the generation is the same')
      await a.append([bytes(2)], 0)
      equal(numbers((await b.read(0, 0)).records), [[2]], 'what is stored afterwards')
      a.close()
      b.close()
    },
  },
  {
    name: 'cleared away by the browser, it begins with what tabs have of it, unless it was erased, or goes on in another era',
    async run({ openTab }) {
      const [name, other] = [newName(), newName()]
      const [a, b] = [await open(await openTab(), name), await open(await openTab(), other)]
      const { generation } = await a.read(0, 0)
      const second = { generation: (await b.read(0, 0)).generation }
      equal(await b.refound(generation, 3, bytes(1)), second, 'the first')
      equal(await b.refound(generation, 3, bytes(2)), second, 'one of the same era')
      equal(await b.refound(generation, 2, bytes(3)), 'left-behind', 'one of another era')
      const { era, records, ends } = await b.read(0, 3)
      equal([era, numbers(records), ends.size], [3, [[1], [2]], 0], 'what is stored')
      equal(await refusal(b.append([bytes(5)], 3)), undefined, 'a record after that')
      await b.erase()
      equal([await b.refound(generation, 3, bytes(4)), await b.refound(second.generation, 3, bytes(4))], ['erased', 'erased'], 'what was cleared away, stored again, and erased')
      await a.erase()
      const erased = await a.read(0, 0)
      equal(await a.refound(generation, 0, bytes(4)), 'erased', 'what was erased')
      await a.erase()
      equal([await a.refound(generation, 0, bytes(4)), await a.refound(erased.generation, 0, bytes(5))], ['erased', 'erased'], 'what was erased before')
      equal((await a.read(0, 0)).records.length, 0, 'what is stored of that')
      a.close()
      b.close()
    },
  },
  {
    name: 'one holds the lease; another takes it when it is given back, or is still what it has seen',
    async run({ openTab }) {
      const name = newName()
      const [a, b] = [await open(await openTab(), name), await open(await openTab(), name)]
      const first = await a.lease('aa')
      equal(first.holder, 'aa', 'who takes it')
      equal(await b.lease('bb'), first, 'what another finds')
      const kept = await a.lease('aa')
      check(kept.holder === 'aa' && kept.beat !== first.beat, 'a beat is not seen')
      equal(await b.lease('bb', first), kept, 'what another finds who has seen an older beat')
      const taken = await b.lease('bb', kept)
      equal(taken.holder, 'bb', 'who takes a lease that was not kept')
      equal(await a.lease('aa'), taken, 'what the first finds')
      await a.endLease('aa')
      equal(await a.lease('aa'), taken, 'what the first finds, who gives back what is not its own')
      await b.endLease('bb')
      equal((await a.lease('aa')).holder, 'aa', 'who takes what was given back')
      await a.endLease('aa')
      equal((await a.lease('aa')).holder, 'aa', 'who takes its own again')
      equal((await b.lease('bb')).holder, 'aa', 'who holds it then')
      a.close()
      b.close()
    },
  },
  {
    name: 'a call is begun once, by who leads, and is forgotten when its caller has done with it',
    async run({ openTab }) {
      const name = newName()
      const [a, b] = [await open(await openTab(), name), await open(await openTab(), name)]
      const call = (number: number, settled = 1, caller = 'cc'): { caller: string; number: number; settled: number } => ({ caller, number, settled })
      const term = await a.claimTerm(1, 'aa')
      equal([await a.beginCall(term, 0, call(1), 'aa'), await a.beginCall(term, 0, call(2), 'aa')], ['', ''], 'two calls')
      equal([await a.beginCall(term, 0, call(1), 'aa'), await a.beginCall(term, 0, call(1, 1, 'dd'), 'aa')], ['aa', ''], 'one again, and that of another')
      const next = await b.claimTerm(1, 'bb')
      equal([await a.beginCall(term, 0, call(3), 'aa'), await b.beginCall(next, 1, call(3), 'bb')], [undefined, undefined], 'by who was replaced, and in another era')
      equal([await b.beginCall(next, 0, call(2), 'bb'), await b.beginCall(next, 0, call(3, 3), 'bb')], ['aa', ''], 'by who leads now')
      equal(await b.beginCall(next, 0, call(2), 'bb'), '', 'what the caller had done with')
      a.close()
      b.close()
    },
  },
  {
    name: 'who has read a store that was erased stores nothing in the next one, also once it has read that; and terms go on',
    async run({ openTab }) {
      const name = newName()
      const [a, b] = [await open(await openTab(), name), await open(await openTab(), name)]
      const { cursor } = await a.read(0, 0)
      const old = await a.claimTerm(1, 'aa')
      await b.erase()
      const reading = a.read(0, 0)
      equal(await refusal(a.append([bytes(1)], 0)), 'era-ended', 'while it finds out')
      await reading
      equal(await refusal(a.append([bytes(2)], 0)), 'era-ended', 'when it has')
      equal(await a.checkpoint(old, 0, bytes(3), cursor), 'replaced', 'a checkpoint of who led, while nobody does')
      const term = await b.claimTerm(1, 'bb')
      check(term > old, `the term ${term} after ${old}`)
      equal(await a.checkpoint(old, 0, bytes(3), cursor), 'replaced', 'a checkpoint of who led')
      const found = await b.read(0, 0)
      equal([found.records.length, found.checkpoints.length], [0, 0], 'what is there')
      a.close()
      b.close()
    },
  },
]
