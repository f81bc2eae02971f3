// Where the app wants a visible tab to lead: one that is seen takes over from a leader that nobody has seen for a while.
import type { Clock } from './platform.ts'
import type { TabInfo } from './types.ts'

/** A leader may be hidden for so long, in milliseconds: who looks into another tab for a moment changes nothing. */
export const hiddenMs = 30_000
/** Between two changes of the leader, at least. */
export const betweenMs = 60_000
/** The visible tabs try one after another; the first is mostly the last. */
const spreadMs = 2000

export interface VisiblePreference {
  /** Who is here, who is visible or who leads may have changed. */
  look(): void
  /** Another leads now. */
  changed(): void
  end(): void
}

export function createVisiblePreference(clock: Clock, tabs: () => readonly TabInfo[], force: () => Promise<void>): VisiblePreference {
  let cancel: (() => void) | undefined
  let changedAt = -Infinity

  const isWanted = (): boolean => {
    const all = tabs() // the first is this one
    const leader = all.find(({ isLeader }) => isLeader)
    return leader !== undefined && leader !== all[0] && !leader.visible && all[0]!.visible
  }

  function look(): void {
    if (!isWanted()) {
      cancel?.()
      cancel = undefined
      return
    }
    if (cancel) return
    const [self, ...others] = tabs()
    const before = others.filter(({ id, visible }) => visible && id < self!.id).length
    const since = clock.now() - changedAt
    const wait = since >= 0 ? Math.max(hiddenMs, betweenMs - since) : betweenMs
    cancel = clock.after(wait + before * spreadMs, () => {
      cancel = undefined
      if (isWanted()) force().catch(() => undefined) // another has taken it meanwhile, or there are no locks
    })
  }

  return {
    look,
    changed() {
      changedAt = clock.now()
      cancel?.()
      cancel = undefined
      look()
    },
    end: () => cancel?.(),
  }
}
