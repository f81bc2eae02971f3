// Exclusive read-modify-write, made one after the other by the database's own transactions. Neither the leader nor a
// lock is needed, and none of this waits for another tab.
import { TabmeshError } from './errors.ts'
import type { JsonObject, TreeEdit } from './json-tree.ts'
import type { Waiting } from './journal-writer.ts'
import type { Journal, JournalContents } from './platform.ts'

const attemptsMax = 8
const retryFirstMs = 20
const retryLastMs = 2000
/** So long the outcome is awaited of a database that does not answer. */
const patienceMs = 10_000

export interface TransactionParts {
  /** The journal, opened if need be; undefined where there is none. */
  readonly journal: () => Promise<Journal | undefined>
  /** Up to where the journal is known, and of which era. */
  readonly position: () => { readonly cursor: number; readonly era: number }
  readonly now: () => number
  readonly after: (ms: number, task: () => void) => () => void
  /** Merges what was read, and tells readers. Throws where the store has been erased. */
  readonly take: (contents: JournalContents) => void
  /** What a partial state would write now. */
  readonly plan: (partial: unknown) => TreeEdit[]
  readonly state: () => JsonObject
  readonly isShared: (key: string) => boolean
  /** The record of these edits; undefined when nothing differs. Other writes wait until `accept`, `withdraw` or `passOver`. */
  readonly propose: (edits: readonly TreeEdit[]) => Proposal | undefined
  /** It is stored: merges and sends what was proposed. */
  readonly accept: () => void
  /** It is not, and never will be. */
  readonly withdraw: () => void
  /** Nobody knows yet: other writes go on, under later numbers. */
  readonly passOver: () => void
  /** These need not be stored any more. */
  readonly stored: (records: readonly Waiting[]) => void
  /** Whether the journal, read again, has our write of this number. Rejects while it cannot be read. */
  readonly has: (seq: number) => Promise<boolean>
  /** Whether the page is suspended. */
  readonly away: () => boolean
  readonly ended: () => boolean
}

export interface Proposal {
  readonly own: Waiting
  /** Earlier records of this tab, which the journal is to have before. */
  readonly before: readonly Waiting[]
}

export interface TransactionCall {
  readonly keys: readonly string[] | undefined
  readonly id: string | undefined
  /** What to write, given the newest state; undefined for nothing; null where something else was expected. */
  readonly fn: (state: JsonObject) => unknown
}

export interface Transactions {
  run(call: TransactionCall): Promise<'committed' | 'conflict' | 'unknown'>
  /** The page may never run again: other writes do not wait for what is being stored. */
  suspend(): void
  /** The store has ended: whatever has no outcome yet gets none. */
  end(): void
}

export function createTransactions(parts: TransactionParts): Transactions {
  let queue: Promise<unknown> = Promise.resolve()
  let proposal: Proposal | undefined
  let settling: Promise<void> | undefined

  /** Ends each wait that is under way. */
  const waits = new Set<() => void>()

  const pause = (ms: number): Promise<void> => new Promise((resolve) => parts.after(ms, resolve))

  /** Undefined where the store ends first, or this takes too long. */
  function awaited<T>(promise: Promise<T>, ms?: number): Promise<{ readonly value: T } | undefined> {
    return new Promise((resolve, reject) => {
      const over = (): void => {
        cancel?.()
        waits.delete(giveUp)
      }
      const giveUp = (): void => {
        over()
        resolve(undefined)
      }
      const cancel = ms === undefined ? undefined : parts.after(ms, giveUp)
      waits.add(giveUp)
      promise.then(
        (value) => {
          over()
          resolve({ value })
        },
        (error: unknown) => {
          over()
          reject(error)
        },
      )
    })
  }

  /** What was proposed is stored, or never will be. */
  function settle(isStored: boolean): void {
    const { own, before } = proposal!
    proposal = undefined
    parts[isStored ? 'accept' : 'withdraw']()
    if (isStored) parts.stored([...before, own])
  }

  /** Whether what was proposed is stored: the connection may have ended after the commit, so only the journal knows. Its number is nobody else's until then. */
  async function askJournal(): Promise<boolean | undefined> {
    for (let i = 0; !parts.ended(); i++) {
      try {
        const isStored = await parts.has(proposal!.own.seq)
        if (!parts.ended()) settle(isStored)
        return isStored
      } catch {
        if (!parts.ended()) parts.passOver()
        await pause(Math.min(retryFirstMs << i, retryLastMs))
      }
    }
    return undefined
  }

  function check(edits: readonly TreeEdit[], keys: readonly string[] | undefined): void {
    for (const [[key]] of edits) {
      if (!parts.isShared(key!)) throw new TypeError(`${key} is not shared: a transaction writes shared keys only`)
      if (keys && !keys.includes(key!)) throw new TypeError(`${key} is not among the keys of this transaction: ${keys.join(', ')}`)
    }
  }

  /** What to store; rejects what the app's function does wrong. */
  function decide({ fn, keys }: TransactionCall): Proposal | 'conflict' | undefined {
    const partial = fn(parts.state())
    if (partial === null) return 'conflict'
    if (partial === undefined) return undefined
    if (partial instanceof Promise) throw new TypeError('the function of a transaction must not be async: the database does not wait')
    const edits = parts.plan(partial)
    check(edits, keys)
    return edits.length > 0 ? parts.propose(edits) : undefined
  }

  /** Other writes go on, and so does the next transaction once it is known after all. */
  function leaveOpen(known: Promise<unknown>): 'unknown' {
    if (!parts.ended()) parts.passOver()
    settling = awaited(known).then(
      () => undefined,
      () => undefined,
    )
    return 'unknown'
  }

  const silent = (cause?: unknown): TabmeshError =>
    parts.ended() ? new TabmeshError('closed', 'The store has ended.') : new TabmeshError('storage-failed', 'The transaction could not be stored; nothing was written. Try again when there is room.', { cause })

  async function tried(call: TransactionCall): Promise<'committed' | 'conflict' | 'unknown'> {
    let cause: unknown
    for (let i = 0; i < attemptsMax; i++) {
      if (i > 0) await pause(retryFirstMs << i)
      while (parts.away()) await pause(retryFirstMs)
      const opened = await awaited(parts.journal(), patienceMs)
      if (!opened) throw silent()
      const journal = opened.value
      if (!journal) throw new TabmeshError('unsupported', 'Transactions need a database: they are not possible with persist: false, or where IndexedDB is refused.')
      let conflict = false
      let abandoned = false
      let refused: { readonly error: unknown } | undefined
      const { cursor, era } = parts.position()
      const stored = journal.transact(cursor, era, call.id, parts.now(), (contents, known) => {
        if (abandoned || parts.away()) throw new DOMException('The page has gone away.', 'AbortError')
        try {
          parts.take(contents)
          const decision = known ? undefined : decide(call)
          conflict = decision === 'conflict'
          if (typeof decision !== 'object') return []
          proposal = decision
          return [...decision.before, decision.own].map(({ record }) => record)
        } catch (error) {
          refused = { error }
          throw error
        }
      })
      let isDone: boolean
      try {
        isDone = (await awaited(stored, patienceMs)) !== undefined
      } catch (error) {
        if (refused) throw refused.error
        cause = error
        if (!proposal) continue
        const answer = askJournal()
        const isStored = (await awaited(answer, patienceMs))?.value
        if (isStored === undefined) return leaveOpen(answer)
        if (isStored) return 'committed'
        continue
      }
      if (isDone) {
        if (proposal) settle(true)
        return conflict ? 'conflict' : 'committed'
      }
      abandoned = true
      if (!proposal) throw silent()
      return leaveOpen(
        stored.then(
          () => parts.ended() || settle(true),
          () => parts.ended() || askJournal(),
        ),
      )
    }
    throw silent(cause)
  }

  return {
    run(call) {
      const result = queue.then(() => tried(call))
      queue = result.catch(() => undefined).then(() => settling)
      return result
    },
    suspend() {
      if (proposal) parts.passOver()
    },
    end() {
      for (const giveUp of [...waits]) giveUp()
    },
  }
}
