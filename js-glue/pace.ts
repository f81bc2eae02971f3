// When what was written leaves this tab, where the app wants it slower than at the end of each task.
import type { Clock } from './platform.ts'

export interface PaceOptions {
  /** At most one frame in so many milliseconds; the first leaves at once. 0: no limit. */
  readonly throttleMs: number
  /** Only once nothing has been written for so many milliseconds; with `throttleMs`, after that time at the latest. 0: at once. */
  readonly debounceMs: number
}

export interface Pace {
  /** A task that has written is over. */
  wrote(): void
  /** Somebody waits for it: it leaves at the end of this task. */
  hurry(): void
  /** All has left, or nothing will any more. */
  left(): void
}

/** `flush` is called when what was written is to leave. */
export function createPace({ throttleMs, debounceMs }: PaceOptions, clock: Pick<Clock, 'now' | 'after'>, flush: () => void): Pace {
  let cancel: (() => void) | undefined
  let leftAt = -Infinity
  let firstAt: number | undefined // of what waits

  function leaveAfter(ms: number): void {
    cancel = clock.after(ms, () => {
      cancel = undefined
      flush()
    })
  }

  function left(): void {
    cancel?.()
    cancel = undefined
    firstAt = undefined
    leftAt = clock.now()
  }

  return {
    wrote() {
      const now = clock.now()
      // A clock that was set back makes nobody wait for longer.
      if (leftAt > now) leftAt = -Infinity
      if (debounceMs > 0) {
        firstAt = Math.min(firstAt ?? now, now)
        cancel?.()
        leaveAfter(throttleMs > 0 ? Math.min(debounceMs, firstAt + throttleMs - now) : debounceMs)
      } else if (now - leftAt >= throttleMs) flush()
      else if (!cancel) leaveAfter(leftAt + throttleMs - now)
    },
    hurry: () => void Promise.resolve().then(flush),
    left,
  }
}
