// store.compute: composition root of the chunk that is loaded when it is first asked for.
import { TabmeshError } from '../errors.ts'
import type { Clock, RecordShelf } from '../platform.ts'
import { Pool } from './blocks.ts'
import { loadCompute } from './module.ts'
import { createParticles } from './particles.ts'
import { createRecords } from './records.ts'
import { createSessions } from './sessions.ts'
import { statisticsOf } from './statistics.ts'
import type { Compute } from './types.ts'

export interface ComputeOptions {
  readonly clock: Clock
  readonly random: (count: number) => Uint8Array
  readonly openRecords: () => Promise<RecordShelf>
  readonly compressAbove: number
  /** As RecordsOptions. Given, not imported: what this chunk shares with the page's first one would become a file of its own. */
  readonly json: (value: unknown, path: (string | number)[]) => unknown
  readonly slice: (keys: readonly string[]) => Record<string, unknown>
}

export interface OpenCompute {
  readonly compute: Omit<Compute, 'ready'>
  /** Gives all blocks back. */
  close(): void
}

/** Rejects as `Compute.ready`. */
export async function openCompute({ clock, random, openRecords, compressAbove, json, slice }: ComputeOptions): Promise<OpenCompute> {
  const exports = await loadCompute()
  const pool = new Pool(exports)
  let opened: Promise<RecordShelf> | undefined
  let closed = false

  async function shelf(): Promise<RecordShelf> {
    if (closed) throw new TabmeshError('closed', 'The store is closed.')
    return (opened ??= openRecords().then(
      (shelf) => {
        if (closed) shelf.close()
        return shelf
      },
      (cause: unknown) => {
        opened = undefined
        throw cause
      },
    ))
  }

  const records = createRecords({ shelf, clock, pool, json, compressAbove })
  return {
    compute: {
      float32: (length) => pool.take('float32', length),
      float64: (length) => pool.take('float64', length),
      int32: (length) => pool.take('int32', length),
      uint8: (length) => pool.take('uint8', length),
      statistics: (block, options = {}) => statisticsOf(pool, block, pool.own(block).address, options),
      particles: (count) => createParticles(pool, count),
      usage: () => ({ blocks: exports.taken(), takenBytes: exports.takenBytes(), heldBytes: exports.heldBytes() }),
      ...records,
      ...createSessions({ records, clock, random, slice }),
    },
    close() {
      closed = true
      pool.close()
      opened?.then(
        (shelf) => shelf.close(),
        () => undefined, // it was told to who asked
      )
    },
  }
}
