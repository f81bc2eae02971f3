// A readable name for this tab, which stays over reloads. A duplicated tab, and a window that a page opens, copy
// sessionStorage (HTML, Storage): a lock says whose the name is.
import type { TabLabel } from '../platform.ts'
import { randomBytes } from './web-crypto.ts'

const key = 'tabmesh:label'

/** Of this page: all of its stores share it, and the last of them gives it back. */
let claimed: Promise<string> | undefined
let users = 0
let free: (() => void) | undefined
let freed: Promise<unknown> = Promise.resolve()

function newLabel(): string {
  return 'tab ' + Array.from(randomBytes(2), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Holds the name until the page or its last store goes; whether it was free. */
function hold(locks: LockManager, label: string): Promise<boolean> {
  return new Promise((resolve) => {
    freed = locks
      .request(`tabmesh:label:${label}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null)
        // A page in the back/forward cache would keep it, and the tab's next page be without its name.
        return lock && new Promise<void>((end) => addEventListener('pagehide', (free = () => end()), { once: true, capture: true }))
      })
      .catch(() => resolve(false)) // no lock manager here (SecurityError)
  })
}

async function claim(): Promise<string> {
  try {
    const { locks } = navigator
    const storage = sessionStorage // throws where it is blocked
    const kept = storage.getItem(key)
    // Without locks nobody knows whether it is a copy.
    if (kept && /^tab [0-9a-f]{4}$/.test(kept) && (await hold(locks, kept))) return kept
    const label = newLabel()
    storage.setItem(key, label)
    await hold(locks, label)
    return label
  } catch {
    return newLabel()
  }
}

/** The same name for every call in this page, while anybody has it, and mostly afterwards. */
export async function claimTabLabel(): Promise<TabLabel> {
  users++
  const text = await (claimed ??= freed.then(claim))
  return {
    text,
    release() {
      if (--users > 0) return
      claimed = undefined
      free?.()
    },
  }
}
