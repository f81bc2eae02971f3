// A clock that stands still until it is moved.
import type { Clock } from '../../js-glue/platform.ts'

export interface HandClock {
  readonly clock: Clock
  /** Moves on, and does what falls due on the way, in its order. */
  readonly pass: (ms: number) => void
}

export function createHandClock(start: number): HandClock {
  let now = start
  const timers = new Set<{ at: number; task: () => void }>()
  const clock = {
    now: () => now,
    after(ms: number, task: () => void) {
      const timer = { at: now + ms, task }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  } as unknown as Clock
  return {
    clock,
    pass(ms) {
      const end = now + ms
      for (;;) {
        const due = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
        if (!due) break
        timers.delete(due)
        now = due.at
        due.task()
      }
      now = end
    },
  }
}
