// A private port to a window of another origin (HTML, cross-document messaging): whoever has the exact origin, and is that very window.
import type { Clock, WindowPeer, WindowPortHandlers } from '../platform.ts'

const helloFirstMs = 250
const helloLastMs = 4000

/** A greeting; with `port`, the answer to the one of that nonce, and a port comes along. */
interface Greeting {
  readonly tabmesh?: unknown
  readonly hello?: unknown
  readonly port?: unknown
}

/**
 * As Platform.connectWindow. Both sides greet, and a few times more, for a page that is not there yet hears nothing; who comes later greets by itself. Of their nonces the
 * smaller one's side makes the port. A page that was loaded again has another nonce, and is connected anew. Without windows, as in Node, nobody is.
 */
export function connectWindow(name: string, peer: WindowPeer, nonce: string, clock: Clock, { connected, receive }: WindowPortHandlers): () => void {
  let port: MessagePort | undefined
  let theirs = ''
  let helloMs = helloFirstMs
  let cancelHello: (() => void) | undefined

  function post(greeting: Greeting, ports: readonly MessagePort[] = []): void {
    try {
      peer.window.postMessage({ tabmesh: name, hello: nonce, ...greeting }, peer.origin, [...ports] as never[])
    } catch {
      // Its window is gone.
    }
  }

  function greet(): void {
    post({})
    if (helloMs <= helloLastMs) cancelHello = clock.after(helloMs, greet)
    helloMs *= 2
  }

  function use(given: MessagePort, other: string): void {
    cancelHello?.()
    port?.close()
    theirs = other
    port = given
    port.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (port === given && (data instanceof Uint8Array || typeof data === 'number')) receive(data)
    }
    connected([nonce, other].sort().join(':'), (message) => given.postMessage(message))
  }

  function hear(event: MessageEvent<Greeting | null>): void {
    if (event.source !== (peer.window as unknown) || event.origin !== peer.origin) return
    const { tabmesh, hello: other, port: answers } = event.data ?? {}
    if (tabmesh !== name || typeof other !== 'string' || other === theirs) return
    const [given] = event.ports
    if (given && answers === nonce) return use(given, other)
    if (nonce > other) return post({})
    const { port1, port2 } = new MessageChannel()
    post({ port: other }, [port2])
    use(port1, other)
  }

  const self = globalThis as Partial<Pick<typeof globalThis, 'addEventListener' | 'removeEventListener'>>
  const listener = hear as (event: Event) => void
  self.addEventListener?.('message', listener)
  greet()
  return () => {
    self.removeEventListener?.('message', listener)
    cancelHello?.()
    port?.close()
    port = undefined
  }
}
