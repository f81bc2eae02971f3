// A TCP proxy on loopback that swallows, delays, cuts, and goes on to another server.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Proxy {
  readonly port: number
  /** When each connection came, in milliseconds since 1970. */
  readonly connectedAt: readonly number[]
  /** Connections from now on go there. */
  to(port: number): void
  /** Nothing goes through any more, and nobody is told. */
  swallow(swallows: boolean): void
  /** What comes from the server comes so much later. */
  delay(ms: number): void
  /** Bytes a second from the server. */
  slow(bytesPerSecond: number): void
  /** Ends all connections that there are. */
  cut(): void
  close(): Promise<void>
}

export async function startProxy(target: number): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  const connectedAt: number[] = []
  let port = target
  let swallows = false
  let delayMs = 0
  let rate = Infinity
  const server = createServer((near) => {
    connectedAt.push(Date.now())
    const far = connect(port, '127.0.0.1')
    const pair = [near, far] as const
    pairs.add(pair)
    const end = (): void => {
      pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    near.on('data', (data) => swallows || far.write(data))
    far.on('data', (data) => {
      if (swallows) return
      if (rate < Infinity) {
        far.pause()
        setTimeout(() => far.resume(), (1000 * data.byteLength) / rate)
      }
      if (delayMs === 0) near.write(data)
      else setTimeout(() => near.write(data), delayMs)
    })
    for (const socket of pair) socket.on('close', end).on('error', end)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const [near, far] of pairs) {
      near.destroy()
      far.destroy()
    }
  }
  return {
    port: (server.address() as AddressInfo).port,
    connectedAt,
    to: (next) => void (port = next),
    swallow: (now) => void (swallows = now),
    delay: (ms) => void (delayMs = ms),
    slow: (bytes) => void (rate = bytes),
    cut,
    async close() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
