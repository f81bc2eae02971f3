// Wall clock, timers, and tasks that hidden pages run at once.
import type { Clock } from '../platform.ts'

/** A message between two processes takes a quarter of this, on a small machine. */
const arrivedMs = 2
/** A message to itself that has not arrived after so long is lost: WebKit's go through a process that may die. */
const lostMs = 100

export function createSystemClock(): Clock {
  const tasks: (() => void)[] = []
  let port: MessagePort | undefined
  let guard: ReturnType<typeof setTimeout> | undefined

  // Timers of hidden pages run once a second or once a minute; messages are not throttled (HTML, Page Visibility).
  const run = (): void => {
    clearTimeout(guard)
    for (const task of tasks.splice(0)) task()
    ;(port as { unref?: () => void } | undefined)?.unref?.()
  }

  const soon = (task: () => void): void => {
    if (!('MessageChannel' in globalThis)) return void setTimeout(task) // jsdom
    tasks.push(task)
    if (!port) {
      const channel = new MessageChannel()
      channel.port1.onmessage = run
      port = channel.port2
      ;(channel.port1 as { unref?: () => void }).unref?.()
    }
    if (tasks.length > 1) return
    port.postMessage(0)
    guard = setTimeout(() => {
      port = undefined // the next one has another
      run()
    }, lostMs)
    ;(guard as { unref?: () => void }).unref?.()
  }

  return {
    soon,
    later(task, ms = arrivedMs) {
      if (typeof document !== 'undefined' && document.visibilityState === 'visible') setTimeout(task, ms)
      else soon(task)
    },
    now: () => Date.now(),
    after(ms, task, holds = false) {
      const timer = setTimeout(task, Math.min(Math.max(ms, 0), 0x7fffffff))
      if (!holds) (timer as unknown as { unref?: () => void }).unref?.()
      return () => clearTimeout(timer)
    },
  }
}
