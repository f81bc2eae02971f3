// A leader's work on the journal: checkpoints, and the end of an era.
import { joined } from './bytes.ts'
import type { Core } from './core.ts'
import type { Clock, Fenced, Journal, JournalContents } from './platform.ts'
import type { Storage } from './storage.ts'

/** Writes after which a checkpoint is made. */
const checkpointEvery = 500
/** Of a checkpoint, what is compressed in one task: some three milliseconds' work (wasm/lz/pieces.h). */
const pieceBytes = 64 << 10
/** From a write until the look whether the era should end. */
const endLookMs = 250

export interface UpkeepOptions {
  readonly core: Core
  readonly clock: Clock
  readonly storage: Storage
  /** Up to where the journal is known, and of which era. */
  readonly position: () => { readonly cursor: number; readonly era: number }
  /** Bytes from which on a checkpoint is compressed. */
  readonly compressAbove: number
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

export function createUpkeep({ core, clock, storage, position, compressAbove, term, merge, onReplaced }: UpkeepOptions): Upkeep {
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
    const upTo = position()
    const bytes = await packed(core.checkpoint())
    // Nothing: out of memory. The journal stays as it is.
    return bytes.byteLength === 0 || term() !== led ? undefined : journal.checkpoint(led, upTo.era, bytes, upTo.cursor)
  }

  /** Where that is worth it, piece by piece: a state of megabytes must not hold up the page. */
  async function packed(bytes: Uint8Array): Promise<Uint8Array> {
    if (bytes.byteLength <= compressAbove) return bytes
    const pieces: Uint8Array[] = []
    for (let from = 0; from < bytes.byteLength; from += pieceBytes) {
      await new Promise<void>((resolve) => clock.soon(resolve))
      const piece = core.pack(bytes.subarray(from, from + pieceBytes))
      if (piece.byteLength === 0) return bytes // there is no memory for it
      pieces.push(piece)
    }
    const whole = joined(pieces)
    return whole.byteLength < bytes.byteLength ? whole : bytes
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
