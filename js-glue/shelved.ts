// What this tab puts into localStorage: the hot copy, and last words, which is what a page could not store before it went.
import type { Waiting } from './journal-writer.ts'
import { packWrites, unpackWrites, type LeftWrites } from './left-writes.ts'
import { erasedKey, hotKey, readHotCopy, shelfOf } from './hot-copy.ts'
import type { JsonObject } from './json-tree.ts'
import type { BytePacker, Clock, Journal, Platform, Shelf } from './platform.ts'
import type { OwnWrite } from './unstored.ts'

/** Between two hot copies of a leader: writing is synchronous. */
const copyEveryMs = 2000
/** Characters of a hot copy, and of last words: an origin has five million. */
const lengthMax = 128 << 10
/** Pages whose last words may wait. */
const wordsMax = 8

export interface ShelvedParts {
  readonly name: string
  readonly version: number
  readonly instance: string
  readonly platform: Platform
  readonly packer: BytePacker
  /** Whether hot copies are wanted. */
  readonly copies: boolean
  readonly leads: () => boolean
  /** What others may see of the state, and how long its texts are in all; undefined before it is hydrated. */
  readonly state: () => { readonly shared: () => JsonObject; readonly textBytes: number } | undefined
  readonly era: () => number
  /** What the records write, should their era have ended when they are found. */
  readonly writes: () => readonly OwnWrite[]
  /** Makes again what the store lacks of them. */
  readonly onLeft: (left: LeftWrites) => void
  /** Whether they can be made now; if not, they are left for the next look. */
  readonly canMake: () => boolean
  /** Merges records of another page; those that were whole. */
  readonly restore: (records: readonly Uint8Array[]) => readonly Uint8Array[]
  /** Writes that nobody can take in any more. */
  readonly onLost: () => void
}

export interface Shelved {
  /** The state has changed. */
  changed(): void
  /** The page may not run again, and these are not known to be stored. */
  leave(unstored: readonly Waiting[]): void
  /** The page is back, and has all that it had left: takes that away. Whether another tab has made it again meanwhile. */
  takeBack(): boolean
  /** Takes in what pages have left, and stores it. */
  takeIn(journal: Journal): void
  /** What pages of an older version have left in that era of theirs; `forget` it once it is migrated. */
  ofOlder(older: number, its: number): { readonly records: readonly Uint8Array[]; readonly forget: () => void }
  /** The hot copy as it is; undefined where there is none. */
  hotCopy(): { readonly state: JsonObject; readonly bytes: number } | undefined
  /** Makes it again. */
  renewCopy(): void
  /** Erases everything, also what pages that sleep now put there later. */
  erase(): void
}

interface LastWords {
  readonly erased: string | null
  readonly era: number
  readonly records: readonly string[]
  readonly writes?: unknown
}

function readLastWords(shelf: Shelf, key: string): LastWords | undefined {
  try {
    const { erased, era, records, writes } = JSON.parse(shelf.read(key) ?? '') as LastWords
    return Array.isArray(records) ? { erased, era, records: records.filter((record) => typeof record === 'string'), writes } : undefined
  } catch {
    return undefined
  }
}

export function createShelved({ name, version, instance, platform, packer, copies, leads, state, era, writes, onLeft, canMake, restore, onLost }: ShelvedParts): Shelved {
  const { shelf } = platform
  const clock: Clock = platform.clock
  const copyKey = hotKey(name, version)
  const lastWordsOf = (version: number): string => `${shelfOf(name)}${version}:last:`
  const lastWords = lastWordsOf(version)
  /** Says to a page that comes back what was done with its last words. */
  const made = `${shelfOf(name)}${version}:made:`
  const unpacked = (words: LastWords): Uint8Array[] => words.records.map((text) => packer.unpack(text)).filter((record) => record !== undefined)
  /** Of the store that this tab belongs to. */
  const erased = shelf.read(erasedKey(name))
  let isDirty = false
  let cancelCopy: (() => void) | undefined

  const isErased = (): boolean => shelf.read(erasedKey(name)) !== erased

  function copy(): void {
    const current = state()
    if (!isDirty || !copies || !current || isErased()) return
    isDirty = false
    const text = current.textBytes < lengthMax ? JSON.stringify(current.shared()) : ''
    // Of a large state there is none: an old one would be worse.
    if (text === '' || text.length > lengthMax || !shelf.write(copyKey, text)) shelf.remove(copyKey)
  }

  return {
    changed() {
      isDirty = true
      if (!copies || cancelCopy || !leads()) return
      cancelCopy = clock.after(copyEveryMs, () => {
        cancelCopy = undefined
        copy()
      })
    },

    hotCopy() {
      const text = shelf.read(copyKey)
      return text === null ? undefined : { state: readHotCopy(shelf, name, version) ?? {}, bytes: 2 * text.length }
    },
    renewCopy() {
      isDirty = true
      copy()
    },

    leave(unstored) {
      copy()
      cancelCopy?.()
      cancelCopy = undefined
      if (unstored.length === 0 || isErased()) return
      // What so many pages have left nobody takes in: there is no database to store it in.
      if (shelf.keys().filter((key) => key.startsWith(lastWords) && key !== lastWords + instance).length >= wordsMax) return
      const records: string[] = []
      let length = 0
      for (const { record } of unstored) {
        const text = packer.pack(record)
        length += text.length
        if (length > lengthMax) break
        records.push(text)
      }
      const words: LastWords = { erased, era: era(), records }
      const whole = JSON.stringify({ ...words, writes: packWrites(writes()) } satisfies LastWords)
      shelf.write(lastWords + instance, whole.length - length < lengthMax ? whole : JSON.stringify(words))
    },

    takeBack() {
      const isMade = shelf.read(made + instance) !== null
      shelf.remove(made + instance)
      shelf.remove(lastWords + instance)
      return isMade
    },

    takeIn(journal) {
      for (const key of shelf.keys()) {
        if (!key.startsWith(lastWords)) continue
        const text = shelf.read(key)
        const words = readLastWords(shelf, key)
        if (words?.erased !== erased || words?.era !== era()) {
          const of = key.slice(lastWords.length)
          const isOurs = words?.erased === erased
          if (isOurs && of !== instance && !canMake()) continue
          shelf.remove(key) // nobody else does the same
          if (!isOurs || of === instance) continue // a page that is back has it all
          try {
            if (!(words.era < era())) throw new RangeError('The database has begun anew.')
            const left = { instance: of, era: words.era, writes: unpackWrites(words.writes) }
            const marks = shelf.keys().filter((other) => other.startsWith(made))
            if (marks.length >= wordsMax) shelf.remove(marks[0]!)
            shelf.write(made + of, '')
            onLeft(left)
          } catch {
            onLost()
          }
          continue
        }
        const records = restore(unpacked(words))
        // A record that is stored twice is read once; whoever fails leaves it to the next.
        journal.append(records, words.era).then(
          () => shelf.read(key) === text && shelf.remove(key), // the page may have come back, and left others
          () => undefined,
        )
      }
    },

    ofOlder(older, its) {
      const left = shelf.keys().flatMap((key) => {
        const words = key.startsWith(lastWordsOf(older)) ? readLastWords(shelf, key) : undefined
        return words?.erased === erased && words?.era === its ? [{ key, text: shelf.read(key), records: unpacked(words) }] : []
      })
      return {
        records: left.flatMap(({ records }) => records),
        forget: () => left.forEach(({ key, text }) => shelf.read(key) === text && shelf.remove(key)),
      }
    },

    erase() {
      for (const key of shelf.keys()) if (key.startsWith(shelfOf(name)) && key !== erasedKey(name)) shelf.remove(key)
      shelf.write(erasedKey(name), instance)
    },
  }
}
