// The journal of one store: opened, lost and opened again, read, and found to be another one.
import { TabmeshError } from './errors.ts'
import { isEmpty, type Journal, type JournalContents, type Platform } from './platform.ts'
import type { Status } from './types.ts'

/** Before the database is opened again; doubles up to the last. */
const reopenFirstMs = 250
const reopenLastMs = 30_000
/** How often a first reading that fails is tried again, and after what; that doubles each time. */
const readAttempts = 5
const readAgainMs = 20

export interface StorageOptions {
  readonly name: string
  readonly platform: Platform
  readonly persist: false | 'relaxed' | 'strict'
  /** Up to where the journal is known, and of which era. */
  readonly position: () => { readonly cursor: number; readonly era: number }
  readonly ended: () => boolean
  /** Takes in what was read. False when that has to wait for another reading. */
  readonly merge: (contents: JournalContents) => boolean
  /** What is written can be stored from now on, or no more. */
  readonly onUsable: (usable: boolean) => void
  /** Fills a journal that is empty, the first time it is read; whether there is anything now. */
  readonly found: (journal: Journal, generation: string) => Promise<boolean>
  /** A later version of the app has taken over. */
  readonly onSucceeded: (version: number) => void
  /** What was read has been taken in: the journal may be written. */
  readonly onRead: (journal: Journal) => void
  /** Everything that this tab knows, as a record; empty when memory is out. */
  readonly state: () => Uint8Array
  /** The browser has cleared the store away; another has begun, with all that this tab knows. */
  readonly onRefounded: () => void
  /** Erased while this tab was away: nothing of it may reach the new one. */
  readonly onErased: () => void
  /** Cleared away, and others have gone on without what this tab has. */
  readonly onLeftBehind: () => void
  readonly onError: (error: TabmeshError) => void
}

export interface Storage {
  /** The connection, while there is one. */
  readonly journal: Journal | undefined
  /** Whether the surroundings have no database: leadership and writes are as good as memory. */
  readonly absent: boolean
  readonly persistence: Status['persistence']
  /** Empty until it was read. */
  readonly generation: string
  /** Resolves when there is a connection, or cannot be one now. */
  open(): Promise<void>
  /** Reads what is new. False when the store was erased meanwhile; rejects while there is no connection. */
  read(): Promise<boolean>
  /** The same for a tab that is not ready yet: a database that is there may fail for a moment, as when its connection is lost while a browser starts. */
  readFirst(): Promise<boolean>
  /** The same, until it succeeds. */
  catchUp(): Promise<void>
  catchUpLater(): void
  close(): void
}

export function createStorage(options: StorageOptions): Storage {
  const { platform, persist, position, ended } = options
  let journal: Journal | undefined
  let opening: Promise<void> | undefined
  let persistence: Status['persistence'] = persist === false ? 'none' : 'opening'
  let absent = persist === false
  let generation = ''
  let reopenMs = reopenFirstMs
  let waiting = false // to read again
  let failures = 0 // to open, in a row
  let connection: object | undefined // the newest; another one's loss is nobody's
  let lostAt = -Infinity

  /** At once: when the browser has cleared everything, a page that opens now must find what the open ones have. */
  function lost(from: object): void {
    if (ended() || from !== connection) return
    connection = undefined
    journal = undefined
    options.onUsable(false)
    const isFrequent = Math.abs(platform.clock.now() - lostAt) < reopenLastMs
    lostAt = platform.clock.now()
    if (isFrequent) platform.clock.after(reopenFirstMs, () => void catchUp())
    else platform.clock.soon(() => void catchUp())
  }

  /** Whether a journal is the one that this tab knows, or was cleared away and has begun anew. Where not, the store has ended. */
  async function isOurs(opened: Journal): Promise<boolean> {
    if (generation === '' || (await opened.read(Number.MAX_SAFE_INTEGER, position().era)).generation === generation) return !ended()
    if (ended()) return false
    const state = options.state()
    if (state.byteLength === 0) throw new TabmeshError('out-of-memory', 'There is no memory left to store the state again.')
    const founded = await opened.refound(generation, position().era, state)
    if (ended()) return false
    if (founded === 'erased') options.onErased()
    else if (founded === 'left-behind') options.onLeftBehind()
    else {
      generation = founded.generation
      options.onRefounded()
    }
    return !ended()
  }

  async function openNow(): Promise<void> {
    const own = (connection = {})
    let opened: Journal | undefined
    try {
      opened = await platform.openJournal(options.name, persist || 'relaxed', () => lost(own))
      if (ended() || (opened && !(await isOurs(opened)))) return opened?.close()
      journal = opened
      absent = opened === undefined
      reopenMs = reopenFirstMs
      failures = 0
      persistence = opened ? opened.kind : 'none'
      options.onUsable(opened !== undefined)
    } catch (cause) {
      opened?.close()
      if (ended()) return
      persistence = 'none'
      options.onUsable(false)
      // While a browser clears the database away, none can be opened for a moment.
      if (++failures === (generation === '' ? 1 : 2)) options.onError(new TabmeshError('storage-failed', 'The state is kept in memory only: the database could not be opened.', { cause }))
    } finally {
      opening = undefined
    }
  }

  function open(): Promise<void> {
    if (journal || persist === false || ended()) return Promise.resolve()
    return (opening ??= openNow())
  }

  async function read(): Promise<boolean> {
    await open()
    if (!journal && !absent && !ended()) throw new TabmeshError('storage-failed', 'The database could not be opened again yet.')
    if (!journal) return true
    const { cursor, era } = position()
    let contents = await journal.read(cursor, era)
    if (ended()) return true
    if (generation === '' && isEmpty(contents) && (await options.found(journal, contents.generation))) {
      if (!journal) return read()
      contents = await journal.read(cursor, era)
      if (ended()) return true
    }
    if (generation !== '' && contents.generation !== generation) return (await isOurs(journal)) && read()
    generation = contents.generation
    if (contents.successor > 0) options.onSucceeded(contents.successor)
    if (ended()) return true
    // An era that was entered meanwhile has been read.
    const taken = era !== position().era || options.merge(contents)
    if (taken && journal && !ended()) options.onRead(journal)
    return true
  }

  async function readFirst(): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await read()
      } catch (cause) {
        const isLasting = persistence === 'none' || attempt === readAttempts || (cause instanceof TabmeshError && cause.code === 'migration-failed')
        if (ended() || isLasting) throw cause
        await new Promise<void>((resolve) => platform.clock.after(readAgainMs << attempt, resolve))
      }
    }
  }

  async function catchUp(): Promise<void> {
    if (ended()) return
    try {
      if (!(await read())) options.onErased()
    } catch {
      catchUpLater()
    }
  }

  function catchUpLater(): void {
    if (ended() || waiting) return
    waiting = true
    platform.clock.after(reopenMs, () => {
      waiting = false
      void catchUp()
    })
    reopenMs = Math.min(reopenMs * 2, reopenLastMs)
  }

  return {
    get journal() {
      return journal
    },
    get absent() {
      return absent
    },
    get persistence() {
      return persistence
    },
    get generation() {
      return generation
    },
    open,
    read,
    readFirst,
    catchUp,
    catchUpLater,
    close: () => journal?.close(),
  }
}
