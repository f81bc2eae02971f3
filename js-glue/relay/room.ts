// One room in one relay: the core that has merged all of it, the devices that are in it, and its place in the log. Redis has what is
// acknowledged; the devices have everything. Whenever the two may differ, the room begins anew and asks the devices for what it lacks.
import type { Core } from '../core.ts'
import type { Metrics } from './metrics.ts'
import { dotOf, isStorable, type Device, type FromRelay, type RefusalCode } from './protocol.ts'
import type { Appended, Bell, Entry, RoomLogs } from './room-log.ts'

/** Entries after which the log is compacted. */
const checkpointEvery = 500
/** Frames after which what the core would tell readers is thrown away: here are none. */
const drainEvery = 256
/** Until the log is read without a bell: one may not have been heard. */
const lookMs = 5000
/** Until a room that Redis did not answer begins anew. */
const againMs = 1000

export interface Member {
  readonly connection: string
  readonly device: string
  readonly term: number
  readonly mayRead: boolean
  readonly mayWrite: boolean
  readonly about: Device
  send(header: FromRelay, parts?: readonly Uint8Array[]): void
  /** Tells why, and ends the connection. */
  refuse(code: RefusalCode, message: string, retryAfterMs?: number): void
}

export interface RoomOptions {
  readonly name: string
  readonly logs: RoomLogs
  readonly origin: string
  readonly metrics: Metrics
  readonly createCore: () => Core
  /** Bytes of the room's texts. */
  readonly bytesMax: number
  readonly onError: (error: unknown) => void
}

export interface Room {
  readonly size: number
  /** When the last device left, in milliseconds since 1970; 0 while there is one. */
  readonly emptySince: number
  /** Tells the device what it lacks, and asks for what the room lacks. Rejects while Redis does not answer. */
  join(member: Member, greeting: Uint8Array): Promise<void>
  leave(member: Member): void
  append(member: Member, number: number, frames: readonly Uint8Array[]): Promise<void>
  greet(member: Member, greeting: Uint8Array): void
  /** Resolves when what was appended so far is stored, or was not. */
  settled(): Promise<void>
  /** The connection to Redis was lost meanwhile. */
  reset(): void
  /** Says again that its devices are here. */
  renew(): void
  close(): Promise<void>
}

export async function openRoom({ name, logs, origin, metrics, createCore, bytesMax, onError }: RoomOptions): Promise<Room> {
  const members = new Set<Member>()
  /** Terms by device, as far as they were met here. */
  const terms = new Map<string, number>()
  /** What was merged, and is not known to be in the log. */
  let underWay = 0
  /** Settles when all that was appended so far is in the log: Redis answers in order. */
  let lastAppend: Promise<unknown> = Promise.resolve()
  /** Redis has not answered: until the room has begun anew, devices hear each other, and nothing is acknowledged. */
  let isStale = false
  let isFull = false
  let core = createCore()
  let cursor = '0-0'
  let sinceCheckpoint = 0
  let sinceDrain = 0
  let generation = 0 // of the core: what was under way in an earlier one is nobody's
  let reading: Promise<void> | undefined
  let dirty = false
  let emptySince = Date.now()
  let closed = false
  let loading: Promise<void>

  /** Nobody reads what the core tells: it is thrown away, now and then. */
  function drain(): void {
    if (++sinceDrain < drainEvery) return
    sinceDrain = 0
    core.replica.restored(false, Date.now())
    core.discard()
    isFull = (core.counters()[9] ?? 0) > bytesMax
  }

  /** Whether the bytes were a frame of this store. */
  function merge(frame: Uint8Array): boolean {
    const merged = core.restore(frame, Date.now()) === 0
    drain()
    return merged
  }

  async function load(): Promise<void> {
    generation++
    core.free()
    core = createCore()
    underWay = 0
    lastAppend = Promise.resolve()
    const own = generation
    core.open({}, Date.now())
    core.replica.restored(true, Date.now())
    core.discard()
    const contents = await logs.load(name)
    if (own !== generation) return
    if (contents.checkpoint && !merge(contents.checkpoint)) throw new Error(`the checkpoint of room ${name} is damaged`)
    cursor = contents.cursor
    sinceCheckpoint = 0
    for (;;) {
      const entries = await logs.since(name, cursor)
      if (own !== generation) return
      if (entries === 'behind') return load() // compacted meanwhile
      entries.forEach(take)
      if (entries.length > 0) continue
      isStale = false
      return
    }
  }

  function fail(cause: unknown): void {
    onError(cause)
    if (closed || isStale) return
    isStale = true
    generation++ // what is under way is asked for again
    setTimeout(reset, againMs).unref()
  }

  /** It is in the log. */
  function isKnown(frame: Uint8Array): boolean {
    const dot = underWay === 0 ? dotOf(frame) : undefined
    return dot !== undefined && core.wholeOf(dot.instance) >= dot.seq
  }

  function take({ id, frame }: Entry): void {
    if (!merge(frame)) metrics.count('damaged')
    cursor = id
    sinceCheckpoint++
  }

  function tell(header: FromRelay, parts: readonly Uint8Array[], except?: Member): void {
    for (const member of members) if (member !== except && member.mayRead) member.send(header, parts)
  }

  /** What other relays have appended. */
  function read(): void {
    dirty = true
    reading ??= (async () => {
      const own = generation
      while (dirty && own === generation && !closed) {
        dirty = false
        const entries = await logs.since(name, cursor)
        if (own !== generation) return
        if (entries === 'behind') return reset()
        for (const entry of entries) {
          cursor = entry.id
          if (entry.origin === origin) continue // merged when it came
          take(entry)
          tell({ type: 'frames' }, [entry.frame])
        }
        dirty ||= entries.length > 0
      }
      compact()
    })()
      .catch(fail)
      .finally(() => (reading = undefined))
  }

  function compact(): void {
    if (sinceCheckpoint < checkpointEvery) return
    sinceCheckpoint = 0
    const state = core.checkpoint()
    if (state.byteLength === 0) return
    metrics.count('checkpoints')
    logs.checkpoint(name, cursor, state).catch(onError)
  }

  /** Begins anew with what Redis has; the devices have the rest. */
  function reset(): void {
    if (closed) return
    metrics.count('resets')
    isStale = false
    loading = load().then(() => {
      if (!closed) for (const member of members) member.send({ type: 'greet', anew: true }, [core.greeting()])
    })
    loading.catch(fail)
  }

  function hear(bell: Bell): void {
    if (closed) return
    if (bell.type === 'devices') return void tellDevices().catch(onError)
    if (bell.origin === origin && bell.previous === cursor && !reading) {
      cursor = bell.id
      compact()
    } else {
      read()
    }
  }

  async function tellDevices(): Promise<void> {
    const devices = (await logs.connections(name)) as Device[]
    for (const member of members) member.send({ type: 'devices', devices })
  }

  loading = load()
  const unwatch = await logs.watch(name, hear)
  await loading
  read() // what came between the two
  const timer = setInterval(read, lookMs)
  timer.unref()

  return {
    get size() {
      return members.size
    },
    get emptySince() {
      return emptySince
    },

    async join(member, greeting) {
      await loading
      if (isStale) return member.refuse('unavailable', 'The log does not answer now.', againMs)
      const known = terms.get(member.device) ?? 0
      if (member.term < known) return member.refuse('stale-term', `Another tab of this device leads by term ${known}.`)
      terms.set(member.device, member.term)
      for (const other of members) if (other.device === member.device && other.term < member.term) other.refuse('stale-term', 'Another tab of this device leads now.')
      const answer = core.answer(greeting)
      if (!answer) return member.refuse('other-store', 'This room holds another store: its name, its version or its format is another one.')
      members.add(member)
      emptySince = 0
      metrics.count('joins')
      const { lacking } = answer
      member.send({ type: 'welcome', connection: member.connection, write: member.mayWrite }, [core.greeting(), ...(lacking.byteLength > 0 && member.mayRead ? [lacking] : [])])
      await logs.keepFor(name, undefined)
      await logs.connected(name, member.connection, member.about)
    },

    leave(member) {
      if (!members.delete(member)) return
      if (members.size === 0) emptySince = Date.now()
      logs.disconnected(name, member.connection).catch(onError)
    },

    async append(member, number, frames) {
      if (!member.mayWrite) return member.refuse('forbidden', 'This token may not write here.')
      await loading.catch(() => undefined)
      if (member.term < (terms.get(member.device) ?? 0)) return member.refuse('stale-term', 'Another tab of this device leads now.')
      const fresh = frames.filter((frame) => !isKnown(frame))
      if (isFull && fresh.length > 0) return member.send({ type: 'refused', code: 'full', message: `The room has reached its size of ${bytesMax} bytes.`, number })
      const whole = fresh.filter((frame) => isStorable(frame) && merge(frame))
      if (whole.length > 0) tell({ type: 'frames' }, whole, member)
      if (whole.length < fresh.length) {
        metrics.count('bad_frames', fresh.length - whole.length)
        member.send({ type: 'refused', code: 'bad-frame', message: 'A frame was not whole, or not of this store.', number })
      }
      if (isStale) return
      const own = generation
      const counts = whole.length > 0
      if (counts) underWay++
      const appending: Promise<Appended | undefined> = counts ? logs.append(name, cursor, member.device, member.term, whole) : lastAppend.then(() => undefined)
      lastAppend = appending
      let appended
      try {
        appended = await appending
      } catch (cause) {
        if (own === generation) fail(cause)
        return
      }
      if (own !== generation) return // it is asked for again
      if (counts) underWay--
      if (appended === 'behind') return reset()
      if (appended === 'stale-term') {
        member.refuse('stale-term', 'Another tab of this device leads now.')
        return reset() // what was merged here may be in no log
      }
      sinceCheckpoint += whole.length
      metrics.count('appends', whole.length)
      metrics.count('duplicates', frames.length - fresh.length)
      if (whole.length === fresh.length) member.send({ type: 'stored', number, version: appended?.version ?? 0 })
    },

    greet(member, greeting) {
      const answer = core.answer(greeting)
      if (!answer) return member.refuse('other-store', 'This room holds another store.')
      const { lacking } = answer
      member.send({ type: 'greet', anew: false }, [core.greeting(), ...(lacking.byteLength > 0 && member.mayRead ? [lacking] : [])])
    },

    async settled() {
      await lastAppend.catch(() => undefined)
    },
    reset,
    renew() {
      for (const member of members) logs.connected(name, member.connection, member.about).catch(onError)
    },

    async close() {
      if (closed) return
      closed = true
      generation++
      clearInterval(timer)
      unwatch()
      await Promise.all([...members].map((member) => logs.disconnected(name, member.connection).catch(() => undefined)))
      members.clear()
      core.free()
    },
  }
}
