// The places where a store's state is kept, side by side; and their reconciliation, which is merging, whichever place it is.
import type { Core } from './core.ts'
import { TabmeshError } from './errors.ts'
import type { JsonObject } from './json-tree.ts'
import type { Journal, JournalContents } from './platform.ts'
import type { Layer, Reconciliation } from './types.ts'

/** What another tab has told, and is about to store itself, is waited for so long. */
const storingMs = 250
/** Looks at a journal that others write all the while. */
const looksMax = 8

export interface LayersParts {
  readonly core: Core
  readonly now: () => number
  readonly era: () => number
  readonly journal: () => Journal | undefined
  /** Of the journal that is known. */
  readonly generation: () => string
  /** What readers see of shared keys: of this tab, of a core, and what the hot copy shows; undefined where there is none. */
  readonly shown: () => JsonObject
  readonly shownBy: (core: Core) => JsonObject
  readonly hotCopy: () => { readonly state: JsonObject; readonly bytes: number } | undefined
  /** A core that knows nothing, in the era that is; the caller frees it. */
  readonly scratch: () => Core
  readonly differences: (a: JsonObject, b: JsonObject) => number
  /** Everything written here is stored, and everything stored is read. */
  readonly settle: () => Promise<void>
  /** Merges what was read. */
  readonly merge: (contents: JournalContents) => void
  readonly renewHotCopy: () => void
  readonly pause: (ms: number) => Promise<void>
}

export interface Layers {
  list(): Promise<readonly Layer[]>
  syncNow(): Promise<Reconciliation>
}

const sizeOf = (parts: readonly Uint8Array[]): number => parts.reduce((bytes, part) => bytes + part.byteLength, 0)

export function createLayers(parts: LayersParts): Layers {
  const { core, now, era, journal } = parts

  /** What a new tab would make of the journal alone. */
  function read(contents: JournalContents): Layer {
    const scratch = parts.scratch()
    try {
      const isWhole = (bytes: Uint8Array): boolean => scratch.restore(bytes, now()) === 0
      const checkpoints = contents.checkpoints.map(isWhole)
      const records = contents.records.map(isWhole)
      scratch.replica.restored(true, now())
      return {
        name: journal()?.kind ?? 'indexed-db',
        bytes: sizeOf(contents.checkpoints) + sizeOf(contents.records),
        checkpoints: checkpoints.length,
        records: records.length,
        damaged: [...checkpoints, ...records].filter((whole) => !whole).length,
        digest: scratch.digest(),
        ageMs: ageOf(scratch),
        differences: parts.differences(parts.shown(), parts.shownBy(scratch)),
      }
    } finally {
      scratch.free()
    }
  }

  const ageOf = (of: Core): number | undefined => (of.clockMs() === 0 ? undefined : Math.max(0, now() - of.clockMs()))

  function memory(): Layer {
    const [textBytes = 0, poolBytes = 0] = core.counters().slice(-2)
    return { name: 'memory', bytes: textBytes + poolBytes, digest: core.digest(), ageMs: ageOf(core), differences: 0 }
  }

  function hotCopy(): Layer[] {
    const copy = parts.hotCopy()
    return copy ? [{ name: 'hot-copy', bytes: copy.bytes, differences: parts.differences(parts.shown(), copy.state) }] : []
  }

  async function list(): Promise<readonly Layer[]> {
    const contents = await journal()?.read(0, era())
    return [memory(), ...hotCopy(), ...(contents?.era === era() ? [read(contents)] : [])]
  }

  /** The journal as it is, once both sides have what the other had; whether this tab had to add something. */
  async function reconcileJournal(of: Journal): Promise<boolean> {
    let differed = 0
    for (let attempt = 0; differed < 2; attempt++) {
      if (attempt === looksMax) return false // something is written all the while: it is stored by whoever writes it
      if (attempt > 0) await parts.pause(storingMs) // what another tab has told is stored by itself, a moment later
      await parts.settle()
      const before = core.digest()
      const contents = await of.read(0, era())
      if (contents.era !== era() || contents.generation !== parts.generation()) continue // settling enters it, or ends the store
      parts.merge(contents)
      if (read(contents).digest === core.digest()) return false
      if (core.digest() === before) differed++
    }
    const all = core.checkpoint()
    if (all.byteLength === 0) throw new TabmeshError('out-of-memory', 'There is no memory left to store the state again: nothing has changed.')
    await of.append([all], era())
    return true
  }

  return {
    list,
    async syncNow() {
      const mended: Layer['name'][] = []
      const stored = journal()
      if (stored && (await reconcileJournal(stored))) mended.push(stored.kind)
      if (hotCopy().some(({ differences }) => differences > 0)) {
        parts.renewHotCopy()
        if (hotCopy().every(({ differences }) => differences === 0)) mended.push('hot-copy')
      }
      return { mended, layers: await list() }
    },
  }
}

