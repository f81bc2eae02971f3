// A leader's work on the journal: checkpoints, and the end of an era.
import type { Core } from './core.ts'
import type { Clock, Fenced, Journal, JournalContents } from './platform.ts'
import type { Storage } from './storage.ts'

/** Writes after which a checkpoint is made. */
const checkpointEvery = 500
/** From a write until the look whether the era should end. */
const endLookMs = 250

export interface UpkeepOptions {
  readonly core: Core
  readonly clock: Clock
  readonly storage: Storage
  /** Up to where the journal is known, and of which era. */
  readonly position: () => { readonly cursor: number; readonly era: number }
  /** The term that this tab leads; undefined while it does not, or must not. */
  readonly term: () => number | undefined
  /** Takes in what was read. */
  readonly merge: (contents: JournalContents) => void
  /** Another leads. */
  readonly onReplaced: () => void
}

export interface Upkeep {
  /** So many writes have been made here, or were read. */
  written(count: number): void
  /** Looks whether the era should end, now. */
  look(): void
  stop(): void
}

export function createUpkeep({ core, clock, storage, position, term, merge, onReplaced }: UpkeepOptions): Upkeep {
  let sinceCheckpoint = 0
  let working = false
  let cancelLook: (() => void) | undefined

  /** One at a time; what fails is kept for the next. */
  function begin(work: (journal: Journal, led: number) => Promise<Fenced | undefined>): void {
    const { journal } = storage
    const led = term()
    if (working || !journal || led === undefined) return
    working = true
    work(journal, led)
      .then((outcome) => {
        if (outcome === 'era-ended') void storage.catchUp()
        if (outcome === 'replaced') onReplaced()
      })
      .catch(() => undefined)
      .finally(() => (working = false))
  }

  /** Takes in what the journal had; false when the work must not go on. */
  function take(journal: Journal, contents: JournalContents): boolean {
    if (term() === undefined || storage.journal !== journal || contents.generation !== storage.generation) return false
    merge(contents)
    return term() !== undefined
  }

  async function makeCheckpoint(journal: Journal, led: number): Promise<Fenced | undefined> {
    const { cursor, era } = position()
    if (!take(journal, await journal.read(cursor, era))) return undefined
    sinceCheckpoint = 0
    const bytes = core.checkpoint()
    // Nothing: out of memory. The journal stays as it is.
    return bytes.byteLength === 0 ? undefined : journal.checkpoint(led, position().era, bytes, position().cursor)
  }

  async function endEra(journal: Journal, led: number): Promise<Fenced | undefined> {
    const { cursor, era } = position()
    // Somebody who stores nothing may have come since the look.
    const outcome = await journal.endEra(led, era, cursor, (contents) => (take(journal, contents) && core.replica.compactionDue() ? core.nextEra() : undefined))
    return outcome === 'stored' ? 'era-ended' : outcome
  }

  function look(): void {
    stop()
    if (term() !== undefined && core.replica.compactionDue()) begin(endEra)
  }

  function stop(): void {
    cancelLook?.()
    cancelLook = undefined
  }

  return {
    written(count) {
      sinceCheckpoint += count
      if (term() === undefined || !storage.journal) return
      cancelLook ??= clock.after(endLookMs, look)
      if (sinceCheckpoint >= checkpointEvery) clock.soon(() => begin(makeCheckpoint))
    },
    look,
    stop,
  }
}
