// One socket: who it is, what it may, and how much of it. What comes from it is never trusted.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import type { Metrics } from './metrics.ts'
import { chunkBytes, courierTerm, createAssembler, encodeMessage, namePattern, partsMax, protocolVersion, type FromDevice, type FromRelay, type Message, type RefusalCode } from './protocol.ts'
import type { Member, Room } from './room.ts'
import type { Authenticate, Identity, RelayLimits } from './types.ts'

/** A socket that has not joined by then is closed. */
const joinMs = 10_000
/** Of a join, in bytes: whoever has shown no token is not given memory for more. */
const joinBytes = 1 << 20
/** Without a word for so long it is gone: devices ping every 25 s, hidden ones once a minute. */
const silentMs = 180_000
/** A token is asked for anew so long before it expires. */
const renewMs = 60_000
/** Frames within one message that cost as much as one message. */
const partsEach = 10
/** Messages that may wait while a token is looked up. */
const waitingMax = 20
/** The same of one that has joined. */
const waitingMaxJoined = 1000
/** Messages that are none, until the socket is closed. */
const badMax = 10

/** By which code a socket is closed. */
export const closeCodes: Record<RefusalCode, number> = {
  unauthorized: 4001,
  'bad-message': 4002,
  forbidden: 4003,
  'bad-frame': 4004,
  'other-store': 4005,
  'stale-term': 4006,
  full: 4007,
  'too-slow': 4008,
  'too-fast': 4009,
  'too-large': 1009,
  restarting: 1012,
  unavailable: 1013,
}

/** Why a room cannot be entered. */
export class Refusal extends Error {
  constructor(
    readonly code: RefusalCode,
    message: string,
  ) {
    super(message)
  }
}

export interface ConnectionOptions {
  readonly socket: WebSocket
  readonly request: IncomingMessage
  readonly authenticate: Authenticate
  readonly limits: RelayLimits
  readonly metrics: Metrics
  readonly enter: (room: string, mesh: string) => Promise<Room>
  readonly onError: (error: unknown) => void
  readonly onClose: () => void
}

export interface Connection {
  end(code: RefusalCode, message: string, retryAfterMs?: number): void
}

const isShort = (text: unknown, max = 200): text is string => typeof text === 'string' && text.length > 0 && text.length <= max

export function serveConnection({ socket, request, authenticate, limits, metrics, enter, onError, onClose }: ConnectionOptions): Connection {
  const id = randomUUID()
  const assembler = createAssembler<FromDevice>(() => (member ? limits.messageBytes : Math.min(joinBytes, limits.messageBytes)))
  let identity: Identity | undefined
  let member: Member | undefined
  let room: Room | undefined
  let bad = 0
  let over = false
  let joining = false
  let backlogMax = limits.backlogBytes
  let roomName = ''
  let work: Promise<void> = Promise.resolve()
  let waiting = 0
  let unstored = 0 // bytes
  const timers = { join: setTimeout(() => refuse('bad-message', 'No join came in time.'), joinMs), renew: undefined as NodeJS.Timeout | undefined, expire: undefined as NodeJS.Timeout | undefined, silent: setTimeout(() => socket.terminate(), silentMs) }
  /** Two seconds' worth may come at once, and a large state. */
  const most = { frames: 2 * limits.framesPerSecond, bytes: 2 * limits.bytesPerSecond + limits.messageBytes }
  const left = { ...most, at: Date.now() }
  metrics.count('connections_opened')

  /** Whether what waits to be sent is more than it may: then the connection is ended, and takes no reason either. It resumes by what it has. */
  function isBehind(): boolean {
    if (socket.bufferedAmount === 0) backlogMax = limits.backlogBytes
    if (socket.bufferedAmount <= backlogMax) return false
    metrics.count('slow_consumers')
    over = true
    socket.terminate()
    return true
  }

  function send(header: FromRelay, parts?: readonly Uint8Array[]): void {
    if (over || isBehind()) return
    const frames = encodeMessage(header, parts)
    // What it lacks is as large as it is: what comes after it may wait behind it.
    if (header.type === 'welcome' || header.type === 'greet') backlogMax = Math.max(backlogMax, limits.backlogBytes + frames.length * chunkBytes)
    write(frames)
  }

  function write(frames: readonly Uint8Array[]): void {
    for (const frame of frames) {
      metrics.count('bytes_out', frame.byteLength)
      socket.send(frame)
    }
  }

  function refuse(code: RefusalCode, message: string, retryAfterMs?: number): void {
    if (over) return
    metrics.count('refusals')
    if (code === 'unauthorized') metrics.count('unauthorized')
    if (code === 'stale-term') metrics.count('stale_terms')
    write(encodeMessage({ type: 'refused', code, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }))
    over = true
    socket.close(closeCodes[code], message.slice(0, 100))
  }

  function isTooFast(frames: number, bytes: number): boolean {
    const now = Date.now()
    const seconds = Math.max(0, now - left.at) / 1000
    left.at = now
    left.frames = Math.min(most.frames, left.frames + seconds * limits.framesPerSecond) - frames
    left.bytes = Math.min(most.bytes, left.bytes + seconds * limits.bytesPerSecond) - bytes
    return left.frames < 0 || left.bytes < 0
  }

  /** Undefined where the token is not accepted, and then the socket is being closed. */
  async function identify(token: unknown): Promise<Identity | undefined> {
    let found: Identity | undefined
    try {
      found = isShort(token, 16_384) || token === '' ? await authenticate(token, request) : undefined
    } catch (error) {
      onError(error)
    }
    if (over) return undefined
    if (!found || (found.expiresAt !== undefined && found.expiresAt <= Date.now())) {
      refuse('unauthorized', 'The token was not accepted.')
      return undefined
    }
    clearTimeout(timers.renew)
    clearTimeout(timers.expire)
    if (found.expiresAt !== undefined) {
      const validMs = Math.min(found.expiresAt - Date.now(), 0x7fffffff)
      timers.renew = setTimeout(() => send({ type: 'renew' }), Math.max(validMs - renewMs, validMs / 2)).unref()
      timers.expire = setTimeout(() => refuse('unauthorized', 'The token has expired.'), validMs).unref()
    }
    return found
  }

  const mayEnter = (of: Identity, name: string): boolean => (of.rooms === '*' || of.rooms.includes(name)) && (of.read !== false || of.write !== false)

  async function join({ header, parts }: Message<Extract<FromDevice, { type: 'join' }>>): Promise<void> {
    const { protocol, room: name, mesh, device, label, term } = header
    if (joining) return refuse('bad-message', 'This socket has joined a room.')
    joining = true
    roomName = name
    if (protocol !== protocolVersion) return refuse('bad-message', `This relay speaks version ${protocolVersion} of the protocol.`)
    if (!namePattern.test(name) || !isShort(mesh) || !isShort(device) || !isShort(label) || !(Number.isSafeInteger(term) && term >= courierTerm) || parts.length !== 1) return refuse('bad-message', 'A join lacks something.')
    identity = await identify(header.token)
    if (!identity) return
    if (!mayEnter(identity, name)) return refuse('forbidden', 'This token may not enter this room.')
    try {
      room = await enter(name, mesh)
    } catch (error) {
      if (error instanceof Refusal) return refuse(error.code, error.message)
      onError(error)
      return refuse('unavailable', 'The log does not answer now.', 1000)
    }
    if (over) return
    if (room.size >= limits.roomConnections) return refuse('full', `The room has its ${limits.roomConnections} devices.`, 30_000)
    member = {
      connection: id,
      device: `${identity.user}/${device}`,
      term,
      // By the newest token.
      get mayRead() {
        return identity!.read !== false
      },
      get mayWrite() {
        return identity!.write !== false
      },
      about: { connection: id, device, label, user: identity.user, write: identity.write !== false, connectedAt: Date.now() },
      send,
      sendEncoded(frames) {
        if (!over && !isBehind()) write(frames)
      },
      refuse,
    }
    try {
      await room.join(member, parts[0]!)
    } finally {
      if (over) room.leave(member)
    }
    clearTimeout(timers.join)
  }

  /** The next need not wait for Redis; but what waits for it is bounded. */
  function append(to: Room, by: Member, number: number, frames: readonly Uint8Array[]): void {
    const bytes = frames.reduce((sum, { byteLength }) => sum + byteLength, 0)
    unstored += bytes
    if (unstored > limits.messageBytes + limits.bytesPerSecond) return tooFast()
    to.append(by, number, frames)
      .catch(onError)
      .finally(() => (unstored -= bytes))
  }

  async function handle({ header, parts }: Message<FromDevice>): Promise<void> {
    if (over) return
    if (header.type === 'join') return join({ header, parts })
    if (header.type === 'ping') return send({ type: 'pong' })
    if (!member || !room) return refuse('bad-message', 'The first message is a join.')
    switch (header.type) {
      case 'append':
        if (!Number.isSafeInteger(header.number) || parts.length > partsMax) return malformed()
        append(room, member, header.number, parts)
        break
      case 'greet':
        if (parts.length !== 1) return malformed()
        if (socket.bufferedAmount > limits.backlogBytes) return // it has not taken the last one
        room.greet(member, parts[0]!)
        break
      case 'token': {
        const next = await identify(header.token)
        if (!next) return
        // A token renews what the socket is, and makes nobody else of it.
        if (next.user !== identity!.user || !mayEnter(next, roomName)) return refuse('forbidden', 'The new token is another one’s.')
        identity = next
        break
      }
      default:
        malformed()
    }
  }

  function tooFast(): void {
    metrics.count('too_fast')
    refuse('too-fast', 'Too many frames, or too many bytes, a second.', 5000)
  }

  function malformed(): void {
    metrics.count('bad_messages')
    if (++bad >= badMax) refuse('bad-message', `${badMax} messages were none.`)
  }

  socket.on('message', (data: Buffer, isBinary) => {
    if (over) return
    timers.silent.refresh()
    metrics.count('bytes_in', data.byteLength)
    if (isTooFast(1, data.byteLength)) return tooFast()
    const message = isBinary ? assembler.add(data) : 'bad'
    if (message === undefined) return
    if (message === 'too-large') return refuse('too-large', `A message has more than ${limits.messageBytes} bytes.`)
    if (message === 'bad') return malformed()
    // What is in one message counts as if it were in several.
    if (message.parts.length > 1 && isTooFast(message.parts.length / partsEach, 0)) return tooFast()
    if (++waiting > (member ? waitingMaxJoined : waitingMax)) return tooFast()
    // One after another; what waits for nothing is done at once.
    work = work.then(() => handle(message)).finally(() => waiting--).catch((error: unknown) => {
      onError(error)
      refuse('unavailable', 'Something has failed here; try again.', 1000)
    })
  })
  socket.on('error', () => metrics.count('bad_messages')) // too large for one frame, or against RFC 6455; it is closed by ws
  socket.on('close', () => {
    over = true
    for (const timer of Object.values(timers)) clearTimeout(timer)
    if (member && room) room.leave(member)
    onClose()
  })

  return { end: refuse }
}
