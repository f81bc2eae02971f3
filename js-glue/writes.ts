// How far each write has come: promises for the four levels, made only when asked for.
import type { Level, Write } from './types.ts'

type Deferred = { promise: Promise<void>; resolve: () => void; reject: (reason: Error) => void }

function defer(): Deferred {
  let resolve!: () => void
  let reject!: (reason: Error) => void
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  promise.catch(() => undefined) // a level nobody awaits must not become an unhandled rejection
  return { promise, resolve, reject }
}

/** Writes of one task share a batch, and so a sequence number. */
interface Batch {
  seq: number | undefined
  /** What the callers of its writes hold: one for all of them. */
  handle?: Write
  readonly waiting: Partial<Record<Level, Deferred>>
  /** Why it will never get any further. */
  refused?: Error
}

/** A class, because an object with getters of its own costs every write 20 µs. */
class Handle implements Write {
  readonly #level: (level: Level) => Promise<void>

  constructor(level: (level: Level) => Promise<void>) {
    this.#level = level
  }
  get applied(): Promise<void> {
    return this.#level('applied')
  }
  get shared(): Promise<void> {
    return this.#level('shared')
  }
  get durable(): Promise<void> {
    return this.#level('durable')
  }
  get relayed(): Promise<void> {
    return this.#level('relayed')
  }
}

export interface WriteLedger {
  /** The handle of a write that was just made. */
  write(): Write
  /** The handle of a write that changed nothing: as far along as the newest write. */
  unchanged(): Write
  /** A promise for a level of everything written so far. */
  level(level: Level): Promise<void>
  /** The current batch has been stamped with this number. Returns whether somebody waits for `shared`. */
  seal(seq: number): boolean
  /** A write of nobody's batch has been stamped with this number. */
  sent(seq: number): void
  /** The current batch was refused. */
  refuse(error: Error): void
  /** Writes from `first` to `last` will never get any further, though later ones do. */
  lose(first: number, last: number, error: Error): void
  /** All own writes up to `seq` have reached the level. */
  reached(level: Exclude<Level, 'applied'>, seq: number): void
  /** Whether somebody waits for a write to reach that level; `sent`: for one that is on its way. */
  waitsFor(level: Level, sent?: boolean): boolean
  /** Own writes that are stamped but not durable, or not stamped yet. */
  pendingDurable(): number
  close(error: Error): void
}

/** `awaited` is called when somebody begins to wait for a level; `sealed`: on a batch that is stamped already. */
export function createWriteLedger(awaited: (level: Level, sealed: boolean) => void): WriteLedger {
  let current: Batch = { seq: undefined, waiting: {} }
  let latest: Batch = { seq: 0, waiting: {} }
  let touched = false
  let closed: Error | undefined
  const waiting = new Set<Batch>()
  const watermark: Record<Level, number> = { applied: Infinity, shared: 0, durable: 0, relayed: 0 }

  const lost: { readonly first: number; readonly last: number; readonly error: Error }[] = []

  const has = (batch: Batch, level: Level): boolean => level === 'applied' || (batch.seq !== undefined && watermark[level] >= batch.seq)

  const wait = (batch: Batch, level: Level): Promise<void> => {
    const gone = level === 'applied' ? undefined : lost.find(({ first, last }) => batch.seq !== undefined && batch.seq >= first && batch.seq <= last)?.error
    if (!gone && has(batch, level)) return Promise.resolve()
    const hopeless = gone ?? batch.refused ?? closed
    if (hopeless) return Promise.reject(hopeless)
    waiting.add(batch)
    const deferred = (batch.waiting[level] ??= defer())
    awaited(level, batch.seq !== undefined)
    return deferred.promise
  }

  const level = (wanted: Level): Promise<void> => wait(touched ? current : latest, wanted)

  const settle = (): void => {
    for (const batch of waiting) {
      for (const level of Object.keys(batch.waiting) as Level[]) {
        if (!has(batch, level)) continue
        batch.waiting[level]?.resolve()
        delete batch.waiting[level]
      }
      if (Object.keys(batch.waiting).length === 0) waiting.delete(batch)
    }
  }

  const next = (): void => {
    current = { seq: undefined, waiting: {} }
    touched = false
  }

  return {
    write() {
      touched = true
      const batch = current
      return (batch.handle ??= new Handle((level) => wait(batch, level)))
    },
    unchanged: () => new Handle(level),
    level,
    seal(seq) {
      const asked = current.waiting.shared !== undefined
      latest = current
      latest.seq = seq
      next()
      settle()
      return asked
    },
    sent(seq) {
      if ((latest.seq ?? 0) < seq) latest = { seq, waiting: {} }
    },
    refuse(error) {
      current.refused = error
      for (const deferred of Object.values(current.waiting)) deferred.reject(error)
      waiting.delete(current)
      next()
    },
    lose(first, last, error) {
      lost.push({ first, last, error })
      for (const batch of waiting) {
        if (batch.seq === undefined || batch.seq < first || batch.seq > last) continue
        for (const deferred of Object.values(batch.waiting)) deferred.reject(error)
        waiting.delete(batch)
      }
    },
    reached(level, seq) {
      watermark[level] = Math.max(watermark[level], seq)
      settle()
    },
    waitsFor: (level, sent) => [...waiting].some((batch) => (!sent || batch.seq !== undefined) && batch.waiting[level]),
    pendingDurable: () => Math.max(0, (latest.seq ?? 0) - watermark.durable) + (touched ? 1 : 0),
    close(error) {
      closed = error
      for (const batch of waiting) for (const deferred of Object.values(batch.waiting)) deferred.reject(error)
      waiting.clear()
    },
  }
}
