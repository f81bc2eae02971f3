// Web Locks: one lock to lead, one a replica to be known as alive.
import type { Lock, LockHandlers } from '../platform.ts'

/** `undefined` where there are none: plain http, opaque origins, old browsers, Node before 24. */
export function openWebLocks(name: string): Lock | undefined {
  const locks = (globalThis.navigator as Navigator | undefined)?.locks
  if (!locks) return undefined
  const leader = `tabmesh:${name}:leader`
  const tab = `tabmesh:${name}:tab:`
  let place: { abort: AbortController; free: () => void } | undefined
  let shown: (() => void) | undefined

  // The lock is kept until the promise that the callback returns is settled.
  function request({ granted, lost }: LockHandlers): void {
    release()
    let free!: () => void
    const held = new Promise<void>((resolve) => (free = resolve))
    const mine = (place = { abort: new AbortController(), free })
    let owns = false
    locks!
      .request(leader, { signal: mine.abort.signal }, () => {
        if (place !== mine) return undefined
        owns = true
        granted()
        return held
      })
      .catch(() => {
        // Aborted by us, or stolen; a page without a lock manager (SecurityError) never leads.
        if (place === mine && owns) lost()
      })
  }

  function release(): void {
    const mine = place
    place = undefined
    mine?.abort.abort()
    mine?.free()
  }

  return {
    request,
    release,
    show(instance) {
      if (shown) return
      const held = new Promise<void>((resolve) => (shown = resolve))
      locks.request(tab + instance, () => held).catch(() => undefined)
    },
    hide() {
      shown?.()
      shown = undefined
    },
    async alive() {
      const { held = [], pending = [] } = await locks.query()
      return [...held, ...pending].flatMap((lock) => (lock.name?.startsWith(tab) ? [lock.name.slice(tab.length)] : []))
    },
  }
}
