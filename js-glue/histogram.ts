// Times, counted by size: what took how long, and how often.
import type { Latency } from './types.ts'

/** The whole milliseconds that a class reaches up to: each by a quarter more than the one before, up to a minute. */
const bounds: number[] = [0]
for (let bound = 1; bound < 60_000; bound = Math.max(bound + 1, Math.round(bound * 1.25))) bounds.push(bound)
bounds.push(Infinity)

export interface Histogram {
  /** Milliseconds; less than none, as of a clock that was set back, is not counted. O(log of the longest). */
  readonly add: (ms: number) => void
  /** Undefined while nothing was counted. */
  readonly summary: () => Latency | undefined
}

export function createHistogram(): Histogram {
  const counts = new Uint32Array(bounds.length)
  let count = 0
  let max = 0

  /** The bound of the class in which that part of all has come. */
  function quantile(part: number): number {
    let missing = Math.ceil(count * part)
    for (let i = 0; ; i++) if ((missing -= counts[i]!) <= 0) return Math.min(bounds[i]!, max)
  }

  return {
    add(ms) {
      if (!(ms >= 0)) return
      counts[bounds.findIndex((bound) => ms <= bound)]!++
      count++
      max = Math.max(max, ms)
    },
    summary() {
      if (count === 0) return undefined
      const classes = [...counts].flatMap((number, i) => (number > 0 ? [[Math.min(bounds[i]!, max), number] as const] : []))
      return { count, p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99), max, classes }
    },
  }
}
