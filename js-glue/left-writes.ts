// Own writes of pages that have gone, of eras that have ended since: what the next era lacks of them is made again.
import { bytesOf, type Core } from './core.ts'
import type { TreeEdit } from './json-tree.ts'
import { isKept, type OwnWrite } from './unstored.ts'

/** What a page has left. It is nobody else's any more. */
export interface LeftWrites {
  /** The page's, in hex. */
  readonly instance: string
  readonly era: number
  readonly writes: readonly Pick<OwnWrite, 'seq' | 'edits' | 'replaced'>[]
}

export interface LeftWritesParts {
  /** How that era ended; undefined where nobody knows any more. */
  readonly endOf: (era: number) => Uint8Array | undefined
  /** A replica of that name, which nobody knows of. */
  readonly replicaOf: (instance: Uint8Array) => Core
  /** Makes it again, on what is there now. */
  readonly make: (write: LeftWrites['writes'][number], beside: Set<string>) => void
  /** Some cannot be. */
  readonly onLost: () => void
}

/** Makes again what can be. */
export function createLeftWrites({ endOf, replicaOf, make, onLost }: LeftWritesParts): (left: LeftWrites) => void {
  function keptOf({ instance, era }: LeftWrites): readonly number[] | undefined {
    const end = endOf(era)
    if (!end) return undefined
    const replica = replicaOf(bytesOf(instance))
    try {
      replica.open({}, 0)
      replica.enterEra(era, {}, 0)
      return replica.keptAtEnd(end)
    } finally {
      replica.free()
    }
  }

  return (left) => {
    try {
      const kept = keptOf(left)
      if (!kept) return onLost()
      const beside = new Set<string>()
      for (const write of left.writes) if (!isKept(kept, write.seq)) make(write, beside)
    } catch {
      onLost() // damaged, or there is no place for it
    }
  }
}

/** As text: JSON knows no undefined. */
export function packWrites(writes: readonly OwnWrite[]): unknown[] {
  return writes.map(({ seq, edits, replaced }) => [seq, edits, replaced.map((value) => (value === undefined ? [] : [value]))])
}

/** Throws what it likes where the text is none of ours. */
export function unpackWrites(packed: unknown): LeftWrites['writes'] {
  return (packed as [number, TreeEdit[], unknown[][]][]).map(([seq, edits, replaced]) => ({ seq, edits, replaced: replaced.map(([value]) => value) }))
}
