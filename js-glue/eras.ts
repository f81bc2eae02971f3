// Own writes from one era of the journal to the next: which are not known to be stored, and which the next one lacks.
import type { Core } from './core.ts'
import { TabmeshError } from './errors.ts'
import type { JsonObject, TreeEdit } from './json-tree.ts'
import { endsKept, type Clock, type JournalContents } from './platform.ts'
import type { Mirror } from './store.ts'
import type { Sync } from './sync.ts'
import { isKept, replacedBy, type OwnWrite } from './unstored.ts'

/** Own writes that a tab without a journal knows of, should an era end under it. */
const unstoredMax = 100

export interface ErasOptions {
  readonly core: Core
  readonly clock: Clock
  readonly mirror: Mirror
  readonly sync: Sync
  /** Whether nothing of this tab is ever stored. */
  readonly storesNothing: () => boolean
  readonly onLost: (error: TabmeshError) => void
}

/** Eras that are remembered after they were left, for a transaction that asks. */
const leftKept = 16

/** A write that its own transaction stores, as the core numbers it. */
export interface Proposed extends OwnWrite {
  readonly era: number
}

export interface Eras {
  readonly era: number
  /** Writes now, on that state, and knows of it until it is stored. Returns the ledger's number of it; throws TabmeshError. */
  write(edits: readonly TreeEdit[], before: JsonObject): number
  /** The next write of the core, if it is these edits. */
  propose(edits: readonly TreeEdit[], before: JsonObject): Proposed
  /** It was merged, and is not known to be stored. */
  accepted(proposed: Proposed): void
  /** Whether it is in the era that followed its own. */
  wasKept(proposed: Proposed): boolean
  /** All own writes up to that number of the core's have reached the level. */
  reached(level: 'durable' | 'shared' | 'relayed', seq: number): void
  /** Own writes that are not known to be stored. */
  unstored(): readonly OwnWrite[]
  /** Another tab makes again what this one has left: counts must not be made twice. The rest says nothing where it is there. */
  taken(): void
  /** The others have all that was written. */
  forget(): void
  /**
   * The core begins anew; what the next era has is to be restored then. Without `contents`, others are asked. `fresh`:
   * this tab has had nothing to do with the journal until now.
   */
  enter(era: number, contents: JournalContents | undefined, hydrated: boolean, fresh: boolean): void
  /** Whether readers still see what they saw in the era before. */
  readonly entering: boolean
  /** The core is ready, and `edits` lead to its state: shows it, and makes again what it lacks. Returns the top-level keys that changed. */
  makeAgain(edits: readonly TreeEdit[]): string[]
}

export function createEras({ core, clock, mirror, sync, storesNothing, onLost }: ErasOptions): Eras {
  const { ledger, lists } = mirror.parts
  const replaced = (edits: readonly TreeEdit[], before: JsonObject): readonly unknown[] => replacedBy(edits, before, lists, (key) => mirror.parts.strategyOf(key))
  let era = 0
  /** What the ledger counts before the core's first write: the core begins anew with every era. */
  let numbered = 0
  /** In the order of their making. */
  let unstored: OwnWrite[] = []
  let entering: { readonly written: number; readonly lacking: readonly OwnWrite[] } | undefined
  /** The newest write that was made again: until then none has reached a level. */
  let settledFrom = 0
  /** Of the eras that were left, what the next one had. */
  const left = new Map<number, readonly number[] | undefined>()

  /** `number`: the ledger's, of a write that is made again. */
  function write(edits: readonly TreeEdit[], before: JsonObject, number?: number): number {
    const last = core.seq()
    core.localSet(edits, clock.now())
    const seq = core.seq()
    if (seq > last) unstored.push({ seq, number: number ?? numbered + seq, edits, replaced: replaced(edits, before) })
    if (storesNothing() && unstored.length > unstoredMax) unstored.shift()
    return numbered + seq
  }

  /** What is in the beginning of the era everybody has. */
  function settle(number: number): void {
    ledger.reached('shared', number)
    if (!storesNothing()) ledger.reached('durable', number)
  }

  function giveUp(writes: readonly OwnWrite[], reason: string): void {
    const error = new TabmeshError('write-lost', `A write of this tab that could not be stored in time was given up: ${reason}.`)
    ledger.lose(writes[0]!.number, writes.at(-1)!.number, error)
    queueMicrotask(() => onLost(error)) // the app may write then
  }

  return {
    get era() {
      return era
    },
    write: (edits, before) => write(edits, before),
    propose: (edits, before) => ({ seq: core.seq() + 1, number: numbered + core.seq() + 1, edits, replaced: replaced(edits, before), era }),
    accepted(proposed) {
      unstored.push(proposed)
      ledger.sent(proposed.number)
    },
    wasKept: ({ era, seq }) => isKept(left.get(era) ?? [0], seq),
    reached(level, seq) {
      if (level === 'durable') unstored = unstored.filter((own) => own.seq > seq)
      if (numbered + seq >= settledFrom) ledger.reached(level, numbered + seq)
    },
    unstored: () => unstored,
    taken() {
      unstored = unstored.map((own) => {
        const places = own.edits.map(([, , mode], i) => (mode === 2 ? -1 : i)).filter((i) => i >= 0)
        return { ...own, edits: places.map((i) => own.edits[i]!), replaced: places.map((i) => own.replaced[i]) }
      })
    },
    forget: () => void (unstored = []),
    enter(next, contents, hydrated, fresh) {
      const end = contents?.ends.get(era)
      // Where an end is missing, the browser had cleared the store away, and others have filled it again: it was empty then.
      const isFilled = contents !== undefined && contents.ends.size < Math.min(endsKept, next - era)
      const kept = (end && core.keptAtEnd(end)) ?? (fresh || isFilled ? [0] : undefined)
      const lacking = unstored.filter(({ seq }) => (contents ? kept && !isKept(kept, seq) : true))
      if (contents && !kept && unstored.length > 0) giveUp(unstored, 'so many eras have ended that nobody knows whether the store has it')
      if (hydrated) entering ??= { written: numbered + core.seq(), lacking }
      left.set(era, kept)
      left.delete(era - leftKept)
      unstored = []
      era = next
      core.enterEra(next, mirror.sharedInitial(), clock.now())
    },
    get entering() {
      return entering !== undefined
    },
    makeAgain(edits) {
      const { written, lacking } = entering!
      entering = undefined
      numbered = written - core.seq()
      if (lacking[0]) settle(lacking[0].number - 1)
      const keys = sync.rebase(mirror.sharedInitial(), edits, lacking, (own, again, before) => {
        try {
          write(again, before, own.number)
          return core.takeChanges()
        } catch {
          giveUp([own], 'what others have written meanwhile leaves no place for it')
          return undefined
        }
      })
      settledFrom = numbered + core.seq()
      if (settledFrom === written) settle(written) // nothing had to be made again
      return keys
    },
  }
}
