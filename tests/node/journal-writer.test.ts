// The queue of records before the journal, on a journal that answers when it is told to.
import { describe, expect, test } from 'vitest'
import { createJournalWriter } from '../../js-glue/journal-writer.ts'
import type { Clock, Journal } from '../../js-glue/platform.ts'

interface Call {
  readonly records: number[]
  readonly stored: () => void
  readonly failed: (cause: Error) => void
}

function createRig(): { readonly stalled: () => number; readonly pass: (ms: number) => void; readonly writer: ReturnType<typeof createJournalWriter>; readonly calls: Call[]; readonly durable: number[]; readonly push: (seq: number) => void; readonly settle: () => Promise<void> } {
  const calls: Call[] = []
  const durable: number[] = []
  let now = 0
  let stalled = 0
  let timers: { readonly at: number; readonly task: () => void }[] = []
  const clock = {
    now: () => 0,
    later: (task: () => void) => task(),
    after(ms: number, task: () => void) {
      const timer = { at: now + ms, task }
      timers.push(timer)
      return () => (timers = timers.filter((one) => one !== timer))
    },
  } as unknown as Clock
  const writer = createJournalWriter(clock, { durable: (seq) => durable.push(seq), failed: () => undefined, stale: () => undefined, stalled: () => stalled++ })
  const append: Journal['append'] = (records) =>
    new Promise((stored, failed) => calls.push({ records: records.map(([byte]) => byte!), stored, failed }))
  writer.use({ append } as Journal)
  const pass = (ms: number): void => {
    now += ms
    const due = timers.filter(({ at }) => at <= now)
    timers = timers.filter(({ at }) => at > now)
    due.forEach(({ task }) => task())
  }
  return { stalled: () => stalled, pass, writer, calls, durable, push: (seq) => writer.push(Uint8Array.of(seq), seq), settle: () => new Promise((resolve) => setImmediate(resolve)) }
}

describe('journal writer', () => {
  test('a page that goes away begins to store all that has not been begun', async () => {
    const { writer, calls, durable, push, settle } = createRig()
    push(1)
    push(2)
    writer.flushNow()
    expect(calls.map(({ records }) => records)).toEqual([[1], [2]])
    writer.flushNow() // once is enough
    push(3)
    writer.flushNow()
    expect(calls.slice(2).map(({ records }) => records)).toEqual([[3]])

    calls[1]!.stored()
    await settle()
    expect(durable.at(-1)).toBe(0)
    calls[0]!.stored()
    calls[2]!.stored()
    await settle()
    expect(durable.at(-1)).toBe(3)
    expect(writer.unstored()).toEqual([])
  })

  test('what overtook a failed batch is durable when that is stored too', async () => {
    const { writer, calls, durable, push, settle } = createRig()
    push(1)
    push(2)
    writer.flushNow()
    calls[0]!.failed(new Error('busy'))
    calls[1]!.failed(new Error('busy'))
    await settle()
    expect(durable).toEqual([])
    expect(writer.unstored().map(({ seq }) => seq)).toEqual([1, 2])
    writer.flushNow()
    calls[2]!.stored()
    await settle()
    expect(durable.at(-1)).toBe(2)
  })

  test('a transaction that does not end is told once, and again after one that has ended; not where the page itself was stopped', async () => {
    const { writer, calls, push, settle, pass, stalled } = createRig()
    push(1)
    pass(60_000) // stopped: the timer comes first, then the word that it is stored
    pass(1000)
    calls[0]!.stored()
    await settle()
    pass(60_000)
    expect(stalled()).toBe(0)
    push(2)
    pass(2500)
    push(3)
    writer.flushNow()
    expect(stalled()).toBe(0)
    pass(2500)
    expect(stalled()).toBe(1)
    pass(60_000)
    push(4)
    writer.flushNow()
    pass(2500)
    pass(2500)
    expect(stalled()).toBe(1)
    calls[1]!.stored()
    await settle()
    pass(2500)
    pass(2500)
    expect(stalled()).toBe(2)
    for (const call of calls) call.stored()
    await settle()
    pass(60_000)
    pass(60_000)
    expect(stalled()).toBe(2)
  })
})
