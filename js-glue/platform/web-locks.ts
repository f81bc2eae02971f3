// Web Locks: one lock to lead, one a replica to be known as alive.
import type { Lock, LockHandlers } from '../platform.ts'

/** `undefined` where there are none: plain http, opaque origins, old browsers, Node before 24. */
export function openWebLocks(name: string): Lock | undefined {
  const locks = (globalThis.navigator as Navigator | undefined)?.locks
  if (!locks) return undefined
  const leader = `tabmesh:${name}:leader`
  const tab = `tabmesh:${name}:tab:`
  const mute = `tabmesh:${name}:mute:`
  /** Names of stores may have colons, too. */
  const instanceOf = ({ name: held = '' }: LockInfo, prefixes: readonly string[]): string => {
    const prefix = prefixes.find((one) => held.startsWith(one) && held.length === one.length + 32)
    return prefix === undefined ? '' : held.slice(prefix.length)
  }
  let place: { abort: AbortController; free: () => void } | undefined
  let shown: (() => void) | undefined

  // The lock is kept until the promise that the callback returns is settled.
  function request({ granted, lost }: LockHandlers, steals = false): void {
    release()
    let free!: () => void
    const held = new Promise<void>((resolve) => (free = resolve))
    const mine = (place = { abort: new AbortController(), free })
    let owns = false
    locks!
      .request(leader, steals ? { steal: true } : { signal: mine.abort.signal }, () => {
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

  /** Until `hide`, also when somebody has knocked. */
  function show(instance: string, reachable: boolean, knocked: () => void): void {
    if (shown) return
    const held = new Promise<void>((resolve) => (shown = resolve))
    const mine = shown
    locks!
      .request((reachable ? tab : mute) + instance, () => held)
      .catch((cause: unknown) => {
        if (shown !== mine || (cause as DOMException).name !== 'AbortError') return
        shown = undefined
        show(instance, reachable, knocked)
        knocked()
      })
  }

  return {
    request,
    release,
    show,
    hide() {
      shown?.()
      shown = undefined
    },
    async roll() {
      const { held = [], pending = [] } = await locks.query()
      const holder = held.find((lock) => lock.name === leader)
      const all = [...held, ...pending]
      return {
        alive: all.map((lock) => instanceOf(lock, [tab])).filter((instance) => instance !== ''),
        holder: holder && (all.filter((lock) => lock.clientId === holder.clientId).map((lock) => instanceOf(lock, [tab, mute])).find((instance) => instance !== '') ?? ''),
      }
    },
    knock(instance) {
      for (const prefix of [tab, mute]) locks.request(prefix + instance, { steal: true }, () => undefined).catch(() => undefined)
    },
  }
}
