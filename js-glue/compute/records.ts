// Compute records: what was computed, how it went, and when; blocks are copied into them and out of them.
import type { Clock, RecordShelf, StoredRecord } from '../platform.ts'
import { bytesOf, numberTypes, type Pool } from './blocks.ts'
import type { Block, Compute, ComputeRecord, MinuteOfRecords, NumberType, Performance } from './types.ts'

/** What is kept without being asked for. */
const keptCount = 10_000
const keptMs = 30 * 86_400_000
/** From one clean-up to the next. */
const savesBetween = 100
const minuteMs = 60_000
/** Slices of the state are kept until somebody takes their place. */
export const sliceType = 'slice'

export interface RecordsOptions {
  readonly shelf: () => Promise<RecordShelf>
  readonly clock: Clock
  readonly pool: Pool
  /** A copy of what JSON can hold. Throws TypeError, naming the path, for what it can't. */
  readonly json: (value: unknown, path: (string | number)[]) => unknown
  /** Bytes from which on a block is compressed. */
  readonly compressAbove: number
}

export type Records = Pick<Compute, 'save' | 'load' | 'query' | 'byMinute' | 'cleanup'>

export function createRecords({ shelf, clock, pool, json, compressAbove }: RecordsOptions): Records {
  let saves = 0
  let turn: Promise<unknown> = Promise.resolve()

  async function cleanup({ olderThan = Infinity, keep = Infinity }: { olderThan?: number; keep?: number }): Promise<number> {
    if (!(olderThan >= 0) || !(keep >= 0)) throw new RangeError('cleanup takes an age in milliseconds, and how many to keep: both from 0 on.')
    return (await shelf()).remove(clock.now() - olderThan, keep, sliceType)
  }

  const query: Records['query'] = async (wanted = {}) => (await (await shelf()).query(wanted)).map(recordOf)

  return {
    async save(id, block, { type = 'compute', time = clock.now(), params = null, performance = {} } = {}) {
      const own = block && pool.own(block)
      const bytes = own?.array.buffer.slice(own.address, own.address + bytesOf(own.type, own.length)) // now: the block may be given back meanwhile
      const record = { id, type, time, params: json(params, ['params']), performance: performanceOf(performance) }
      if (typeof id !== 'string' || typeof type !== 'string' || !Number.isFinite(time)) throw new TypeError('A record has a text as its id and as its type, and a time in milliseconds since 1970.')
      const kind = own && { type: own.type, length: own.length }
      const packing = bytes && bytes.byteLength > compressAbove ? smaller(bytes) : undefined
      // In the order of the calls, however long compressing takes: of two with one id the later stays.
      const ready = turn.then(async () => [await packing, await shelf()] as const)
      turn = ready.catch(() => undefined)
      const [small, to] = await ready
      const stored: StoredRecord = kind ? { ...record, block: { ...kind, packing: small ? 'gzip' : 'none' } } : record
      await to.put(stored, small ?? bytes)
      if (++saves % savesBetween === 0) await cleanup({ olderThan: keptMs, keep: keptCount })
    },
    async load(id) {
      const found = await (await shelf()).get(id)
      if (!found) return undefined
      const record = recordOf(found.record)
      if (!record.block) return { record, block: undefined }
      const numbers = await unpacked(found.record, found.bytes)
      if (!numbers) return undefined
      const block = pool.take(record.block.type, record.block.length)
      new Uint8Array(block.array.buffer, block.address, numbers.byteLength).set(numbers)
      return { record, block: block as unknown as Block }
    },
    query,
    async byMinute(wanted) {
      const minutes = new Map<number, ComputeRecord[]>()
      for (const record of (await query(wanted)).reverse()) {
        const minute = Math.floor(record.time / minuteMs) * minuteMs
        const others = minutes.get(minute)
        if (others) others.push(record)
        else minutes.set(minute, [record])
      }
      return [...minutes].map(([minute, records]) => minuteOf(minute, records))
    },
    cleanup,
  }
}

function recordOf({ id, type, time, params, performance, block }: StoredRecord): ComputeRecord {
  return { id, type, time, params, performance, block: block && { type: block.type as NumberType, length: block.length } }
}

/** Only what is known, and only numbers. */
function performanceOf(given: Performance): Performance {
  const told = (['fps', 'throughput', 'latency', 'memory'] as const).filter((name) => given[name] !== undefined)
  for (const name of told) if (!Number.isFinite(given[name])) throw new TypeError(`performance.${name} is ${String(given[name])}: give a finite number, or leave it out.`)
  return Object.fromEntries(told.map((name) => [name, given[name]]))
}

const through = async (bytes: BufferSource, by: GenericTransformStream): Promise<ArrayBuffer> => new Response(new Blob([bytes]).stream().pipeThrough(by)).arrayBuffer()

/** Compressed, if that makes it smaller. */
async function smaller(bytes: ArrayBuffer): Promise<ArrayBuffer | undefined> {
  const packed = await through(bytes, new CompressionStream('gzip'))
  return packed.byteLength < bytes.byteLength ? packed : undefined
}

/** The bytes of a record's block; undefined where they are not what the record says. */
async function unpacked({ block }: StoredRecord, bytes: ArrayBuffer | undefined): Promise<Uint8Array | undefined> {
  if (!block || !bytes || !numberTypes.includes(block.type as NumberType)) return undefined
  const whole = block.packing === 'gzip' ? await through(bytes, new DecompressionStream('gzip')).catch(() => undefined) : bytes
  return whole?.byteLength === bytesOf(block.type as NumberType, block.length) ? new Uint8Array(whole) : undefined
}

function minuteOf(minute: number, records: readonly ComputeRecord[]): MinuteOfRecords {
  const told = (name: keyof Performance): number[] => records.map(({ performance }) => performance[name]).filter((value) => value !== undefined)
  const mean = (values: readonly number[]): number | undefined => (values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length)
  const [fps, memory] = [told('fps'), told('memory')]
  const meanFps = mean(fps)
  return {
    minute,
    count: records.length,
    fps: meanFps === undefined ? undefined : { min: Math.min(...fps), mean: meanFps, max: Math.max(...fps) },
    throughput: mean(told('throughput')),
    latency: mean(told('latency')),
    memory: memory.length === 0 ? undefined : Math.max(...memory),
  }
}
