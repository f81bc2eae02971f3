// How long something takes from this page to its frames, by several ways. All clocks of a machine's pages are one.
import { preciseNow } from '../state.ts'

export const ways = ['store', 'BroadcastChannel', 'postMessage', 'storage event'] as const
export type WayName = (typeof ways)[number]

/** What a frame tells its parent: it has seen something, so many milliseconds after it was sent. */
export interface Seen {
  readonly frame: string
  readonly way: WayName
  readonly ms: number
}

const channelName = 'demo:probe'
const storageKey = 'demo:probe'

export const isSeen = (data: unknown): data is Seen => typeof (data as Seen | null)?.frame === 'string' && typeof (data as Seen).ms === 'number'

/** In a frame: answers what comes by the bare ways; `seen` tells of the rest. Returns the undo. */
export function answerProbes(): { readonly seen: (way: WayName, at: number) => void; readonly close: () => void } {
  const seen = (way: WayName, at: number): void => {
    const message: Seen = { frame: window.name, way, ms: preciseNow() - at }
    if (parent !== window) parent.postMessage(message, location.origin)
  }
  const ended = new AbortController()
  const { signal } = ended
  const channel = new BroadcastChannel(channelName)
  channel.onmessage = ({ data }) => seen('BroadcastChannel', Number(data))
  addEventListener('message', ({ data, origin }) => origin === location.origin && typeof data === 'number' && seen('postMessage', data), { signal })
  addEventListener('storage', ({ key, newValue }) => key === storageKey && newValue !== null && seen('storage event', Number(newValue)), { signal })
  return {
    seen,
    close() {
      ended.abort()
      channel.close()
    },
  }
}

export interface Prober {
  send(way: Exclude<WayName, 'store'>): void
  close(): void
}

/** In the page that has the frames. */
export function createProber(frames: () => readonly Window[]): Prober {
  const channel = new BroadcastChannel(channelName)
  return {
    send(way) {
      const at = preciseNow()
      if (way === 'BroadcastChannel') channel.postMessage(at)
      else if (way === 'storage event') localStorage.setItem(storageKey, String(at))
      else for (const frame of frames()) frame.postMessage(at, location.origin)
    },
    close() {
      channel.close()
      localStorage.removeItem(storageKey)
    },
  }
}
