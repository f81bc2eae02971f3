// Storage events: the way to other windows where there is no BroadcastChannel (HTML, The storage event). A value
// is a letter, not a store: it is gone after a second, and never counts as kept.
import type { BytePacker, Channel } from '../platform.ts'
import { randomBytes } from './web-crypto.ts'

/** How long a letter stays at most; its readers have it with the event. */
const tidyMs = 1000

/** `undefined` in workers and Node, and where storage is blocked or takes nothing. */
export function openStorageEvents(name: string, receive: (frame: Uint8Array) => void, { pack, unpack }: BytePacker): Channel | undefined {
  const prefix = `tabmesh:${name}:frame:`
  const own = prefix + randomBytes(8).join('.')
  let storage: Storage
  try {
    if (typeof document === 'undefined') return undefined
    storage = localStorage // throws where it is blocked; WebKit tells only pages that have touched it
    storage.setItem(own, '')
    // What pages that died left. Whoever lives has sent it by now.
    for (const key of Object.keys(storage)) if (key.startsWith(prefix)) storage.removeItem(key)
  } catch {
    return undefined
  }
  const listening = new AbortController()
  let count = 0
  let tidying: ReturnType<typeof setTimeout> | undefined

  const tidy = (): void => {
    clearTimeout(tidying)
    tidying = undefined
    try {
      storage.removeItem(own)
    } catch {
      // Blocked meanwhile.
    }
  }

  addEventListener(
    'storage',
    ({ key, newValue, storageArea }) => {
      // WebKit bug 210512: the writing window may be told as well.
      if (!key?.startsWith(prefix) || key === own || !newValue || storageArea !== storage) return
      let frame: Uint8Array | undefined
      try {
        frame = unpack(newValue.slice(newValue.indexOf(' ') + 1))
      } catch {
        return // out of memory: lost, as any message may be
      }
      receive(frame ?? new Uint8Array())
    },
    { signal: listening.signal },
  )

  return {
    post(frame) {
      if (listening.signal.aborted) return
      try {
        storage.setItem(own, `${++count} ${pack(frame)}`) // the same value twice would tell nobody
      } catch {
        // Full, blocked or out of memory: anti-entropy brings it later.
      }
      tidying ??= setTimeout(tidy, tidyMs)
    },
    close() {
      listening.abort()
      tidy()
    },
  }
}
