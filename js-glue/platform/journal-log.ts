// A journal as a sequence of changes: its rules, for surroundings that bring no database of their own.
import { TabmeshError } from '../errors.ts'
import { callersKept, endsKept, type Fenced, type Journal, type JournalContents, type Lease } from '../platform.ts'

/** Generations that were erased are remembered, so many. */
const erasedKept = 64
/** How long a transaction's id is known, in milliseconds. */
const transactionKeptMs = 86_400_000

/** What is stored: the sum of all changes. */
export interface Disk {
  generation: string
  /** Generations that were erased, the newest last. */
  erased: string[]
  /** Generations that are gone, and that this one goes on with. */
  formerly: string[]
  /** Those that the older checkpoint does not cover, by key ascending. */
  records: { readonly key: number; readonly bytes: Uint8Array }[]
  nextKey: number
  /** Newest first, at most two. */
  checkpoints: { readonly bytes: Uint8Array; readonly cursor: number }[]
  term: number
  lease: Lease
  readonly calls: Map<string, Map<number, string>>
  era: number
  successor: number
  readonly ends: Map<number, Uint8Array>
  /** When each named transaction was stored. */
  readonly transactions: Map<string, number>
}

export type Change =
  | { readonly kind: 'record'; readonly bytes: Uint8Array }
  | { readonly kind: 'transaction'; readonly id: string; readonly at: number }
  | { readonly kind: 'term'; readonly term: number }
  | { readonly kind: 'lease'; readonly lease: Lease }
  | { readonly kind: 'call'; readonly caller: string; readonly number: number; readonly settled: number; readonly instance: string }
  | { readonly kind: 'checkpoint'; readonly bytes: Uint8Array; readonly cursor: number }
  | { readonly kind: 'era'; readonly state: Uint8Array; readonly end: Uint8Array }
  | { readonly kind: 'successor'; readonly version: number }
  | { readonly kind: 'erased'; readonly generation: string }
  | { readonly kind: 'refounded'; readonly formerly: string; readonly era: number; readonly state: Uint8Array }

const noLease: Lease = { holder: '', beat: 0 }

export function emptyDisk(generation: string): Disk {
  return { generation, erased: [], formerly: [], records: [], nextKey: 1, checkpoints: [], term: 0, lease: noLease, calls: new Map(), era: 0, successor: 0, ends: new Map(), transactions: new Map() }
}

export function apply(on: Disk, change: Change): void {
  switch (change.kind) {
    case 'record':
      on.records.push({ key: on.nextKey++, bytes: change.bytes })
      break
    case 'transaction':
      for (const [id, at] of on.transactions) if (Math.abs(change.at - at) >= transactionKeptMs) on.transactions.delete(id)
      on.transactions.set(change.id, change.at)
      break
    case 'term':
      on.term = change.term
      break
    case 'lease':
      on.lease = change.lease
      break
    case 'call': {
      const known = [...(on.calls.get(change.caller) ?? [])].filter(([number]) => number >= change.settled)
      on.calls.delete(change.caller)
      on.calls.set(change.caller, new Map([...known, [change.number, change.instance]]))
      for (const oldest of [...on.calls.keys()].slice(0, -callersKept)) on.calls.delete(oldest)
      break
    }
    case 'checkpoint': {
      const checkpoints = [{ bytes: change.bytes, cursor: change.cursor }, ...on.checkpoints].slice(0, 2)
      on.checkpoints = checkpoints
      if (checkpoints.length > 1) on.records = on.records.filter(({ key }) => key > checkpoints[1]!.cursor)
      break
    }
    case 'era': {
      const first = { bytes: change.state, cursor: on.nextKey - 1 }
      on.ends.delete(on.era - endsKept)
      on.ends.set(on.era++, change.end)
      on.checkpoints = [first, first]
      on.records = []
      break
    }
    case 'successor':
      on.successor = change.version
      break
    case 'erased': {
      const { nextKey, term } = on
      const erased = [...on.erased, ...on.formerly, on.generation].slice(-erasedKept)
      Object.assign(on, emptyDisk(change.generation), { nextKey, erased, term: term + 1 })
      break
    }
    case 'refounded':
      on.era = change.era
      on.formerly = [...new Set(on.formerly).add(change.formerly)].slice(-erasedKept)
      on.records.push({ key: on.nextKey++, bytes: change.state })
      break
  }
}

/** Access to what is stored, one after another, whoever asks. */
export interface DiskAccess {
  read<T>(act: (on: Disk) => T): Promise<T>
  /**
   * Stores the changes that `act` names, all or none; resolves to what it returns when they are stored. Where another comes in between, `act` is called again, but not one that is
   * called `once`: that rejects, and nothing is stored. `lasting`: even the loss of power must not undo it.
   */
  write<T>(act: (on: Disk, change: (change: Change) => void) => T, how?: { readonly once?: boolean; readonly lasting?: boolean }): Promise<T>
}

export function journalOn(access: DiskAccess, kind: Journal['kind'], newGeneration: () => string): Omit<Journal, 'close'> {
  /** The store that was read: nothing of it may be written into one that follows an erasure. */
  let generationRead: string | undefined
  const lasting = { lasting: true }

  const contentsOf = (on: Disk, cursor: number, era: number): JournalContents => ({
    generation: on.generation,
    era: on.era,
    successor: on.successor,
    ends: new Map(on.ends),
    // Records up to the older checkpoint are gone: whoever has not read them needs the checkpoint.
    checkpoints: on.era !== era || cursor === 0 || cursor < (on.checkpoints.at(-1)?.cursor ?? 0) ? on.checkpoints.map(({ bytes }) => bytes) : [],
    records: on.records.filter(({ key }) => key > cursor).map(({ bytes }) => bytes),
    cursor: Math.max(cursor, on.nextKey - 1),
  })

  /** Why a leader's work is not done; undefined where it may be. */
  const barred = (on: Disk, term: number, era: number): Fenced | undefined => (on.term !== term ? 'replaced' : on.era !== era ? 'era-ended' : undefined)

  return {
    kind,
    read: (cursor, era) =>
      access.read((on) => {
        generationRead ??= on.generation
        return contentsOf(on, cursor, era)
      }),
    transact: (cursor, era, id, now, run) =>
      access.write((on, change) => {
        const before = id === undefined ? undefined : on.transactions.get(id)
        const list = run(contentsOf(on, cursor, era), before !== undefined && Math.abs(now - before) < transactionKeptMs)
        for (const bytes of list) change({ kind: 'record', bytes: bytes.slice() })
        if (list.length > 0 && id !== undefined) change({ kind: 'transaction', id, at: now })
      }, { once: true }),
    async append(records, era) {
      const copies = records.map((bytes) => bytes.slice())
      const isCurrent = await access.write((on, change) => {
        const current = on.generation === (generationRead ?? on.generation) && on.era === era && on.successor === 0
        if (current) for (const bytes of copies) change({ kind: 'record', bytes })
        return current
      })
      if (!isCurrent) throw new TabmeshError('era-ended', `Era ${era} has ended.`)
    },
    claimTerm: (atLeast) =>
      access.write((on, change) => {
        const term = Math.max(on.term + 1, atLeast)
        change({ kind: 'term', term })
        return term
      }, lasting),
    beginCall: (term, era, { caller, number, settled }, instance) =>
      access.write((on, change) => {
        if (barred(on, term, era)) return undefined
        const before = on.calls.get(caller)?.get(number)
        if (before !== undefined && number >= settled) return before
        change({ kind: 'call', caller, number, settled, instance })
        return ''
      }),
    lease: (instance, seen) =>
      access.write((on, change) => {
        const { holder, beat } = on.lease
        if (!['', instance].includes(holder) && (holder !== seen?.holder || beat !== seen.beat)) return on.lease
        const lease = { holder: instance, beat: beat + 1 }
        change({ kind: 'lease', lease })
        return lease
      }),
    endLease: (instance) =>
      access.write((on, change) => {
        if (on.lease.holder === instance) change({ kind: 'lease', lease: noLease })
      }),
    checkpoint(term, era, given, cursor) {
      const bytes = given.slice()
      return access.write((on, change): Fenced => {
        const bar = barred(on, term, era)
        if (!bar) change({ kind: 'checkpoint', bytes, cursor })
        return bar ?? 'stored'
      }, lasting)
    },
    endEra: (term, era, cursor, run) =>
      access.write((on, change): Fenced => {
        const bar = barred(on, term, era)
        const made = bar ? undefined : run(contentsOf(on, cursor, era))
        if (made) change({ kind: 'era', state: made.state.slice(), end: made.end.slice() })
        return bar ?? 'stored'
      }, { once: true, lasting: true }),
    succeed: (version) =>
      access.write((on, change) => {
        change({ kind: 'successor', version })
        return { ...contentsOf(on, 0, 0), successor: version }
      }, lasting),
    erase: () => access.write((_, change) => change({ kind: 'erased', generation: newGeneration() }), lasting),
    async refound(formerly, era, given) {
      const state = given.slice()
      const founded = await access.write((on, change) => {
        if (on.erased.includes(formerly)) return 'erased'
        if (on.era !== era && on.records.length + on.checkpoints.length > 0) return 'left-behind'
        change({ kind: 'refounded', formerly, era, state })
        return { generation: on.generation }
      }, lasting)
      if (typeof founded === 'object') ({ generation: generationRead } = founded)
      return founded
    },
  }
}
