// The lease, on a database that answers when it is told to.
import { expect, test } from 'vitest'
import { createLease } from '../../js-glue/lease.ts'
import type { Clock, Journal, LeaderLock, Lease } from '../../js-glue/platform.ts'

function createRig(hasJournal = true): { readonly lease: LeaderLock; readonly log: string[]; readonly answer: (holder: string) => Promise<void>; readonly settle: () => Promise<void> } {
  const log: string[] = []
  let answer!: (lease: Lease) => void
  const journal = {
    lease: () => new Promise((resolve) => ((answer = resolve), log.push('asked'))),
    endLease: (instance: string) => (log.push(`${instance} ends`), Promise.resolve()),
  } as unknown as Journal
  const clock = { now: () => 0, after: () => () => undefined } as unknown as Clock
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return {
    lease: createLease(clock, 'own', { open: () => Promise.resolve(), journal: hasJournal ? journal : undefined }),
    log,
    answer: (holder) => (answer({ holder, beat: 1 }), settle()),
    settle,
  }
}
const handlers = (log: string[]): Parameters<LeaderLock['request']>[0] => ({ granted: () => log.push('granted'), lost: () => log.push('lost') })

test('what is under way when it is given up is given back, and nobody is told of it', async () => {
  const { lease, log, answer, settle } = createRig()
  lease.request(handlers(log))
  await settle()
  lease.release()
  await answer('own')
  expect(log).toEqual(['asked', 'own ends'])
})

test('what is another\'s is not given back', async () => {
  const { lease, log, answer, settle } = createRig()
  lease.request(handlers(log))
  await settle()
  await answer('other')
  lease.release()
  expect(log).toEqual(['asked'])
})

test('nothing is asked, nor given back, without a database', async () => {
  const { lease, log, settle } = createRig(false)
  lease.request(handlers(log))
  await settle()
  lease.release()
  expect(log).toEqual([])
})
