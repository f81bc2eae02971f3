// Versions of an app's schema: each is a mesh of its own. One tab migrates older data into an empty one, and closes the older database; who meets a newer version writes no more.
import { applyEdits } from './edits.ts'
import type { Way } from './channels.ts'
import type { Core } from './core.ts'
import { TabmeshError } from './errors.ts'
import { copied, isPlainObject, type JsonObject, type TreeEdit } from './json-tree.ts'
import type { Lists } from './keyed-list.ts'
import { isEmpty, type Channel, type Journal, type JournalContents, type Platform } from './platform.ts'
import type { Migration } from './types.ts'

/** So long those of an older version are awaited to store what they have, where somebody does not answer. */
const settleMs = 1000
/** The same for whoever migrates already. */
const turnMs = 3000
/** When migrated values were written, in milliseconds: whatever else was written in this version is later. */
const migratedMs = 1

/** What is said between versions, whatever else their builds disagree about: a kind, and the version in 32 bits, little-endian. */
const here = 0
/** Older versions should store what they have; and that they have. */
const settle = 1
const settled = 2

/** The name under which a version shares and stores. Names of stores have no "@". */
export function meshOf(name: string, version: number): string {
  return version === 1 ? name : `${name}@${version}`
}

export interface VersionsOptions {
  readonly name: string
  readonly version: number
  readonly migrations: readonly Migration[]
  readonly platform: Platform
  /** To the tabs of all versions of that name. */
  readonly ways: readonly Way[]
  readonly lists: Lists
  /** A replica that nobody knows of. */
  readonly createCore: (mesh: string, lists: Lists) => Core
  /** Checks and copies a key's value; undefined for what is not shared. */
  readonly adoptKey: (key: string, value: unknown) => unknown
  /** Another tab has a newer version, so the storage should be looked at; where there is none, it has. */
  readonly onNewer: (version: number) => void
  /** There is data of a newer version. */
  readonly onOutdated: (version: number) => void
  /** What pages of an older version have left in localStorage (shelved.ts). */
  readonly left: (older: number, era: number) => { readonly records: readonly Uint8Array[]; readonly forget: () => void }
  /** Resolves when all that this tab has written is stored. */
  readonly stored: () => Promise<void>
  readonly storesNothing: () => boolean
  /** Whether the page is away. */
  readonly away: () => boolean
  readonly ended: () => boolean
  readonly onError: (error: TabmeshError) => void
}

export interface Versions {
  /** Listens to the other versions. */
  open(): void
  close(): void
  /** This version has its data, or needs none: the others hear of it, now and when they come. */
  announce(): void
  /**
   * The journal, of that generation, is empty: migrates the newest older data into it, and tells of a newer version's. Whether it was filled. Rejects with TabmeshError `migration-failed`, and then
   * nothing has changed.
   */
  found(journal: Journal, generation: string): Promise<boolean>
  /** Erases what all other versions have stored, the older ones first. */
  eraseOthers(): Promise<void>
  /** As Store.exportState, of what is shared. Changes `state`. */
  exported(state: Record<string, unknown>, wanted: number | undefined): Record<string, unknown>
}

export function createVersions({ name, version, migrations, platform, ways, lists, createCore, adoptKey, onNewer, onOutdated, left, stored, storesNothing, away, ended, onError }: VersionsOptions): Versions {
  const { clock } = platform
  const steps = [...migrations].sort((a, b) => a.version - b.version)
  const turnLock = platform.openLock(`${meshOf(name, version)}:migration`)
  let channel: Channel | undefined
  let announced = false
  let founding: Promise<boolean> | undefined
  /** How many of each older version have stored what they have. */
  let answers = new Map<number, number>()
  let onAnswer: (() => void) | undefined

  function post(kind: number): void {
    channel?.post(new Uint8Array(Uint32Array.of(kind, version).buffer))
  }

  function receive(frame: Uint8Array): void {
    if (ended() || frame.byteLength !== 8) return
    const [kind, other = 0] = new Uint32Array(frame.slice().buffer)
    if (kind === settled && other < version) {
      answers.set(other, (answers.get(other) ?? 0) + 1)
      onAnswer?.()
    } else if (kind === settle && other > version) {
      void stored().then(() => post(settled))
    } else if (kind === here && other > version) {
      onNewer(other)
    } else if (kind === here && other < version && announced) {
      void closeOlder(other).then(() => post(here))
    }
  }

  const versions = (): Promise<number[]> => platform.versions(name, [1, ...migrations.flatMap((step) => [step.version - 1, step.version])])

  async function withJournal<T>(other: number, use: (journal: Journal) => Promise<T>): Promise<T | undefined> {
    const journal = await platform.openJournal(meshOf(name, other), 'relaxed', () => undefined)
    try {
      return journal && (await use(journal))
    } finally {
      journal?.close()
    }
  }

  /** A tab of an older version has come, and may have made a database. */
  async function closeOlder(other: number): Promise<void> {
    if (storesNothing()) return
    try {
      if ((await versions()).includes(other)) await withJournal(other, (journal) => journal.succeed(version))
    } catch {
      // It is told all the same.
    }
  }

  function withCore<T>(of: number, its: Lists, use: (core: Core) => T): T {
    const core = createCore(meshOf(name, of), its)
    try {
      core.open({}, migratedMs)
      return use(core)
    } finally {
      core.free()
    }
  }

  const failed = (what: string, cause?: unknown): TabmeshError =>
    new TabmeshError('migration-failed', `${what}: ${String((cause as Error | undefined)?.message ?? cause)}. What older versions have stored is kept as it is; this tab goes on in memory and tries again.`, { cause })

  /** `words` are records that have not come into the journal. */
  function stateOf(from: number, its: Lists, contents: JournalContents, words: readonly Uint8Array[]): JsonObject {
    const { era, checkpoints, records } = contents
    return withCore(from, its, (core) => {
      if (era > 0) core.enterEra(era, {}, migratedMs)
      let merged = 0
      const merge = (bytes: Uint8Array): boolean => {
        const status = core.restore(bytes, migratedMs)
        if (status === 0) merged++
        else if (status !== undefined) onError(new TabmeshError('dropped', `Something that version ${from} has stored is damaged, and was not migrated.`))
        return status === 0
      }
      checkpoints.some(merge) // the newest that is whole
      records.forEach(merge)
      if (core.takeLock().action === 'incomplete') throw new TabmeshError('out-of-memory', 'There is no memory left to migrate the state.')
      words.forEach(merge)
      if (merged === 0 && !isEmpty(contents)) throw failed(`Nothing of what version ${from} has stored can be read`, 'all of it is damaged')
      core.replica.restored(true, migratedMs)
      return applyEdits({}, core.takeChanges(), its, new Set())
    })
  }

  async function migrated(from: number, contents: JournalContents, words: readonly Uint8Array[] = []): Promise<Uint8Array> {
    const ahead = steps.filter((step) => step.version > from && step.version <= version)
    let state: unknown = stateOf(from, ahead[0]?.lists ?? lists, contents, words)
    let at = version
    try {
      for (const step of ahead) {
        at = step.version
        state = await step.up(copied(state))
        if (!isPlainObject(state)) throw new TypeError('up must return a plain object')
      }
      const values = Object.entries(state as JsonObject).map(([key, value]) => [key, value === undefined ? undefined : adoptKey(key, value)] as const)
      return withCore(version, lists, (core) => {
        core.replica.restored(true, migratedMs)
        core.localSet(values.flatMap(([key, value]): TreeEdit[] => (value === undefined ? [] : [[[key], value]])), migratedMs)
        const record = core.checkpoint()
        if (record.byteLength === 0) throw new TabmeshError('out-of-memory', 'There is no memory left to migrate the state.')
        return record
      })
    } catch (cause) {
      throw failed(`The step to version ${at} failed`, cause)
    }
  }

  /** Asks those of an older version to store what they have. What they write after that is refused, and they know. */
  async function settleOlder(from: number): Promise<void> {
    const alive = (await platform.openLock(meshOf(name, from))?.roll().catch(() => undefined))?.alive.length
    if (alive === 0 || !channel) return
    answers = new Map()
    await new Promise<void>((resolve) => {
      const cancel = clock.after(settleMs, resolve)
      onAnswer = () => {
        if ((answers.get(from) ?? 0) < (alive ?? Infinity)) return
        cancel()
        resolve()
      }
      post(settle)
    })
    onAnswer = undefined
  }

  /** Resolves when it is this tab's turn, or somebody has it for too long. */
  function turn(): Promise<void> {
    return new Promise((resolve) => {
      if (!turnLock) return resolve()
      const cancel = clock.after(turnMs, resolve)
      turnLock.request({ granted: () => (cancel(), resolve()), lost: () => undefined })
    })
  }

  function checkHere(): void {
    if (away() || ended()) throw new TabmeshError('storage-failed', 'The page has gone away during a migration.')
  }

  /** Whether the journal has something now. */
  async function migrateFrom(from: number, older: Journal, journal: Journal, generation: string): Promise<boolean> {
    const first = await older.read(0, 0)
    let state = isEmpty(first) ? undefined : await migrated(from, first) // a step that fails stops nobody
    await settleOlder(from)
    checkHere()
    const last = await older.succeed(version)
    const words = left(from, last.era)
    const isNothing = isEmpty(last) && words.records.length === 0
    let isFilled = false
    let isFree = false
    try {
      if (isNothing) return false
      if (!state || words.records.length > 0 || first.cursor !== last.cursor || first.generation !== last.generation || first.era !== last.era) state = await migrated(from, last, words.records)
      const made = state
      await journal.transact(0, 0, undefined, clock.now(), (contents) => {
        isFree = isEmpty(contents) && contents.generation === generation
        isFilled = isFree || !isEmpty(contents)
        return isFree ? [made] : []
      })
      if (isFree) words.forget()
      return isFilled
    } catch (cause) {
      // It may have come to be all the same: where nobody knows, the older version stays closed.
      isFilled = await journal.read(0, 0).then((now) => !isEmpty(now), () => true)
      throw cause
    } finally {
      if (!isFilled && !isNothing) await older.succeed(0).catch(() => undefined)
    }
  }

  async function foundNow(journal: Journal, generation: string): Promise<boolean> {
    const others = await versions()
    const older = others.filter((other) => other < version).sort((a, b) => b - a)
    if (older.length > 0) {
      await turn()
      try {
        if (!isEmpty(await journal.read(0, 0))) return true
        for (const from of older) {
          checkHere()
          if (await withJournal(from, (source) => migrateFrom(from, source, journal, generation))) return true
        }
      } finally {
        turnLock?.release()
      }
    }
    for (const newer of others) {
      if (newer > version && (await withJournal(newer, async (data) => !isEmpty(await data.read(0, 0))))) onOutdated(newer)
    }
    return false
  }

  return {
    open() {
      for (const way of ways) channel ??= way.open(receive)
      if (announced) post(here)
    },
    close() {
      channel?.close()
      channel = undefined
      turnLock?.release()
    },
    announce() {
      if (announced) return
      announced = true
      post(here)
    },
    found: (journal, generation) => (founding ??= foundNow(journal, generation).finally(() => (founding = undefined))),
    async eraseOthers() {
      for (const other of (await versions()).sort((a, b) => a - b)) if (other !== version) await withJournal(other, (journal) => journal.erase())
    },
    exported(state, wanted = version) {
      for (let at = version; at !== wanted; at--) {
        const step = migrations.find((one) => one.version === at)
        if (at < wanted || !step?.down) throw new RangeError(`There is no way from version ${version} to ${wanted}: migrations needs a step with down for each in between.`)
        state = step.down(state) as Record<string, unknown>
      }
      return state
    },
  }
}
