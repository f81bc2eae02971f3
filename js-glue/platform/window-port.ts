// A private port to a window of another origin (HTML, cross-document messaging): whoever has the exact origin, and is that very window.
import type { Clock, WindowPeer, WindowPortHandlers } from '../platform.ts'

const helloFirstMs = 250
const helloLastMs = 5000

/** A greeting; with `port`, the answer to the one of that nonce, and a port comes along. */
interface Greeting {
  readonly tabmesh?: unknown
  readonly hello?: unknown
  readonly port?: unknown
}

/**
 * As Platform.connectWindow. Both sides greet, again and again until they are connected, for a page that is not there yet hears nothing; of their nonces the smaller
 * one's side makes the port. A page that was loaded again has another nonce, and is connected anew.
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
    cancelHello = clock.after(helloMs, greet)
    helloMs = Math.min(helloMs * 2, helloLastMs)
    post({})
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

  const listener = hear as (event: Event) => void
  globalThis.addEventListener('message', listener)
  greet()
  return () => {
    globalThis.removeEventListener('message', listener)
    cancelHello?.()
    port?.close()
    port = undefined
  }
}
