// One room in one relay: the core that has merged all of it, the devices that are in it, and its place in the log. Redis has what is
// acknowledged; the devices have everything. Whenever the two may differ, the room begins anew and asks the devices for what it lacks.
import { randomUUID } from 'node:crypto'
import type { Core } from '../core.ts'
import type { Metrics } from './metrics.ts'
import { courierTerm, devicesMax, dotOf, encodeMessage, isStorable, type Device, type FromRelay, type RefusalCode } from './protocol.ts'
import type { Appended, Bell, Entry, RoomLogs } from './room-log.ts'

/** Entries, and bytes, after which the log is compacted: bytes, or twice what the state has. */
const checkpointEvery = 500
const checkpointBytes = 4 << 20
/** Frames, and bytes, after which what the core would tell readers is thrown away: here are none. */
const drainEvery = 256
const drainBytes = 256 << 10
/** Until the log is read without a bell: one may not have been heard. */
const lookMs = 5000
/** Until a room that Redis did not answer begins anew. */
const againMs = 1000
/** Of a full room: a frame of so many bytes is still taken, for it may remove something; up to a tenth more. */
const smallBytes = 1000
/** Until it is told who is here, and how much longer a device: whoever comes with many others tells them all. */
const devicesMs = 200
const devicesMsEach = 5

export interface Member {
  readonly connection: string
  /** Of one user: terms of another's are nothing to it. */
  readonly device: string
  readonly term: number
  readonly mayRead: boolean
  readonly mayWrite: boolean
  readonly about: Device
  send(header: FromRelay, parts?: readonly Uint8Array[]): void
  /** The same for a message that several are sent. */
  sendEncoded(frames: readonly Uint8Array[]): void
  /** Tells why, and ends the connection. */
  refuse(code: RefusalCode, message: string, retryAfterMs?: number): void
}

export interface RoomOptions {
  readonly name: string
  /** Whose frames these are. */
  readonly mesh: string
  readonly logs: RoomLogs
  readonly metrics: Metrics
  readonly createCore: () => Core
  /** Bytes of the room's state in memory. */
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

/** Rejects while Redis does not answer. */
export async function openRoom({ name, mesh, logs, metrics, createCore, bytesMax, onError }: RoomOptions): Promise<Room> {
  const members = new Set<Member>()
  /** Terms by device, as far as they were met here. */
  const terms = new Map<string, number>()
  let core = createCore()
  let cursor = '0-0'
  let sinceCheckpoint = 0
  let bytesSinceCheckpoint = 0
  let stateBytes = 0
  let sinceDrain = 0
  let bytesSinceDrain = 0
  let memoryBytes = 0
  /** Of this core's appends: one of an earlier core may still come into the log, and is read like another relay's. */
  let origin = ''
  let generation = 0 // of the core: what was under way in an earlier one is nobody's
  /** Settles when all that was appended so far is in the log: Redis answers in order. */
  let lastAppend: Promise<unknown> = Promise.resolve()
  /** Redis has not answered: until the room has begun anew, devices hear each other, and nothing is acknowledged. */
  let isStale = false
  /** Something in the log could not be merged: it must not be compacted away. */
  let isDamaged = false
  let reading: Promise<void> | undefined
  let dirty = false
  let emptySince = Date.now()
  let closed = false
  let cancelDevices: NodeJS.Timeout | undefined
  let devicesTold = ''
  let toldDevices = new WeakSet<Member>()

  /** Nobody reads what the core tells: it is thrown away, now and then. */
  function drain(bytes: number): void {
    bytesSinceDrain += bytes
    if (++sinceDrain < drainEvery && bytesSinceDrain < drainBytes) return
    sinceDrain = bytesSinceDrain = 0
    core.replica.restored(false, Date.now())
    core.discard()
    const [texts = 0, pools = 0] = core.counters().slice(9)
    memoryBytes = texts + pools
  }

  /** Whether the bytes were a frame of this store, and there was room for it. */
  function merge(frame: Uint8Array): boolean {
    const merged = core.restore(frame, Date.now()) === 0
    drain(frame.byteLength)
    return merged
  }

  async function load(): Promise<void> {
    generation++
    origin = randomUUID()
    core.free()
    core = createCore()
    lastAppend = Promise.resolve()
    sinceCheckpoint = bytesSinceCheckpoint = 0
    isDamaged = false
    const own = generation
    core.open({}, Date.now())
    core.replica.restored(true, Date.now())
    core.discard()
    const contents = await logs.load(name)
    if (own !== generation) return
    cursor = contents.cursor
    if (contents.checkpoint) {
      if (!merge(contents.checkpoint)) throw new Error(`the checkpoint of room ${name} is damaged, or there is no memory for it`)
      stateBytes = contents.checkpoint.byteLength
    }
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

  /** It is in the log; the core may have it already. */
  function take({ id, frame }: Entry): void {
    cursor = id
    count([frame])
    if (merge(frame)) return
    metrics.count('damaged')
    isDamaged = true
  }

  function count(frames: readonly Uint8Array[]): void {
    sinceCheckpoint += frames.length
    for (const { byteLength } of frames) bytesSinceCheckpoint += byteLength
  }

  function tell(header: FromRelay, parts: readonly Uint8Array[], except?: Member): void {
    const encoded = encodeMessage(header, parts)
    for (const member of members) if (member !== except && member.mayRead) member.sendEncoded(encoded)
  }

  /** What other relays have appended. */
  function read(): void {
    dirty = true
    reading ??= (async () => {
      const own = generation
      while (dirty && own === generation && !closed) {
        dirty = false
        const entries = await logs.since(name, cursor)
        if (own !== generation || closed) return
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
      .finally(() => {
        reading = undefined
        if (dirty && !closed && !isStale) read() // rung meanwhile
      })
  }

  function compact(): void {
    if (isDamaged || (sinceCheckpoint < checkpointEvery && bytesSinceCheckpoint < Math.max(checkpointBytes, 2 * stateBytes))) return
    sinceCheckpoint = bytesSinceCheckpoint = 0
    const state = core.checkpoint()
    if (state.byteLength === 0) return
    stateBytes = state.byteLength
    metrics.count('checkpoints')
    logs.checkpoint(name, cursor, state).catch(onError)
  }

  /** Begins anew with what Redis has; the devices have the rest. */
  function reset(): void {
    if (closed) return
    metrics.count('resets')
    isStale = false
    const own = load().then(() => {
      if (loading === own && !closed && !isStale) for (const member of members) member.send({ type: 'greet', anew: true }, [core.greeting()])
    })
    loading = own
    loading.catch(fail)
  }

  function hear(bell: Bell): void {
    if (closed) return
    if (bell.type === 'devices') return tellDevices()
    if (bell.origin === origin && bell.previous === cursor && !reading) {
      cursor = bell.id
      compact()
    } else {
      read()
    }
  }

  function tellDevices(): void {
    cancelDevices ??= setTimeout(
      () => {
        cancelDevices = undefined
        logs
          .connections(name)
          .then((all) => {
            const devices = (all as Device[]).sort((a, b) => (a.connection < b.connection ? -1 : 1)).slice(0, devicesMax)
            const text = JSON.stringify(devices)
            if (text !== devicesTold) toldDevices = new WeakSet()
            devicesTold = text
            const encoded = encodeMessage({ type: 'devices', devices })
            for (const member of members) {
              if (toldDevices.has(member)) continue
              toldDevices.add(member)
              member.sendEncoded(encoded)
            }
          })
          .catch(onError)
      },
      devicesMs + devicesMsEach * members.size,
    )
  }

  /** The core has it: it is in the log, or on its way there. */
  function isKnown(frame: Uint8Array): boolean {
    const dot = dotOf(frame)
    return dot !== undefined && core.wholeOf(dot.instance) >= dot.seq
  }

  const mayTake = (frame: Uint8Array): boolean => memoryBytes <= bytesMax || (frame.byteLength <= smallBytes && memoryBytes <= 1.1 * bytesMax)

  /** Merges what is new, and returns that: whole, and within the room's size. */
  function mergeFresh(frames: readonly Uint8Array[]): { readonly whole: Uint8Array[]; readonly bad: number; readonly full: number } {
    const whole: Uint8Array[] = []
    let [bad, full] = [0, 0]
    for (const frame of frames) {
      if (isKnown(frame)) continue
      if (!mayTake(frame)) {
        full++
        continue
      }
      // A delta may bring nothing new: as many devices as there are offer the same to a room that has begun anew.
      const before = dotOf(frame) ? undefined : core.greeting()
      if (!isStorable(frame) || !merge(frame)) bad++
      else if (!before || !isEqual(before, core.greeting())) whole.push(frame)
    }
    return { whole, bad, full }
  }

  async function tellPresence(member: Member, rings: boolean): Promise<void> {
    await logs.connected(name, member.connection, member.about, rings)
    if (!members.has(member)) await logs.disconnected(name, member.connection)
  }

  let loading = load()
  loading.catch(() => undefined) // is awaited below
  let unwatch: (() => void) | undefined
  try {
    unwatch = await logs.watch(name, hear)
    await loading
  } catch (error) {
    closed = true
    generation++
    unwatch?.()
    core.free()
    throw error
  }
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
      const known = Math.max(terms.get(member.device) ?? 0, await logs.termOf(name, member.device))
      const isCourier = member.term === courierTerm
      if (isCourier && [...members].some((other) => other.device === member.device && other.term !== courierTerm)) return member.refuse('stale-term', 'A tab of this device is connected.')
      // Whose data is on a device its pages know; a service worker brings what a page of that user has begun to.
      if (isCourier && known === 0) return member.refuse('stale-term', 'No tab of this device has been here with this user.')
      if (!isCourier && member.term < known) return member.refuse('stale-term', `Another tab of this device leads by term ${known}.`)
      if (closed || isStale) return member.refuse('unavailable', 'The log does not answer now.', againMs)
      const lacking = core.answer(greeting)
      if (!lacking) return member.refuse('other-store', 'This room holds another store: its name, its version or its format is another one.')
      if (!isCourier) terms.set(member.device, member.term)
      for (const other of members) if (other.device === member.device && other.term <= member.term) other.refuse('stale-term', 'Another tab of this device leads now.')
      members.add(member)
      emptySince = 0
      metrics.count('joins')
      member.send({ type: 'welcome', connection: member.connection, user: member.about.user, write: member.mayWrite }, [core.greeting(), ...(lacking.byteLength > 0 && member.mayRead ? [lacking] : [])])
      logs.keepFor(name, undefined).catch(onError)
      tellPresence(member, true).catch(onError)
    },

    leave(member) {
      if (!members.delete(member)) return
      if (members.size === 0) emptySince = Date.now()
      if (![...members].some((other) => other.device === member.device)) terms.delete(member.device)
      logs.disconnected(name, member.connection).catch(onError)
    },

    async append(member, number, frames) {
      if (frames.length > 0 && !member.mayWrite) return member.refuse('forbidden', 'This token may not write here.')
      await loading.catch(() => undefined)
      if (closed) return
      if (member.term !== courierTerm && member.term < (terms.get(member.device) ?? 0)) return member.refuse('stale-term', 'Another tab of this device leads now.')
      const { whole, bad, full } = mergeFresh(frames)
      if (whole.length > 0) tell({ type: 'frames' }, whole, member)
      metrics.count('bad_frames', bad)
      if (full > 0) member.send({ type: 'refused', code: 'full', message: `The room has reached its size of ${bytesMax} bytes.`, number })
      else if (bad > 0) member.send({ type: 'refused', code: 'bad-frame', message: 'A frame was not whole, or not of this store, or there was no memory for it.', number })
      if (isStale) return
      const own = generation
      // What the core has is in the log, or on its way there before this.
      const appending: Promise<Appended | undefined> = whole.length > 0 ? logs.append(name, mesh, origin, cursor, member.device, member.term, whole) : lastAppend.then(() => undefined)
      lastAppend = appending
      let appended
      try {
        appended = await appending
      } catch (cause) {
        if (own === generation) fail(cause)
        return
      }
      if (own !== generation || closed) return // it is asked for again
      if (appended === 'behind') return reset()
      if (typeof appended === 'string') {
        member.refuse(appended, appended === 'stale-term' ? 'Another tab of this device leads now.' : 'This room holds another store.')
        return fail(new Error(`a frame was refused by the log: ${appended}`)) // what was merged here is in none
      }
      count(whole)
      metrics.count('appends', whole.length)
      metrics.count('duplicates', frames.length - whole.length - bad - full)
      if (bad + full === 0) member.send({ type: 'stored', number, version: appended?.version ?? 0 })
    },

    greet(member, greeting) {
      if (closed) return
      const lacking = core.answer(greeting)
      if (!lacking) return member.refuse('other-store', 'This room holds another store.')
      member.send({ type: 'greet', anew: false }, [core.greeting(), ...(lacking.byteLength > 0 && member.mayRead ? [lacking] : [])])
    },

    async settled() {
      await lastAppend.catch(() => undefined)
    },
    reset,
    renew() {
      logs.keepFor(name, undefined).catch(onError)
      for (const member of members) tellPresence(member, false).catch(onError)
      tellDevices() // those of a relay that is gone leave without a word
    },

    async close() {
      if (closed) return
      closed = true
      generation++
      clearInterval(timer)
      clearTimeout(cancelDevices)
      unwatch()
      await Promise.all([...members].map((member) => logs.disconnected(name, member.connection).catch(() => undefined)))
      members.clear()
      core.free()
    },
  }
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean => a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i])
