// WebSocket: one binary connection. Node has it from 22 on; before, an app puts `ws` in its place.
import type { Socket, SocketHandlers } from '../platform.ts'

/** Undefined where there is none. Throws for a URL that is none. */
export function openWebSocket(url: string, { opened, received, closed }: SocketHandlers): Socket | undefined {
  if (typeof WebSocket === 'undefined') return undefined
  const socket = new WebSocket(url)
  socket.binaryType = 'arraybuffer'
  let over = false
  const end = (code: number): void => {
    if (over) return
    over = true
    socket.onopen = socket.onmessage = socket.onclose = null
    closed(code)
  }
  socket.onopen = () => opened()
  socket.onmessage = ({ data }: MessageEvent<unknown>) => received(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array())
  socket.onclose = ({ code }) => end(code)
  socket.onerror = () => undefined // a close follows
  return {
    get backlog() {
      return socket.bufferedAmount
    },
    send(bytes) {
      if (socket.readyState === socket.OPEN) socket.send(bytes as Uint8Array<ArrayBuffer>)
    },
    close() {
      end(1000)
      socket.close(1000)
    },
  }
}

/** Calls when the device says that it is connected again: it may lie. Returns the undo. */
export function watchOnline(listener: () => void): () => void {
  const { addEventListener, removeEventListener } = globalThis as Partial<typeof globalThis>
  addEventListener?.('online', listener)
  return () => removeEventListener?.('online', listener)
}
