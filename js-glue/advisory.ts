// Who leads where there are neither Web Locks nor a database: what the tabs hear of each other decides. Nothing can be fenced then,
// so it is advice: of tabs that do not hear of each other, several lead until they do; then the larger term deposes.
import type { Clock, LeaderLock, LockHandlers } from './platform.ts'

const lookEveryMs = 2000
/** So many looks in a row nobody must lead: who was here before has told of itself by then. */
const looksFirst = 2
/** Everybody gossips every 30 s, hidden pages once a minute: who is silent for longer is gone. */
const silentMs = 130_000
/** Terms of one leader and of another differ by what their names make of them. */
const namesOfTerms = 1 << 16

/** A term not below `atLeast` that no other tab would claim, nearly always: of two that claim at once, one deposes the other. */
export function termOfItsOwn(atLeast: number, instance: string): number {
  const name = parseInt(instance.slice(0, 4), 16)
  return atLeast + ((name - (atLeast % namesOfTerms) + namesOfTerms) % namesOfTerms)
}

export interface AdvisoryParts {
  readonly clock: Clock
  readonly instance: string
  /** Whom this tab knows, and when it has last heard of them. */
  readonly peers: () => readonly { readonly id: string; readonly lastSeen: number }[]
  /** Who leads, as far as this tab knows. */
  readonly leader: () => string | undefined
}

export function createAdvisory({ clock, instance, peers, leader }: AdvisoryParts): LeaderLock {
  let cancel: (() => void) | undefined

  function release(): void {
    cancel?.()
    cancel = undefined
  }

  function request({ granted }: LockHandlers): void {
    release()
    let looks = 0
    const look = (): void => {
      const now = clock.now()
      const living = peers().filter(({ lastSeen }) => Math.abs(now - lastSeen) < silentMs)
      const isLed = living.some(({ id }) => id === leader())
      // One after the other: the first may have no wish to lead.
      const rank = living.filter(({ id }) => id < instance).length
      looks = isLed ? 0 : looks + 1
      cancel = undefined
      if (looks > looksFirst + rank) granted()
      else cancel = clock.after(lookEveryMs, look)
    }
    look()
  }

  return { request, release }
}
