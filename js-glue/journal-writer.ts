// The queue between the core's records and the journal: one transaction at a time takes all that wait
// (group commit), and what fails is tried again until it succeeds.
import { TabmeshError } from './errors.ts'
import type { Clock, Journal } from './platform.ts'

/** Between two transactions that nobody waits for: in a stream of writes they take time from what others wait for. */
const groupMs = 20
const retryFirstMs = 50
const retryLastMs = 5000
/** A transaction that takes so long waits for another tab's. In two halves: a page that was stopped itself learns in the second that its own is done. */
const stalledMs = 5000
/** Bytes of one transaction: a longer one would hold up other tabs. */
const transactionBytes = 256 << 10

/** A record of this tab, and the number of the write in it. */
export interface Waiting {
  readonly record: Uint8Array
  readonly seq: number
}

export interface JournalWriter {
  /** `seq` is the number of the write in the record. */
  push(record: Uint8Array, seq: number): void
  /** Somebody waits until all is stored. */
  hurry(): void
  /** Begins to store everything that is not stored, in this very task: the page may not run again. */
  flushNow(): void
  /** All that is not known to be stored. A record that is stored twice is read once. */
  unstored(): Waiting[]
  /** Somebody else has stored these. */
  stored(records: readonly Waiting[]): void
  /** A journal to write to from now on; `undefined` while there is none. */
  use(journal: Journal | undefined): void
  /** Forgets all of the era before. The next write's number follows `seq`. */
  beginEra(era: number, seq: number): void
  close(): void
}

export interface JournalWriterEvents {
  /** Own writes up to `seq` are stored; `waited`: how long these records have been on their way, in milliseconds. */
  durable(seq: number, records: number, bytes: number, waited: readonly number[]): void
  /** An attempt failed; the next one follows. */
  failed(cause: unknown): void
  /** The era has ended: nothing more can be stored in it. */
  stale(): void
  /** No transaction has ended for long: told once, and again after one has. */
  stalled(): void
}

const inOrder = (records: Waiting[]): Waiting[] => records.sort((a, b) => a.seq - b.seq)

export function createJournalWriter(clock: Clock, events: JournalWriterEvents): JournalWriter {
  let waiting: Waiting[] = []
  let journal: Journal | undefined
  let era = 0
  let running = 0
  let retryMs = retryFirstMs
  let cancelRetry: (() => void) | undefined
  let stored = 0
  let endedAt = -Infinity
  let urgent = false
  let cancelWatch: (() => void) | undefined
  let scheduled: object | undefined
  const storedEarly = new Set<number>()
  const pushedAt = new Map<number, number>()
  const underWay = new Set<readonly Waiting[]>()

  /** Takes from the queue what fits one transaction. */
  function fitting(): Waiting[] {
    let bytes = 0
    let count = 0
    while (count < waiting.length && (count === 0 || bytes + waiting[count]!.record.byteLength <= transactionBytes)) bytes += waiting[count++]!.record.byteLength
    return waiting.splice(0, count)
  }

  /** Durable means: everything up to this number, so a batch that overtook a failed one has to wait. */
  function store(batch: readonly Waiting[]): void {
    for (const { seq } of batch) if (seq > stored) storedEarly.add(seq)
    while (storedEarly.delete(stored + 1)) stored++
    const waited = batch.flatMap(({ seq }) => pushedAt.get(seq) ?? []).map((at) => clock.now() - at)
    for (const { seq } of batch) pushedAt.delete(seq)
    events.durable(stored, batch.length, batch.reduce((sum, { record }) => sum + record.byteLength, 0), waited)
  }

  /** From the newest sign of life on, while there is something under way. */
  function watch(): void {
    cancelWatch?.()
    cancelWatch = undefined
    if (!journal || underWay.size === 0) return
    cancelWatch = clock.after(stalledMs / 2, () => {
      cancelWatch = clock.after(stalledMs / 2, () => underWay.size > 0 && events.stalled())
    })
  }

  function begin(): void {
    if (!journal || waiting.length === 0) return
    const batch = fitting()
    urgent &&= waiting.length > 0
    running++
    underWay.add(batch)
    const of = era
    if (underWay.size === 1) watch()
    journal
      .append(batch.map(({ record }) => record), of)
      .then(
        () => {
          if (of !== era) return
          running--
          underWay.delete(batch)
          watch()
          retryMs = retryFirstMs
          endedAt = clock.now()
          store(batch)
          if (urgent) next()
          else schedule()
        },
        (cause: unknown) => {
          if (of !== era) return
          running--
          underWay.delete(batch)
          waiting = inOrder([...batch, ...waiting])
          if (cause instanceof TabmeshError && cause.code === 'era-ended') return events.stale()
          events.failed(cause)
          cancelRetry?.()
          cancelRetry = clock.after(retryMs, next)
          retryMs = Math.min(retryMs * 2, retryLastMs)
        },
      )
  }

  function next(): void {
    cancelRetry?.()
    cancelRetry = undefined
    if (running === 0) begin()
  }

  /** Not at once: the frame that was just sent should reach the other tabs first. */
  function schedule(): void {
    if (cancelRetry || waiting.length === 0) return
    const turn = (scheduled = {})
    const pauseMs = urgent ? 0 : Math.min(endedAt + groupMs - clock.now(), groupMs)
    clock.later(
      () => {
        if (scheduled !== turn) return
        scheduled = undefined
        if (!cancelRetry) next()
      },
      pauseMs > 0 ? pauseMs : undefined,
    )
  }

  return {
    push(record, seq) {
      waiting.push({ record, seq })
      pushedAt.set(seq, clock.now())
      if (!scheduled) schedule()
    },
    hurry() {
      if (urgent) return
      urgent = true
      schedule()
    },
    unstored: () => inOrder([...underWay].flat().concat(waiting)),
    stored(records) {
      const done = new Set(records.map(({ record }) => record))
      waiting = waiting.filter(({ record }) => !done.has(record))
      store(records)
    },
    flushNow() {
      if (!journal) return
      // Transactions of one store are done in the order of their making: no need to wait for the running one.
      while (waiting.length > 0) begin()
    },
    use(to) {
      journal = to
      if (journal) next()
    },
    beginEra(next, seq) {
      era = next
      stored = seq
      running = 0
      waiting = []
      storedEarly.clear()
      pushedAt.clear()
      underWay.clear()
      cancelRetry?.()
      cancelRetry = undefined
      retryMs = retryFirstMs
    },
    close() {
      cancelRetry?.()
      cancelWatch?.()
      journal = undefined
    },
  }
}
