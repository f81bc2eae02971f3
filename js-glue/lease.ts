// Who leads where there are no Web Locks (plain http): a lease in the journal, kept by beats that its holder counts. No two
// tabs' clocks are compared, and safety is the term's, as with locks.
import type { Clock, LeaderLock, Lease, LockHandlers } from './platform.ts'
import type { Storage } from './storage.ts'

/** Between two beats of the holder, and between two looks of those who wait. */
const beatMs = 5000
/** A lease that has not been kept for so long is over. Hidden holders' timers run once a minute. */
const leaseMs = 150_000
/** What counts of a pause between two looks: whoever has slept begins almost anew. */
const pauseMaxMs = 75_000

export function createLease(clock: Clock, instance: string, storage: Pick<Storage, 'open' | 'journal'>): LeaderLock {
  /** The request that counts. */
  let mine: object | undefined
  let holds = false
  /** Whether the database is being asked, and may give it still. */
  let taking = false
  let cancel: (() => void) | undefined
  let givenBack: Promise<void> | undefined

  function request({ granted, lost }: LockHandlers): void {
    release()
    const own = (mine = {})
    let seen: Lease | undefined
    let unkeptMs = 0
    let lookedAt = clock.now()

    async function look(): Promise<void> {
      await storage.open()
      if (mine !== own || !storage.journal) return
      taking = true
      const stored = await storage.journal.lease(instance, unkeptMs >= leaseMs ? seen : undefined).finally(() => (taking = false))
      if (mine !== own) return
      if (stored.holder !== instance) {
        const now = clock.now()
        const same = seen?.holder === stored.holder && seen.beat === stored.beat
        unkeptMs = same ? unkeptMs + Math.min(Math.abs(now - lookedAt), pauseMaxMs) : 0
        lookedAt = now
        seen = stored
      }
      if (holds === (stored.holder === instance)) return
      holds = !holds
      if (holds) granted()
      else lost()
    }

    function again(): void {
      void look()
        .catch(() => undefined) // the database may be back by the next time
        .then(() => {
          if (mine === own) cancel = clock.after(beatMs, again)
        })
    }
    again()
  }

  /** The page may go: others need not wait until the lease is over. */
  function release(): void {
    mine = undefined
    cancel?.()
    cancel = undefined
    if (holds || taking) givenBack = storage.journal?.endLease(instance).catch(() => undefined)
    holds = false
  }

  return {
    request,
    release,
    get givenBack() {
      return givenBack
    },
  }
}
