// Exclusive read-modify-write, made one after the other by the database's own transactions. Neither the leader nor a
// lock is needed, and none of this waits for another tab.
import { TabmeshError } from './errors.ts'
import type { JsonObject, TreeEdit } from './json-tree.ts'
import type { Waiting } from './journal-writer.ts'
import type { Journal, JournalContents } from './platform.ts'

const attemptsMax = 8
const retryFirstMs = 20

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
  /** The record of these edits; undefined when nothing differs. Other writes wait until `accept` or `withdraw`. */
  readonly propose: (edits: readonly TreeEdit[]) => Proposal | undefined
  /** Merges and sends what was proposed. */
  readonly accept: () => void
  readonly withdraw: () => void
  /** These need not be stored any more. */
  readonly stored: (records: readonly Waiting[]) => void
  /** This is to be stored as any write is. */
  readonly push: (record: Waiting) => void
  /** Whether the journal, read again, has our write of this number. */
  readonly has: (seq: number) => Promise<boolean>
}

export interface Proposal {
  readonly own: Waiting
  /** Earlier records of this tab, which the journal must have before: readers merge what follows a hole late. */
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
  /** The page may never run again: what is being stored counts as written here, its outcome as unknown. */
  suspend(): void
}

export function createTransactions(parts: TransactionParts): Transactions {
  let queue: Promise<unknown> = Promise.resolve()
  let proposal: Proposal | undefined
  let overtaken = false

  const pause = (ms: number): Promise<void> => new Promise((resolve) => parts.after(ms, resolve))

  /** What was proposed is stored, or never will be. */
  function settle(isStored: boolean): void {
    if (!proposal) return
    const { own, before } = proposal
    proposal = undefined
    if (!overtaken) parts[isStored ? 'accept' : 'withdraw']()
    if (isStored) parts.stored([...before, own])
    else if (overtaken) parts.push(own) // it counts as written here
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

  async function tried(call: TransactionCall): Promise<'committed' | 'conflict' | 'unknown'> {
    let cause: unknown
    for (let i = 0; i < attemptsMax; i++) {
      if (i > 0) await pause(retryFirstMs << i)
      const journal = await parts.journal()
      if (!journal) throw new TabmeshError('unsupported', 'Transactions need a database: they are not possible with persist: false, or where IndexedDB is refused.')
      overtaken = false
      let conflict = false
      let refused: { readonly error: unknown } | undefined
      try {
        const { cursor, era } = parts.position()
        await journal.transact(cursor, era, call.id, parts.now(), (contents, known) => {
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
        settle(true)
        return conflict ? 'conflict' : 'committed'
      } catch (error) {
        if (refused) throw refused.error
        cause = error
        // The connection may have ended after the commit: only the journal knows.
        // What was accepted when the page went away this tab has anyway: storing it twice does no harm.
        const isStored = proposal !== undefined && !overtaken && (await parts.has(proposal.own.seq).catch(() => false))
        const outcome = isStored ? 'committed' : overtaken ? 'unknown' : undefined
        settle(isStored)
        if (outcome) return outcome
      }
    }
    throw new TabmeshError('storage-failed', 'The transaction could not be stored; nothing was written. Try again when there is room.', { cause })
  }

  return {
    run(call) {
      const result = queue.then(() => tried(call))
      queue = result.catch(() => undefined)
      return result
    },
    suspend() {
      if (!proposal || overtaken) return
      overtaken = true
      parts.accept()
    },
  }
}
