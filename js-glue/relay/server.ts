// Composition root of the relay: sockets in front, Redis behind, any number of relays side by side. It keeps nothing that Redis or the devices don't have.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { createCore, loadModule } from '../core.ts'
import { chunkBytes, namePattern } from './protocol.ts'
import { Refusal, serveConnection, type Connection } from './connection.ts'
import { createMetrics } from './metrics.ts'
import { connectionMs, openRoomLogs } from './room-log.ts'
import { openRoom, type Room } from './room.ts'
import type { Relay, RelayLimits, RelayOptions } from './types.ts'

/** A room that nobody has been in for so long leaves memory. */
const sweepMs = 300_000
const limitsByDefault: RelayLimits = { messageBytes: 64 << 20, framesPerSecond: 2000, bytesPerSecond: 16 << 20, backlogBytes: 8 << 20, roomConnections: 1000, roomBytes: 64 << 20, connections: 10_000, rooms: 10_000 }
const defaultSpreadMs = 10_000
/** A relay that ends waits so long for Redis. */
const settleMs = 3000

/**
 * Starts a relay. Resolves when it listens; rejects when the port is taken, or Redis does not answer within 10 s. Throws TypeError for options that make no sense.
 */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { redis, authenticate, port = 0, host = '127.0.0.1', workspace = 'default', origins, retentionMs, log = () => undefined } = options
  if (typeof authenticate !== 'function') throw new TypeError('authenticate(token, request) says who may enter which rooms: without it nobody may')
  if (!namePattern.test(workspace)) throw new TypeError(`workspace must be 1 to 64 of A-Z a-z 0-9 . _ : -, not ${JSON.stringify(workspace)}`)
  const limits = { ...limitsByDefault, ...options.limits }
  const metrics = createMetrics()
  const module = await loadModule(new URL('./tabmesh.wasm', import.meta.url))
  const rooms = new Map<string, Promise<Room>>()
  const opened = new Map<Room, string>()
  const open = new Set<Connection>()
  let closing = false
  let isBroken = false

  const note = (level: 'info' | 'error', event: string, details: object = {}): void => log({ level, event, at: Date.now(), ...details })
  const onError = (error: unknown): void => {
    // The module of all rooms has stopped in the middle of something: another process has to begin.
    isBroken ||= error instanceof WebAssembly.RuntimeError
    note('error', 'failed', { message: error instanceof Error ? error.message : String(error) })
  }

  const logs = await openRoomLogs({
    url: redis,
    workspace,
    onReady() {
      note('info', 'redis-ready')
      // What was under way may have been done or not; another Redis may have less than the one before.
      for (const room of opened.keys()) room.reset()
    },
    onError,
  })

  /** Rooms of two versions of an app are two, as its stores are: the mesh says which. Whose room it is Redis says, as soon as something was stored. */
  async function enter(name: string, mesh: string): Promise<Room> {
    const key = name + (/@\d{1,6}$/.exec(mesh)?.[0] ?? '')
    const known = rooms.get(`${key} ${mesh}`)
    if (known) return known
    if (closing) throw new Refusal('restarting', 'This relay ends.')
    const empty = rooms.size >= limits.rooms ? [...opened].find(([room]) => room.size === 0) : undefined
    if (empty) await leave(...empty)
    if (rooms.size >= limits.rooms) throw new Refusal('full', `This relay has its ${limits.rooms} rooms.`)
    const entering = (async () => {
      const owner = await logs.meshOf(key)
      if (owner !== undefined && owner !== mesh) throw new Refusal('other-store', 'This room holds another store: its name or its version is another one.')
      return openRoom({
        name: key,
        mesh,
        logs,
        metrics,
        bytesMax: limits.roomBytes,
        createCore: () => createCore(module, { name: mesh, instance: crypto.getRandomValues(new Uint8Array(16)), label: 'relay', connectedAt: 0, visible: false, mayLead: false, defaultStrategy: 'merge', strategies: {}, lists: {} }),
        onError,
      })
    })()
    rooms.set(`${key} ${mesh}`, entering)
    entering.then(
      (room) => {
        if (closing) return void room.close().catch(onError)
        opened.set(room, `${key} ${mesh}`)
        note('info', 'room-opened', { room: key })
      },
      () => rooms.delete(`${key} ${mesh}`),
    )
    return entering
  }

  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string): void => void response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(body)
    if (request.url === '/healthz') {
      const healthy = logs.isReady && !closing && !isBroken
      answer(healthy ? 200 : 503, 'application/json', JSON.stringify({ healthy, redis: logs.isReady, closing }))
    } else if (request.url === '/metrics') {
      answer(200, 'text/plain; version=0.0.4', metrics.text({ connections: open.size, rooms: rooms.size, memory_bytes: process.memoryUsage().rss }))
    } else {
      answer(404, 'text/plain', 'A tabmesh relay: stores connect by WebSocket.\n')
    }
  })
  const sockets = new WebSocketServer({
    server,
    maxPayload: chunkBytes + 1,
    perMessageDeflate: false,
    verifyClient: ({ origin: from }: { origin?: string }) => !closing && open.size < limits.connections && (!origins || from === undefined || origins.includes(from)),
  })
  sockets.on('error', () => undefined) // the server's, which is told there
  sockets.on('connection', (socket, request) => {
    const connection = serveConnection({ socket, request, authenticate, limits, metrics, enter, onError, onClose: () => open.delete(connection) })
    open.add(connection)
  })

  const sweeper = setInterval(sweep, connectionMs / 3)
  sweeper.unref()
  function sweep(): void {
    for (const [room, key] of [...opened]) {
      if (room.size > 0) room.renew()
      else if (Date.now() - room.emptySince > sweepMs) leave(room, key).catch(onError)
    }
  }
  async function leave(room: Room, key: string): Promise<void> {
    if (!opened.delete(room)) return
    rooms.delete(key)
    await room.close()
    const [name] = key.split(' ') as [string]
    note('info', 'room-swept', { room: name })
    if (retentionMs !== undefined) await logs.keepFor(name, retentionMs)
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  }).catch(async (error: unknown) => {
    await logs.close()
    throw error
  })
  const bound = (server.address() as AddressInfo).port
  note('info', 'listening', { port: bound, host })

  return {
    port: bound,
    url: `ws://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    stats: () => ({ ...metrics.values(), connections: open.size, rooms: rooms.size }),
    async close(overMs = defaultSpreadMs) {
      if (closing) return
      closing = true
      clearInterval(sweeper)
      await Promise.race([Promise.all([...opened.keys()].map((room) => room.settled())), new Promise((resolve) => setTimeout(resolve, settleMs).unref())])
      for (const connection of open) connection.end('restarting', 'This relay ends.', Math.round(Math.random() * overMs))
      await Promise.race([Promise.all([...opened].map(([room, key]) => leave(room, key).catch(onError))), new Promise((resolve) => setTimeout(resolve, settleMs).unref())])
      sockets.close()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        setTimeout(() => server.closeAllConnections(), 500).unref()
        for (const socket of sockets.clients) setTimeout(() => socket.terminate(), 1000).unref()
      })
      await logs.close()
      note('info', 'closed')
    },
  }
}
