// A device's side of the relay. The leader has the one socket: it offers what the relay lacks, takes what this device lacks, and tells the other
// tabs what is stored there. Everything that is offered is in the journal too: what a connection loses is offered again.
import type { Core } from '../core.ts'
import { TabmeshError } from '../errors.ts'
import type { Clock, Socket, SocketHandlers } from '../platform.ts'
import type { RelayAccess, Status } from '../types.ts'
import { courierTerm, createAssembler, dotOf, encodeMessage, protocolVersion, type Device, type FromDevice, type FromRelay, type RefusalCode } from './protocol.ts'

/** From a loss to the next attempt: at random between the first and a limit that doubles up to the last (full jitter; Brooker, "Exponential Backoff and Jitter", 2015). The first limit spreads 200 devices to 17 a second. */
const againFirstMs = 500
const limitFirstMs = 12_000
const limitLastMs = 60_000
/** After `online`, at random up to that. */
const onlineMs = 2000
const pingMs = 25_000
const pongMs = 10_000
const openMs = 20_000
/** Until everything is compared, without any sign that something differs. */
const greetEveryMs = 30_000
const greetSoonMs = 100
/** Messages that may be on their way; what is written meanwhile goes with the next. */
const underWayMax = 4
/** Frames of one message. */
const framesMax = 1000
const askMs = 500
/** Who has asked is told without asking for so long. */
const askedMs = 10_000
const messageBytesMax = 256 << 20

/** To ask for another token does not help at once. */
const final: readonly RefusalCode[] = ['unauthorized', 'forbidden', 'other-store']

type Note = { readonly relay: 'ask' } | { readonly relay: { readonly stored: number; readonly status: Status['relay']; readonly devices: readonly Device[] } }

export interface RelayParts {
  readonly access: RelayAccess & { readonly room: string }
  readonly mesh: string
  readonly id: string
  readonly label: string
  readonly core: Core
  readonly clock: Clock
  /** Opens a socket; undefined where there are none. */
  readonly openSocket: (url: string, handlers: SocketHandlers) => Socket | undefined
  readonly watchOnline: (listener: () => void) => () => void
  /** This device's name, the same after a reload; it changes with the database. */
  readonly device: () => string
  /** The term that this tab leads, or `courierTerm`; undefined while it does not, or must not act. */
  readonly term: () => number | undefined
  readonly leader: () => string | undefined
  /** Merges frames of other devices, stores them, and tells the other tabs. */
  readonly take: (frames: readonly Uint8Array[]) => void
  readonly send: (to: string, note: unknown) => void
  /** All own writes up to that number of the core's are relayed. */
  readonly reached: (seq: number) => void
  /** Whether somebody here waits for that. */
  readonly waits: () => boolean
  /** Whether what is on this device is that user's: what waits to be sent must not go out in another's name. */
  readonly belongsTo: (user: string) => boolean
  readonly onChange: () => void
  readonly onError: (error: TabmeshError) => void
}

export interface RelayClient {
  readonly status: Status['relay']
  /** Those in the room, this one too. */
  readonly devices: readonly Device[]
  /** Whether this device is the one that resolves what several have written: one of the room. */
  readonly resolves: boolean
  /** A frame of this device, as this tab sent it or has it from another. */
  pass(frame: Uint8Array): void
  /** This tab has learned something by another way, leads or does not, or has come back. */
  look(): void
  /** Somebody waits for a write to be relayed. */
  ask(): void
  /** From another tab: anything. Whether it was for the relay. */
  note(from: string, note: unknown): boolean
  end(): void
}

export function createRelayClient(parts: RelayParts): RelayClient {
  const { access, mesh, id, label, core, clock, take, reached, onChange, onError } = parts
  let status: Status['relay'] = 'connecting'
  let devices: readonly Device[] = []
  let socket: Socket | undefined
  let joined = false
  let connection = ''
  let mayWrite = false
  let ledTerm: number | undefined // of the socket, or of the attempt
  let limitMs = limitFirstMs
  let retryAfterMs = 0
  let cancelRetry: (() => void) | undefined
  let cancelPing: (() => void) | undefined
  let cancelGreet: (() => void) | undefined
  let cancelAsk: (() => void) | undefined
  let greetAt = 0
  let heard = false
  let over = false
  let told: string | undefined // the refusal that was told, once an episode
  /** Writes that the relay has come to lack otherwise than by `pass`: until all is compared, numbers prove nothing. */
  let isUnsure = true
  let queue: Uint8Array[] = []
  let number = 0
  /** Of what is on its way: up to which number whose writes are stored when it is. */
  const underWay = new Map<number, readonly (readonly [instance: string, seq: number])[]>()
  const stored = new Map<string, number>()
  const askers = new Map<string, number>()

  function change(next: Status['relay']): void {
    if (status === next) return
    status = next
    tellAskers()
    onChange()
  }

  function report(code: 'relay-refused' | 'relay-failed', message: string, cause?: unknown): void {
    if (told === message) return
    told = message
    onError(new TabmeshError(code, message, { cause }))
  }

  // ---- the connection ----

  function look(): void {
    const term = over ? undefined : parts.term()
    if (term !== ledTerm) {
      drop()
      ledTerm = term
      if (term === undefined) change('connecting')
      else void connect()
    } else if (joined) {
      isUnsure = true
      greetSoon()
    }
  }

  function drop(): void {
    for (const cancel of [cancelRetry, cancelPing, cancelGreet]) cancel?.()
    cancelRetry = cancelPing = cancelGreet = undefined
    const was = socket
    socket = undefined
    joined = false
    underWay.clear()
    queue = []
    was?.close()
  }

  async function connect(): Promise<void> {
    cancelRetry = undefined
    const term = ledTerm
    if (term === undefined || socket) return
    let token: string
    try {
      token = await access.token()
      if (typeof token !== 'string') throw new TypeError('token() must return a string')
    } catch (cause) {
      if (term !== ledTerm) return
      report('relay-failed', 'The token for the relay could not be had; it is asked for again.', cause)
      return retry()
    }
    if (term !== ledTerm || over || socket) return
    const assembler = createAssembler<FromRelay>(() => messageBytesMax)
    let own: Socket | undefined
    try {
      own = parts.openSocket(access.url, {
        opened() {
          if (socket !== own) return
          heard = true
          post({ type: 'join', protocol: protocolVersion, room: access.room, mesh, device: parts.device(), label, term, token }, [core.greeting()])
          keepAlive()
        },
        received(bytes) {
          if (socket !== own) return
          heard = true
          const message = assembler.add(bytes)
          if (typeof message === 'object') handle(message.header, message.parts)
        },
        closed() {
          if (socket !== own) return
          lost()
        },
      })
    } catch (cause) {
      return report('relay-failed', `${access.url} cannot be connected to: it must begin with wss:// or ws://.`, cause)
    }
    if (!own) {
      change('offline')
      return report('relay-failed', 'There is no WebSocket here: in Node before 22, put that of the package ws in globalThis.WebSocket.')
    }
    socket = own
    heard = false
    cancelPing = clock.after(openMs, () => (heard ? keepAlive() : lost())) // who has swallowed it does not say so
  }

  function lost(): void {
    drop()
    devices = []
    if (status !== 'refused') change('offline')
    retry()
  }

  function retry(): void {
    if (over || ledTerm === undefined || cancelRetry) return
    const ms = Math.max(retryAfterMs, againFirstMs + Math.random() * (limitMs - againFirstMs))
    limitMs = Math.min(2 * limitMs, limitLastMs)
    retryAfterMs = 0
    cancelRetry = clock.after(ms, () => void connect())
  }

  const unwatch = parts.watchOnline(() => {
    if (joined) return ping()
    if (!cancelRetry) return
    cancelRetry()
    cancelRetry = clock.after(Math.random() * onlineMs, () => void connect())
  })

  /** Half-open connections say nothing: whoever is not answered has none. */
  function keepAlive(): void {
    cancelPing?.()
    cancelPing = clock.after(pingMs, ping)
  }

  function ping(): void {
    cancelPing?.()
    heard = false
    post({ type: 'ping' })
    // A large state takes its time on a slow line: what goes out is a sign of life, too.
    const before = socket?.backlog ?? 0
    cancelPing = clock.after(pongMs, () => (heard || (socket?.backlog ?? 0) < before ? keepAlive() : lost()))
  }

  function post(header: FromDevice, frames?: readonly Uint8Array[]): void {
    for (const frame of encodeMessage(header, frames)) socket?.send(frame)
  }

  // ---- what goes there ----

  function pass(frame: Uint8Array): void {
    if (!joined) return
    if (!mayWrite) return report('relay-refused', 'This token may only read: what is written here stays on this device.')
    if (!dotOf(frame)) {
      isUnsure = true
      return greetSoon() // what was missing here is missing there
    }
    queue.push(frame)
    pump()
  }

  function pump(): void {
    if (queue.length === 0 || underWay.size >= underWayMax) return
    const frames = queue.splice(0, framesMax)
    const marks = isUnsure ? [] : frames.map((frame) => dotOf(frame)!).map(({ instance, seq }) => [instance, Math.min(seq, core.wholeOf(instance))] as const)
    append(frames, marks)
  }

  function append(frames: readonly Uint8Array[], marks: readonly (readonly [string, number])[]): void {
    underWay.set(++number, marks)
    post({ type: 'append', number }, frames)
  }

  /** Offers what the relay lacks; when that is stored, so is all that is here now. */
  function answer(greeting: Uint8Array): void {
    const lacking = core.answer(greeting)
    if (!lacking || !mayWrite) return
    isUnsure = false
    const marks = [id, ...core.peers().map((peer) => peer.id)].map((instance) => [instance, core.wholeOf(instance)] as const)
    append(lacking.byteLength > 0 ? [lacking] : [], marks)
  }

  /** What is due sooner stays due: in a stream it would never come. */
  function greetSoon(ms = greetSoonMs): void {
    const at = clock.now() + ms
    if (cancelGreet && greetAt <= at) return
    cancelGreet?.()
    greetAt = at
    cancelGreet = clock.after(ms, () => {
      cancelGreet = undefined
      if (joined) post({ type: 'greet' }, [core.greeting()])
    })
  }

  // ---- what comes from there ----

  function handle(header: FromRelay, [greeting, ...frames]: readonly Uint8Array[]): void {
    switch (header.type) {
      case 'welcome':
        if (!parts.belongsTo(header.user)) return stranger()
        joined = true
        connection = header.connection
        mayWrite = header.write
        limitMs = limitFirstMs
        told = undefined
        if (ledTerm !== courierTerm || !mayWrite) change('online') // else when all that is stored here is there
        compare(greeting, frames)
        break
      case 'greet':
        if (header.anew) {
          underWay.clear()
          queue = []
        }
        compare(greeting, frames)
        break
      case 'frames':
        if (greeting) take([greeting, ...frames])
        break
      case 'stored':
        for (const [sent, marks] of underWay) {
          if (sent > header.number) break
          underWay.delete(sent)
          for (const [instance, seq] of marks) stored.set(instance, Math.max(stored.get(instance) ?? 0, seq))
        }
        change('online')
        reached(stored.get(id) ?? 0)
        tellAskers()
        pump()
        break
      case 'devices':
        devices = header.devices
        onChange()
        tellAskers()
        break
      case 'renew':
        void renew()
        break
      case 'pong':
        break
      case 'refused':
        refused(header)
    }
  }

  /** Nothing is sent, nothing taken, until another tab leads, or the page is loaded again. */
  function stranger(): void {
    drop()
    report('relay-refused', 'What is on this device in this room is another user’s: nothing of it is sent. Erase it by store.destroy(), or give each user a room.')
    change('refused')
  }

  function compare(greeting: Uint8Array | undefined, lacked: readonly Uint8Array[]): void {
    if (lacked.length > 0) take(lacked)
    if (over || !joined || !greeting) return
    answer(greeting)
    greetSoon(greetEveryMs)
  }

  async function renew(): Promise<void> {
    const own = socket
    try {
      const token = await access.token()
      if (socket === own) post({ type: 'token', token })
    } catch (cause) {
      report('relay-failed', 'Another token for the relay could not be had: the connection ends when the one that it has expires.', cause)
    }
  }

  function refused({ code, message, number: of, retryAfterMs: after = 0 }: Extract<FromRelay, { type: 'refused' }>): void {
    if (of !== undefined) {
      // What comes after it proves nothing about what was refused.
      underWay.delete(of)
      for (const sent of underWay.keys()) underWay.set(sent, [])
      isUnsure = true
      greetSoon(greetEveryMs)
      pump()
    }
    if (code === 'restarting' || code === 'unavailable' || code === 'too-slow' || code === 'too-fast') {
      retryAfterMs = after // a close follows
      return
    }
    report('relay-refused', `The relay refuses (${code}): ${message}`)
    if (final.includes(code)) {
      limitMs = limitLastMs
      change('refused')
    }
  }

  // ---- the other tabs ----

  function tellAskers(): void {
    for (const [asker, until] of askers) {
      if (until > clock.now()) tell(asker)
      else askers.delete(asker)
    }
  }

  function tell(to: string): void {
    const note: Note = { relay: { stored: stored.get(to) ?? 0, status, devices } }
    try {
      parts.send(to, note)
    } catch {
      // It asks again.
    }
  }

  function ask(): void {
    cancelAsk?.()
    cancelAsk = undefined
    if (over || !parts.waits()) return
    cancelAsk = clock.after(askMs, ask)
    const leader = parts.leader()
    if (leader !== undefined && leader !== id) parts.send(leader, { relay: 'ask' } satisfies Note)
  }

  return {
    get status() {
      return status
    },
    get devices() {
      return devices
    },
    get resolves() {
      return !joined || devices.filter((one) => one.write).map((one) => one.connection).sort()[0] === connection
    },
    pass,
    look,
    ask,
    note(from, note) {
      const { relay } = (note ?? {}) as Partial<Note>
      if (relay === undefined) return false
      if (relay === 'ask') {
        if (ledTerm === undefined) return true
        askers.set(from, clock.now() + askedMs)
        tell(from)
      } else if (ledTerm === undefined && from === parts.leader()) {
        reached(relay.stored)
        devices = Array.isArray(relay.devices) ? relay.devices : []
        change(relay.status)
        onChange()
      }
      return true
    },
    end() {
      over = true
      unwatch()
      cancelAsk?.()
      drop()
    },
  }
}
