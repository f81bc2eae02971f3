// Calls: a handler runs in whichever tab leads, once, whoever leads in the end. Notes between tabs may be lost or come twice: the caller
// asks until it is answered, and who begins a call says so in the journal first.
import { TabmeshError, type ErrorCode } from './errors.ts'
import { adopt } from './json-tree.ts'
import type { CallHandler } from './types.ts'

/** Until a call is asked again; doubles up to the last. */
const againFirstMs = 250
const againLastMs = 2000
/** Who has asked so often without any sign gives up: after a minute, or when it slept, a minute after it woke. A leader that was stopped is replaced before. */
const askedMax = 34

/** `settled`: all calls of this caller below that number are over. */
interface Question {
  readonly call: number
  readonly settled: number
  readonly name: string
  readonly args: readonly unknown[]
}
type Note = Question | { readonly busy: number } | Outcome
type Outcome = { readonly done: number; readonly value: unknown } | { readonly failed: number; readonly code: ErrorCode; readonly message: string }

export interface CallsOptions {
  readonly id: string
  readonly handlers: ReadonlyMap<string, CallHandler>
  /** Returns the undo. */
  readonly after: (ms: number, task: () => void) => () => void
  /** To an instance, or to all where it is empty. Throws TabmeshError. */
  readonly send: (to: string, note: Note) => void
  readonly leads: () => boolean
  readonly isAlive: (instance: string) => boolean
  /** Says in the journal that this tab begins the call: empty then, else who has begun it before. Undefined where another leads. */
  readonly begin: (caller: string, number: number, settled: number) => Promise<string | undefined>
}

export interface Calls {
  call(name: string, args: readonly unknown[]): Promise<unknown>
  /** From another tab: anything. */
  take(from: string, note: unknown): void
  /** Somebody else leads. */
  look(): void
  /** Others live: who has gone wants no more answers. */
  forget(): void
  end(reason: TabmeshError): void
}

export function createCalls({ id, handlers, after, send, leads, isAlive, begin }: CallsOptions): Calls {
  interface Asked {
    readonly note: Omit<Question, 'settled'>
    readonly resolve: (value: unknown) => void
    readonly reject: (error: TabmeshError) => void
    /** Since the last sign of a leader. */
    asked: number
    againMs: number
    cancel: () => void
  }
  let newest = 0
  let over: TabmeshError | undefined
  const asked = new Map<number, Asked>()
  /** Calls that were begun here, by caller and number, with what came of them. */
  const begun = new Map<string, Map<number, Outcome | undefined>>()

  // ---- who calls ----

  function ask(entry: Asked): void {
    entry.cancel()
    const { call, name } = entry.note
    if (entry.asked++ === askedMax) {
      return settle({ failed: call, code: 'call-unanswered', message: `No leader has answered the call of "${name}" for a minute; it may still be done.` })
    }
    entry.cancel = after(entry.againMs, () => ask(entry))
    entry.againMs = Math.min(entry.againMs * 2, againLastMs)
    const note = { ...entry.note, settled: Math.min(...asked.keys()) }
    if (leads()) void answer(id, note)
    else send('', note)
  }

  function settle(outcome: Outcome): void {
    const number = 'done' in outcome ? outcome.done : outcome.failed
    const entry = asked.get(number)
    if (!entry) return
    asked.delete(number)
    entry.cancel()
    if ('done' in outcome) entry.resolve(outcome.value)
    else entry.reject(new TabmeshError(outcome.code, outcome.message))
  }

  // ---- who leads ----

  function tell(to: string, note: Note): void {
    try {
      if (to === id) take(id, note)
      else send(to, note)
    } catch (cause) {
      if ('done' in note) tell(to, { failed: note.done, code: 'call-failed', message: `The result cannot be sent: ${(cause as Error).message}` })
    }
  }

  async function answer(from: string, { call, settled, name, args }: Question): Promise<void> {
    const known = begun.get(from) ?? new Map<number, Outcome | undefined>()
    for (const number of known.keys()) if (number < settled) known.delete(number)
    if (known.has(call)) return tell(from, known.get(call) ?? { busy: call })
    if (!leads()) return
    const handler = handlers.get(name)
    if (!handler) return tell(from, { failed: call, code: 'no-handler', message: `The leading tab has no handler "${name}": call leader.handle in every tab that may lead.` })
    begun.set(from, known.set(call, undefined))
    tell(from, { busy: call })
    const by = await begin(from, call, settled).catch(() => undefined)
    if (by !== '') {
      known.delete(call) // the caller asks again
      if (by === id || (by !== undefined && !isAlive(by))) tell(from, { failed: call, code: 'call-unknown', message: `The tab that began "${name}" is gone: look whether it was done before you call again.` })
      return
    }
    let outcome: Outcome
    try {
      outcome = { done: call, value: adopt((await handler(...args)) ?? null, undefined, ['result']) }
    } catch (cause) {
      outcome = { failed: call, code: 'call-failed', message: `The handler "${name}" failed: ${String((cause as Error | undefined)?.message ?? cause)}` }
    }
    known.set(call, outcome)
    tell(from, outcome)
  }

  function take(from: string, given: unknown): void {
    const note = (given ?? {}) as Partial<Record<string, unknown>>
    const { call, settled, name, args, busy, done, failed, code, message } = note
    if (typeof call === 'number' && typeof settled === 'number' && typeof name === 'string' && Array.isArray(args)) void answer(from, { call, settled, name, args })
    else if (typeof busy === 'number') {
      const entry = asked.get(busy)
      if (entry) entry.asked = 0
    } else if (typeof done === 'number') settle({ done, value: note.value })
    else if (typeof failed === 'number') settle({ failed, code: String(code) as ErrorCode, message: String(message) })
  }

  return {
    call: (name, args) =>
      new Promise((resolve, reject) => {
        if (over) throw over
        const entry: Asked = { note: { call: ++newest, name, args: adopt(args, undefined, ['arguments']) as unknown[] }, resolve, reject, asked: 0, againMs: againFirstMs, cancel: () => undefined }
        asked.set(newest, entry)
        try {
          ask(entry)
        } catch (cause) {
          entry.cancel()
          asked.delete(entry.note.call)
          reject(cause)
        }
      }),
    take,
    look() {
      for (const entry of asked.values()) {
        entry.againMs = againFirstMs
        ask(entry)
      }
    },
    forget() {
      for (const from of begun.keys()) if (!isAlive(from)) begun.delete(from)
    },
    end(reason) {
      over = reason
      for (const entry of asked.values()) {
        entry.cancel()
        entry.reject(reason)
      }
      asked.clear()
    },
  }
}
