// BroadcastChannel: fast, lossy at the edges, ordered per sender only.
import type { Channel } from '../platform.ts'

/** `undefined` where there is none, or where an opaque origin is refused one. */
export function openBroadcastChannel(name: string, receive: (frame: Uint8Array) => void): Channel | undefined {
  if (typeof BroadcastChannel === 'undefined') return undefined
  let channel: BroadcastChannel
  try {
    channel = new BroadcastChannel(`tabmesh:${name}`)
  } catch {
    return undefined
  }
  ;(channel as { unref?: () => void }).unref?.()
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    // Anything else on our channel is somebody else's: an empty frame is counted as dropped by the core.
    receive(data instanceof Uint8Array ? data : new Uint8Array())
  }
  channel.onmessageerror = () => receive(new Uint8Array())
  return {
    post(frame) {
      try {
        channel.postMessage(frame)
      } catch {
        // Closed meanwhile, or out of memory: anti-entropy brings it later.
      }
    },
    close() {
      channel.onmessage = channel.onmessageerror = null
      channel.close()
    },
  }
}
