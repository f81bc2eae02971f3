// What Redis keeps of the rooms: a stream a room, a checkpoint that stands for its beginning, terms and connections. Each step that reads and
// writes is one script, so that any number of relays may do it at once.
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { createClient, RESP_TYPES } from '@redis/client'

/** Entries read at once. */
const readMax = 100
/** From which size on a checkpoint is compressed. */
const compressAbove = 10_000
/** Until Redis counts as gone that does not answer, and until it is asked whether it does. */
const silentMs = 10_000
const askMs = 3000
/** A connection that nobody has renewed for so long is gone, and its relay with it. */
export const connectionMs = 60_000

export interface Entry {
  readonly id: string
  readonly frame: Uint8Array
  /** The relay that appended it. */
  readonly origin: string
}

export interface Contents {
  readonly checkpoint: Uint8Array | undefined
  /** Of the checkpoint: what follows comes by `since`. */
  readonly cursor: string
}

export type Appended = { readonly id: string; readonly version: number } | 'behind' | 'stale-term' | 'other-store'

/** All of one workspace in one Redis. Calls reject while Redis does not answer. */
export interface RoomLogs {
  load(room: string): Promise<Contents>
  /** The mesh whose frames these are; undefined while nothing was appended. */
  meshOf(room: string): Promise<string | undefined>
  /** The largest term of a device that has appended; 0 for none. */
  termOf(room: string, device: string): Promise<number>
  /** What was appended after a place; `behind` where that place is gone, by compaction or because Redis has lost it. */
  since(room: string, cursor: string): Promise<readonly Entry[] | 'behind'>
  /** Stores frames for good, unless `cursor` is a place that is gone, a larger term of the device is known, or the room is another mesh's. */
  append(room: string, mesh: string, origin: string, cursor: string, device: string, term: number, frames: readonly Uint8Array[]): Promise<Appended>
  /** Stores what stands for everything up to `cursor`, and drops that; false where another relay was faster. */
  checkpoint(room: string, cursor: string, state: Uint8Array): Promise<boolean>
  /** The room is kept so long from now on, if nobody is in it; undefined: for ever. */
  keepFor(room: string, ms: number | undefined): Promise<void>
  /** Says that somebody is here; `rings`: others are told. */
  connected(room: string, connection: string, value: object, rings: boolean): Promise<void>
  disconnected(room: string, connection: string): Promise<void>
  /** Those that are alive, of all relays. */
  connections(room: string): Promise<readonly object[]>
  /** Calls when something was appended, `append`, or somebody has come or gone, `devices`; returns the undo. */
  watch(room: string, listener: (bell: Bell) => void): Promise<() => void>
  readonly isReady: boolean
  ping(): Promise<void>
  close(): Promise<void>
}

export type Bell = { readonly type: 'append'; readonly origin: string; readonly previous: string; readonly id: string } | { readonly type: 'devices' }

export interface RoomLogsOptions {
  readonly url: string
  readonly workspace: string
  /** The connection is there, for the first time or anew: what was under way when it was lost may have been done or not. */
  readonly onReady: () => void
  readonly onError: (error: Error) => void
}

const appendScript = `
local mesh = redis.call('HGET', KEYS[2], 'mesh')
if mesh and mesh ~= ARGV[6] then return {'other-store'} end
local newest = redis.call('HGET', KEYS[3], ARGV[2])
if newest and ARGV[3] ~= '-1' and tonumber(newest) > tonumber(ARGV[3]) then return {'stale-term'} end
local from = redis.call('HGET', KEYS[2], 'cursor') or '0-0'
if ARGV[1] ~= from and #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then return {'behind'} end
if not mesh then redis.call('HSET', KEYS[2], 'mesh', ARGV[6]) end
if newest ~= ARGV[3] and ARGV[3] ~= '-1' then redis.call('HSET', KEYS[3], ARGV[2], ARGV[3]) end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local previous = last[1] and last[1][1] or from
local id
for i = 7, #ARGV do id = redis.call('XADD', KEYS[1], '*', 'frame', ARGV[i], 'origin', ARGV[4]) end
local version = redis.call('INCRBY', KEYS[4], #ARGV - 6)
redis.call('PUBLISH', ARGV[5], 'append ' .. ARGV[4] .. ' ' .. previous .. ' ' .. id)
return {'ok', id, version}`

const sinceScript = `
local from = redis.call('HGET', KEYS[2], 'cursor') or '0-0'
if ARGV[1] ~= from and #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then return 'behind' end
return redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])`

// The log goes back to the checkpoint before: whoever is a little behind need not begin anew.
const checkpointScript = `
local function before(a, b)
  local am, as = a:match('(%d+)-(%d+)')
  local bm, bs = b:match('(%d+)-(%d+)')
  if am ~= bm then return tonumber(am) < tonumber(bm) end
  return tonumber(as) < tonumber(bs)
end
local previous = redis.call('HGET', KEYS[2], 'cursor')
if previous and not before(previous, ARGV[1]) then return 0 end
if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[2], 'cursor', ARGV[1], 'state', ARGV[2], 'encoding', ARGV[3])
if previous then redis.call('XTRIM', KEYS[1], 'MINID', previous) end
return 1`

type Reply = Buffer | number | null | readonly Reply[]
const textOf = (reply: Reply | undefined): string => (reply instanceof Buffer ? reply.toString() : String(reply))

/** Keys of one room have one hash tag: a cluster keeps them together. */
const keyOf = (workspace: string, room: string, name: string): string => `tabmesh:{${workspace}:${room}}:${name}`

export async function openRoomLogs({ url, workspace, onReady, onError }: RoomLogsOptions): Promise<RoomLogs> {
  const client = createClient({ url, disableOfflineQueue: true, commandsQueueMaxLength: 10_000, pingInterval: askMs, socket: { socketTimeout: silentMs, reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, 2000) } })
  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  const subscriber = createClient({ url, socket: { reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, 2000) } })
  client.on('error', onError)
  subscriber.on('error', onError)
  client.on('ready', onReady)
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error(`Redis has not answered within ${silentMs / 1000} s`)), silentMs).unref())
  late.catch(() => undefined)
  try {
    await Promise.race([Promise.all([client.connect(), subscriber.connect()]), late])
  } catch (error) {
    client.destroy()
    subscriber.destroy()
    throw error
  }

  /** By its text, each time: one that is asked for by its hash, and is not known, would be overtaken by the next. */
  async function run(script: string, keys: string[], ...args: (string | Buffer)[]): Promise<Reply> {
    return (await bytes.eval(script, { keys, arguments: args })) as unknown as Reply
  }

  const keysOf = (room: string): string[] => ['log', 'checkpoint', 'term', 'version'].map((name) => keyOf(workspace, room, name))
  const bellOf = (room: string): string => keyOf(workspace, room, 'bell')
  const connectionsOf = (room: string): string => keyOf(workspace, room, 'connections')
  const ringDevices = async (room: string): Promise<void> => {
    await client.publish(bellOf(room), 'devices')
  }

  async function connections(room: string): Promise<readonly object[]> {
    const all = Object.entries(await client.hGetAll(connectionsOf(room)))
    const alive: object[] = []
    for (const [connection, text] of all) {
      const { until, ...value } = JSON.parse(text) as { until: number }
      if (until > Date.now()) alive.push(value)
      else await client.hDel(connectionsOf(room), connection)
    }
    return alive
  }

  return {
    async load(room) {
      const [cursor, state, encoding] = await bytes.hmGet(keyOf(workspace, room, 'checkpoint'), ['cursor', 'state', 'encoding'])
      if (!cursor || !state) return { checkpoint: undefined, cursor: '0-0' }
      return { checkpoint: textOf(encoding) === 'gzip' ? await promisify(gunzip)(state) : state, cursor: textOf(cursor) }
    },
    async since(room, cursor) {
      const reply = await run(sinceScript, keysOf(room), cursor, String(readMax))
      if (reply instanceof Buffer) return 'behind'
      return (reply as readonly (readonly [Buffer, readonly Buffer[]])[]).map(([id, [, frame, , from]]) => ({ id: textOf(id), frame: frame!, origin: textOf(from) }))
    },
    async meshOf(room) {
      return (await client.hGet(keyOf(workspace, room, 'checkpoint'), 'mesh')) ?? undefined
    },
    async termOf(room, device) {
      return Number((await client.hGet(keyOf(workspace, room, 'term'), device)) ?? 0)
    },
    async append(room, mesh, origin, cursor, device, term, frames) {
      const stored = frames.map((frame) => Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength))
      const [outcome, id, version] = (await run(appendScript, keysOf(room), cursor, device, String(term), origin, bellOf(room), mesh, ...stored)) as readonly Reply[]
      const what = textOf(outcome)
      return what === 'ok' ? { id: textOf(id), version: Number(version) } : (what as 'behind' | 'stale-term' | 'other-store')
    },
    async checkpoint(room, cursor, state) {
      const packs = state.byteLength > compressAbove
      const stored = packs ? await promisify(gzip)(state) : Buffer.from(state)
      return (await run(checkpointScript, keysOf(room), cursor, stored, packs ? 'gzip' : 'none')) === 1
    },
    async keepFor(room, ms) {
      if (ms !== undefined && (await connections(room)).length > 0) return // at another relay
      for (const key of keysOf(room)) await (ms === undefined ? client.persist(key) : client.pExpire(key, ms))
    },
    async connected(room, connection, value, rings) {
      await client.hSet(connectionsOf(room), connection, JSON.stringify({ ...value, until: Date.now() + connectionMs }))
      await client.pExpire(connectionsOf(room), 2 * connectionMs)
      if (rings) await ringDevices(room)
    },
    async disconnected(room, connection) {
      await client.hDel(connectionsOf(room), connection)
      await ringDevices(room)
    },
    connections,
    async watch(room, listener) {
      const hear = (text: string): void => {
        const [type, from = '', previous = '', id = ''] = text.split(' ')
        listener(type === 'append' ? { type, origin: from, previous, id } : { type: 'devices' })
      }
      await subscriber.subscribe(bellOf(room), hear)
      return () => void subscriber.unsubscribe(bellOf(room), hear).catch(() => undefined)
    },
    get isReady() {
      return client.isReady
    },
    async ping() {
      await client.ping()
    },
    async close() {
      client.destroy()
      subscriber.destroy()
      await Promise.resolve()
    },
  }
}
