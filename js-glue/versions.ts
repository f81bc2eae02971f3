// Versions of an app's schema: each is a mesh of its own. One tab migrates older data into an empty one; who meets a newer one writes no more.
import { applyEdits } from './edits.ts'
import type { Core } from './core.ts'
import { TabmeshError } from './errors.ts'
import { isPlainObject, type JsonObject } from './json-tree.ts'
import type { Lists } from './keyed-list.ts'
import { isEmpty, type BytePacker, type Channel, type ChannelKind, type Journal, type JournalContents, type Lock, type Platform } from './platform.ts'
import type { Migration } from './types.ts'

/** So long those of an older version are awaited to store what they have, where somebody does not answer. */
const settleMs = 1000
/** The same for whoever migrates already. */
const turnMs = 3000

/** What is said between versions, whatever else their builds disagree about: a kind, and the version in 32 bits, little-endian. */
const here = 0
const settled = 1

/** The name under which a version shares and stores. Names of stores have no "@". */
export function meshOf(name: string, version: number): string {
  return version === 1 ? name : `${name}@${version}`
}

export interface VersionsOptions {
  readonly name: string
  readonly version: number
  readonly migrations: readonly Migration[]
  readonly platform: Platform
  readonly kinds: readonly ChannelKind[]
  readonly packer: BytePacker
  readonly lists: Lists
  /** A replica that nobody knows of. */
  readonly createCore: (mesh: string) => Core
  /** Checks and copies a key's value; undefined for what is not shared. */
  readonly adoptKey: (key: string, value: unknown) => unknown
  /** There is a newer version. */
  readonly onOutdated: (newest: number) => void
  /** Resolves when all that this tab has written is stored. */
  readonly stored: () => Promise<void>
  readonly ended: () => boolean
}

export interface Versions {
  /** Listens to the other versions. */
  open(): void
  close(): void
  /** This version has its data: the others hear of it, now and when they come. */
  announce(): void
  /** Looks for data of a newer version. */
  look(): Promise<void>
  /** Migrates the newest older data into an empty journal; whether there is anything now. Rejects with TabmeshError `migration-failed`, and nothing has changed. */
  found(journal: Journal): Promise<boolean>
  eraseOlder(): Promise<void>
  /** As Store.exportState, of what is shared. Changes `state`. */
  exported(state: Record<string, unknown>, wanted: number | undefined): Record<string, unknown>
}

export function createVersions({ name, version, migrations, platform, kinds, packer, lists, createCore, adoptKey, onOutdated, stored, ended }: VersionsOptions): Versions {
  const { clock } = platform
  let channel: Channel | undefined
  let announced = false
  let newest = version
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
    } else if (kind === here && other > version) {
      meet(other)
      void stored().then(() => post(settled))
    } else if (kind === here && other < version && announced) {
      post(here)
    }
  }

  function meet(other: number): void {
    if (ended() || other <= newest) return
    newest = other
    onOutdated(other)
  }

  async function contentsOf(other: number): Promise<JournalContents | undefined> {
    const journal = await platform.openJournal(meshOf(name, other), 'relaxed', () => undefined)
    try {
      return await journal?.read(0, 0)
    } finally {
      journal?.close()
    }
  }

  function withCore<T>(mesh: string, use: (core: Core, now: number) => T): T {
    const core = createCore(mesh)
    try {
      core.open({}, clock.now())
      return use(core, clock.now())
    } finally {
      core.free()
    }
  }

  function stateOf(from: number, { era, checkpoints, records }: JournalContents): JsonObject {
    return withCore(meshOf(name, from), (core, now) => {
      if (era > 0) core.enterEra(era, {}, now)
      const isMerged = (bytes: Uint8Array): boolean => {
        const status = core.restore(bytes, now)
        if (status === undefined) throw new TabmeshError('out-of-memory', 'There is no memory left to migrate the state.')
        return status === 0
      }
      checkpoints.some(isMerged) // the newest that is whole
      records.forEach(isMerged)
      core.replica.restored(true, now)
      return applyEdits({}, core.takeChanges(), lists, new Set())
    })
  }

  async function migrated(from: number, contents: JournalContents): Promise<Uint8Array> {
    let state: unknown = stateOf(from, contents)
    for (const step of [...migrations].sort((a, b) => a.version - b.version)) {
      if (step.version <= from || step.version > version) continue
      try {
        state = await step.up(structuredClone(state))
        if (!isPlainObject(state)) throw new TypeError('up must return a plain object')
      } catch (cause) {
        throw new TabmeshError('migration-failed', `The step to version ${step.version} failed: ${String((cause as Error | undefined)?.message ?? cause)}. What version ${from} has stored is kept as it is; this tab goes on in memory and tries again.`, { cause })
      }
    }
    return withCore(meshOf(name, version), (core, now) => {
      const entries = Object.entries(state as JsonObject).map(([key, value]) => [key, adoptKey(key, value)] as const)
      core.replica.restored(true, now)
      core.localSet(entries.filter(([, value]) => value !== undefined).map(([key, value]) => [[key], value]), now)
      return core.checkpoint()
    })
  }

  /** Those of an older version store what they have, and write no more. False where there are none. */
  async function settle(from: number): Promise<boolean> {
    const alive = (await platform.openLock(meshOf(name, from))?.roll().catch(() => undefined))?.alive.length
    if (alive === 0 || !channel) return false
    answers = new Map()
    await new Promise<void>((resolve) => {
      const cancel = clock.after(settleMs, resolve)
      onAnswer = () => {
        if (alive === undefined || answers.get(from)! < alive) return
        cancel()
        resolve()
      }
      post(here)
    })
    onAnswer = undefined
    return true
  }

  /** Resolves to the undo when it is this tab's turn, or somebody has it for too long. */
  function turn(lock: Lock | undefined): Promise<() => void> {
    return new Promise((resolve) => {
      const done = (): void => lock?.release()
      if (!lock) return resolve(done)
      const cancel = clock.after(turnMs, () => resolve(done))
      lock.request({ granted: () => (cancel(), resolve(done)), lost: () => undefined })
    })
  }

  const stands = (one: JournalContents, other: JournalContents): boolean => one.cursor === other.cursor && one.era === other.era

  async function found(journal: Journal): Promise<boolean> {
    const older = (await platform.versions(name, version)).filter((other) => other < version).sort((a, b) => b - a)
    if (older.length === 0) return false
    const done = await turn(platform.openLock(`${meshOf(name, version)}:migration`))
    try {
      if (!isEmpty(await journal.read(0, 0))) return true
      for (const from of older) {
        let source = await contentsOf(from)
        // A step that fails makes nobody stop.
        let state = source && !isEmpty(source) ? await migrated(from, source) : undefined
        if (await settle(from)) {
          const before = source
          source = await contentsOf(from)
          if (source && !isEmpty(source) && !(before && stands(before, source))) state = await migrated(from, source)
        }
        if (!state) continue
        if (state.byteLength === 0) throw new TabmeshError('out-of-memory', 'There is no memory left to migrate the state.')
        await journal.transact(0, 0, undefined, clock.now(), (contents) => (isEmpty(contents) ? [state] : []))
        return true
      }
      return false
    } finally {
      done()
    }
  }

  return {
    open() {
      for (const kind of kinds) channel ??= platform.openChannel(kind, `${name}@`, receive, packer)
      if (announced) post(here)
    },
    close() {
      channel?.close()
      channel = undefined
    },
    announce() {
      if (announced) return
      announced = true
      post(here)
    },
    async look() {
      for (const other of await platform.versions(name, version)) {
        if (other <= newest) continue
        const contents = await contentsOf(other).catch(() => undefined) // its tabs tell as well
        if (contents && !isEmpty(contents)) meet(other)
      }
    },
    found,
    exported(state, wanted = version) {
      for (let at = version; at !== wanted; at--) {
        const step = migrations.find((one) => one.version === at)
        if (at < wanted || !step?.down) throw new RangeError(`There is no way from version ${version} to ${wanted}: migrations needs a step with down for each in between.`)
        state = step.down(state) as Record<string, unknown>
      }
      return state
    },
    async eraseOlder() {
      for (const other of await platform.versions(name, version)) {
        if (other >= version) continue
        const journal = await platform.openJournal(meshOf(name, other), 'relaxed', () => undefined)
        await journal?.erase()
        journal?.close()
      }
    },
  }
}
