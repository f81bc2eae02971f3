// The journal in IndexedDB. Rules, each learnt from a browser (see ARCHITECTURE.md, storage):
// values are ArrayBuffers under out-of-line keys; what a tab does all the time, appending and reading what is new, is
// requests and commit() in one task: a page that is stopped before it gets an answer would hold up all others;
// only `complete` means stored; the database's version never changes, its format is in its name.
import { joined } from '../bytes.ts'
import { TabmeshError } from '../errors.ts'
import { callersKept, endsKept, type Fenced, type Journal, type JournalContents, type Lease } from '../platform.ts'

const format = 3
const records = 'records'
const checkpoints = 'checkpoints'
const meta = 'meta'
/** Who leads. A store of its own: a transaction that does not end need not hold up the next leader, where the browser lets two write at a time. */
const leaders = 'leaders'
const leaderKey = 'leader'
const checkpointKey = 'checkpoint'
const generationKey = 'generation'
const transactionsKey = 'transactions'
const callsKey = 'calls'
const leaseKey = 'lease'
const successorKey = 'successor'
/** Who gave the lease back last. */
const leftKey = 'lease-left'
const eraKey = 'era'
/** Generations that were erased, the newest last. */
const erasedKey = 'erased'
const erasedKept = 64
/** Generations that the browser has cleared away, and that this one goes on with. */
const formerlyKey = 'formerly'
/** Key of the end of an era. */
const endKey = (era: number): string => `end:${String(era).padStart(12, '0')}`
/** How long a transaction's id is known, in milliseconds. */
const transactionKeptMs = 86_400_000

/** An open that has not answered after so long is given up: some browsers never answer one, and do the next. */
const openWaitMs = 2500

/** Bytes of one put: larger values are cut up, so that no transaction holds others up for long. */
const pieceBytes = 256 << 10
/** Checkpoints are numbered; the pieces of number n have the keys n * piecesMax + i. */
const piecesMax = 1 << 16

interface CheckpointMeta {
  /** Newest first, at most two. */
  readonly stored: readonly { readonly number: number; readonly pieces: number; readonly cursor: number }[]
}

function encode(value: unknown): ArrayBuffer {
  return new TextEncoder().encode(JSON.stringify(value)).buffer
}

/** Also one of another frame's. */
function isBuffer(stored: unknown): stored is ArrayBuffer {
  return Object.prototype.toString.call(stored) === '[object ArrayBuffer]'
}

function decode<T>(stored: unknown): T | undefined {
  if (!isBuffer(stored)) return undefined
  try {
    return JSON.parse(new TextDecoder().decode(stored)) as T
  } catch {
    return undefined
  }
}

/**
 * Stands before each record, so that nobody has to ask before storing one: the generation and the era that it is of, and the same inverted. Who reads leaves out those of another
 * store or era; where the halves differ the record is damaged, and is handed on with its mark, for the core to say so.
 */
const markBytes = 16

function markOf(generation: string, era: number): Uint32Array {
  const store = Number.parseInt(generation, 16) >>> 0 // its first word of four
  return Uint32Array.of(store, era, ~store, ~era)
}

function marked(record: Uint8Array, mark: Uint32Array): ArrayBuffer {
  const bytes = new Uint8Array(markBytes + record.byteLength)
  new Uint32Array(bytes.buffer, 0, mark.length).set(mark)
  bytes.set(record, markBytes)
  return bytes.buffer
}

/** None, or one. */
function unmarked(stored: unknown, mark: Uint32Array): Uint8Array[] {
  if (!isBuffer(stored) || stored.byteLength < markBytes) return [new Uint8Array()]
  const found = new Uint32Array(stored, 0, mark.length)
  if (found.every((word, i) => word === mark[i])) return [new Uint8Array(stored, markBytes)]
  const isWhole = found[0] === ~found[2]! >>> 0 && found[1] === ~found[3]! >>> 0
  return isWhole ? [] : [new Uint8Array(stored)]
}

/** The bytes as a buffer of their own. */
function own(bytes: Uint8Array): ArrayBuffer {
  return bytes.byteLength === bytes.buffer.byteLength ? (bytes.buffer as ArrayBuffer) : (bytes.slice().buffer)
}

/**
 * Once WebKit has lost the process that has the databases, it refuses them to a page for good; a frame that is made
 * afterwards is served (seen in WebKitGTK 2.50).
 */
let rescue: HTMLIFrameElement | undefined
/** Whether a database was opened in this page before. */
let wasServed = false

/** By a frame of its own. Earlier frames stay: other stores' connections may live in them. */
async function openedByFrame(name: string): Promise<IDBDatabase> {
  const frame = document.createElement('iframe')
  frame.hidden = true
  document.documentElement.append(frame)
  try {
    const database = await openedBy(frame.contentWindow!.indexedDB, name)
    rescue = frame
    return database
  } catch (error) {
    frame.remove()
    throw error
  }
}

async function opened(name: string): Promise<IDBDatabase> {
  try {
    const database = await openedBy(rescue?.contentWindow?.indexedDB ?? indexedDB, name)
    wasServed = true
    return database
  } catch (error) {
    const { cause } = error as TabmeshError
    const isServerLost = wasServed && typeof document !== 'undefined' && (cause === undefined || (cause as DOMException).name === 'UnknownError')
    if (!isServerLost) throw error
    return openedByFrame(name)
  }
}

function openedBy(factory: IDBFactory, name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(`tabmesh:${format}:${name}`, 1)
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      reject(new TabmeshError('storage-failed', 'The database does not answer.'))
    }, openWaitMs)
    request.onupgradeneeded = () => {
      request.result.createObjectStore(records, { autoIncrement: true })
      request.result.createObjectStore(checkpoints)
      request.result.createObjectStore(meta)
      request.result.createObjectStore(leaders)
    }
    request.onsuccess = () => {
      clearTimeout(timer)
      if (isLate) request.result.close()
      else resolve(request.result)
    }
    request.onerror = () => {
      clearTimeout(timer)
      reject(new TabmeshError('storage-failed', 'The database could not be opened.', { cause: request.error }))
    }
    request.onblocked = () => reject(new TabmeshError('storage-failed', 'The database is blocked by another tab.', { cause: new DOMException('', 'BlockedError') }))
  })
}

/** As Platform.versions. */
export async function versionsInIndexedDb(name: string, candidates: readonly number[]): Promise<number[]> {
  const prefix = `tabmesh:${format}:${name}`
  let factory: IDBFactory | undefined
  try {
    factory = (globalThis as { indexedDB?: IDBFactory }).indexedDB
  } catch {
    // Reading the property throws in opaque origins.
  }
  if (!factory) return []
  if (!('databases' in factory)) {
    const there: number[] = []
    for (const version of new Set(candidates)) if (await exists(version === 1 ? prefix : `${prefix}@${version}`)) there.push(version)
    return there
  }
  const all = (await factory.databases()).map((database) => database.name ?? '')
  return all.flatMap((one) => (one === prefix ? [1] : one.startsWith(`${prefix}@`) ? [Number(one.slice(prefix.length + 1))] : []))
}

/** Tries to open it: one that is not there is not made. */
function exists(database: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(database)
    let isNew = false
    request.onupgradeneeded = () => {
      isNew = true
      request.transaction!.abort()
    }
    request.onsuccess = () => {
      request.result.close()
      resolve(true)
    }
    request.onerror = (event) => {
      event.preventDefault()
      if (isNew) resolve(false)
      else reject(new TabmeshError('storage-failed', 'A database could not be opened.', { cause: request.error }))
    }
  })
}

/** Transactions of this page that have not ended. */
const running = new Set<IDBTransaction>()

function giveUp(transaction: IDBTransaction): void {
  try {
    transaction.abort()
  } catch {
    // Committed, or ended.
  }
}

let isWatched = false

/**
 * A transaction that waits for its page, while that is frozen or in the back/forward cache, holds up all other pages (seen in WebKitGTK 2.50, for as long as the page is kept).
 * So who goes gives up what is not committed: it is tried again when the page comes back.
 */
function watchPage(): void {
  if (isWatched || typeof document === 'undefined') return
  isWatched = true
  const go = (): void => running.forEach(giveUp)
  addEventListener('pagehide', go, { capture: true })
  document.addEventListener('freeze', go, { capture: true })
}

/** Resolves at `complete`; an abort is the error, whatever request failed. Firefox completes what was committed before a request failed, and leaves that one out. */
function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    let failed: DOMException | null = null
    transaction.onerror = (event) => (failed = (event.target as IDBRequest).error)
    transaction.oncomplete = () => (failed ? reject(failed) : resolve())
    transaction.onabort = () => reject(transaction.error ?? new DOMException('The transaction was aborted.', 'AbortError'))
  })
}

/**
 * Commits when all that was asked for has been done. Not before, where a part must not be without the rest: Firefox completes what was committed before a request failed, and leaves
 * that one out.
 */
function commitWhole(transaction: IDBTransaction): void {
  transaction.objectStore(meta).get(eraKey).onsuccess = () => transaction.commit()
}

/**
 * A Chromium that is killed while it writes may leave half a record at the end of its database's log. The next one reads up to there, goes on behind it in the same log, and the one after finds the log
 * damaged and throws all databases of the origin away (seen in Chromium 156: LevelDB with `reuse_logs`). To delete a database, an empty one too, makes it write out what it has and begin another log:
 * 10 ms of work that nobody waits for.
 */
function beginLog(): void {
  if (!/Chrom(e|ium)\//.test(globalThis.navigator?.userAgent ?? '')) return
  try {
    const request = indexedDB.open('tabmesh:log')
    // In the event that makes it, and not in one that follows: nobody is to wait for a page that stops in between.
    request.onupgradeneeded = request.onsuccess = () => {
      request.result.close()
      indexedDB.deleteDatabase('tabmesh:log')
    }
    request.onerror = (event) => event.preventDefault()
  } catch {
    // refused, as everything else will be
  }
}

/**
 * Opens the journal; rejects where storage is refused. `onLost` is called when the connection is gone for
 * good reasons of the browser's: open again.
 */
export async function openIndexedDb(name: string, durability: 'relaxed' | 'strict', onLost: () => void): Promise<Journal> {
  const database = await opened(name)
  watchPage()
  let open = true
  const lose = (): void => {
    if (!open) return
    open = false
    database.close()
    onLost()
  }
  database.onversionchange = lose
  database.onclose = lose

  const transact = (stores: string[], mode: IDBTransactionMode, strict = false): IDBTransaction => {
    try {
      const transaction = database.transaction(stores, mode, { durability: strict ? 'strict' : durability })
      running.add(transaction)
      for (const end of ['complete', 'abort']) transaction.addEventListener(end, () => running.delete(transaction))
      return transaction
    } catch (cause) {
      lose() // InvalidStateError: the connection is closing
      throw new TabmeshError('storage-failed', 'The connection to the database was lost.', { cause })
    }
  }

  /**
   * Asks for everything that `read` gives; the result may be taken once all requests have succeeded, and is undefined where checkpoints were needed but not wanted. They are asked for
   * by an answer: who wants them must not commit before.
   */
  function reading(transaction: IDBTransaction, cursor: number, known: number, wanted: boolean): () => JournalContents | undefined {
    const metas = transaction.objectStore(meta)
    const generation = metas.get(generationKey)
    const successor = metas.get(successorKey)
    const era = metas.get(eraKey) // answered before `index`
    const endKeys = metas.getAllKeys(IDBKeyRange.bound(endKey(0), endKey(Number.MAX_SAFE_INTEGER)))
    const ends = metas.getAll(IDBKeyRange.bound(endKey(0), endKey(Number.MAX_SAFE_INTEGER)))
    const index = metas.get(checkpointKey)
    const after = cursor > 0 ? IDBKeyRange.lowerBound(cursor, true) : null
    const keys = transaction.objectStore(records).getAllKeys(after)
    const values = transaction.objectStore(records).getAll(after)
    const pieces: IDBRequest<unknown[]>[] = []
    const stored = (): CheckpointMeta['stored'] => decode<CheckpointMeta>(index.result)?.stored ?? []
    // Records up to the older checkpoint are gone: whoever has not read them needs the checkpoint. An era has no
    // records that anybody of an earlier one has read.
    const isNeeded = (): boolean => cursor === 0 || cursor < (stored().at(-1)?.cursor ?? 0) || (decode<number>(era.result) ?? 0) !== known
    index.onsuccess = () => {
      if (!wanted || !isNeeded()) return
      for (const { number, pieces: count } of stored()) {
        pieces.push(transaction.objectStore(checkpoints).getAll(IDBKeyRange.bound(number * piecesMax, number * piecesMax + count, false, true)))
      }
    }
    return () => {
      if (!wanted && isNeeded()) return undefined
      const mark = markOf(decode<string>(generation.result) ?? '', decode<number>(era.result) ?? 0)
      return {
        generation: decode<string>(generation.result) ?? '',
        era: mark[1]!,
        successor: decode<number>(successor.result) ?? 0,
        ends: new Map((endKeys.result as string[]).map((key, i) => [Number(key.slice(4)), new Uint8Array((ends.result as ArrayBuffer[])[i]!)])),
        checkpoints: pieces.map((piece) => joined(buffersOf(piece.result))),
        records: (values.result as unknown[]).flatMap((value) => unmarked(value, mark)),
        cursor: Math.max(cursor, (keys.result as number[]).at(-1) ?? 0, stored()[0]?.cursor ?? 0),
      }
    }
  }

  async function readOnce(cursor: number, era: number, wanted: boolean): Promise<JournalContents | undefined> {
    const transaction = transact(wanted ? [records, checkpoints, meta] : [records, meta], 'readonly')
    const done = completed(transaction)
    const contents = reading(transaction, cursor, era, wanted)
    if (!wanted) transaction.commit()
    await done
    return contents()
  }

  async function read(cursor: number, era: number): Promise<JournalContents> {
    const read = (cursor > 0 && (await readOnce(cursor, era, false))) || (await readOnce(cursor, era, true))!
    generationRead ??= read.generation // one that follows an erasure is another: what this tab has is not for it
    return read
  }

  async function exclusively(cursor: number, era: number, id: string | undefined, now: number, run: (contents: JournalContents, known: boolean) => readonly Uint8Array[]): Promise<void> {
    const transaction = transact([records, checkpoints, meta], 'readwrite')
    const done = completed(transaction)
    const contents = reading(transaction, cursor, era, true)
    const metas = transaction.objectStore(meta)
    let thrown: unknown
    // Asked when all of the above has been answered: requests of one transaction are answered in order, but
    // those for checkpoints are made by an answer.
    metas.get(transactionsKey).onsuccess = () => {
      const last = metas.get(transactionsKey)
      last.onsuccess = () => {
        const stored = Object.entries(decode<Record<string, number>>(last.result) ?? {})
        const recent = Object.fromEntries(stored.filter(([, at]) => Math.abs(now - at) < transactionKeptMs))
        try {
          const before = contents()!
          const list = run(before, id !== undefined && Object.hasOwn(recent, id))
          const mark = markOf(before.generation, before.era)
          for (const record of list) transaction.objectStore(records).put(marked(record, mark))
          if (list.length > 0 && id !== undefined) metas.put(encode({ ...recent, [id]: now }), transactionsKey)
          commitWhole(transaction)
        } catch (cause) {
          thrown = cause
          transaction.abort()
        }
      }
    }
    await done.catch((cause: unknown) => {
      throw thrown ?? cause
    })
  }

  /** The store that was read: nothing of it may be written into one that follows an erasure. */
  let generationRead: string | undefined
  /** The one that was there when this was opened, or made by it. */
  let generationOpened: string

  // Stored first, and asked for in the same transaction: one that has come too late is read by nobody.
  async function append(list: readonly Uint8Array[], era: number): Promise<void> {
    const ofStore = generationRead ?? generationOpened
    const mark = markOf(ofStore, era)
    const transaction = transact([records, meta], 'readwrite')
    const done = completed(transaction)
    const [generation, successor, stored] = [generationKey, successorKey, eraKey].map((key) => transaction.objectStore(meta).get(key)) as [IDBRequest, IDBRequest, IDBRequest]
    for (const record of list) transaction.objectStore(records).put(marked(record, mark))
    transaction.commit()
    await done
    const isCurrent = (decode<number>(stored.result) ?? 0) === era && !decode<number>(successor.result) && decode<string>(generation.result) === ofStore
    if (!isCurrent) throw new TabmeshError('era-ended', `Era ${era} has ended.`)
  }

  // After the start of a browser somebody claims a term before much is written.
  async function claimTerm(atLeast: number, instance: string): Promise<number> {
    beginLog()
    const transaction = transact([leaders], 'readwrite', true)
    const done = completed(transaction)
    const store = transaction.objectStore(leaders)
    const stored = store.get(leaderKey)
    let term = atLeast
    stored.onsuccess = () => {
      term = Math.max(atLeast, (decode<{ term: number }>(stored.result)?.term ?? 0) + 1)
      store.put(encode({ term, instance }), leaderKey)
      transaction.commit()
    }
    await done
    return term
  }

  async function lease(instance: string, seen?: Lease): Promise<Lease> {
    const transaction = transact([leaders], 'readwrite')
    const done = completed(transaction)
    const store = transaction.objectStore(leaders)
    const request = store.get(leaseKey)
    const left = store.get(leftKey)
    let stored: Lease
    left.onsuccess = () => {
      stored = decode<Lease>(request.result) ?? { holder: '', beat: 0 }
      const isFree = ['', instance, decode<string>(left.result)].includes(stored.holder) || (stored.holder === seen?.holder && stored.beat === seen.beat)
      if (isFree) store.put(encode((stored = { holder: instance, beat: stored.beat + 1 })), leaseKey)
      if (isFree) store.delete(leftKey)
      transaction.commit()
    }
    await done
    return stored!
  }

  // Without an answer it cannot know whether the lease is still its own.
  async function endLease(instance: string): Promise<void> {
    const transaction = transact([leaders], 'readwrite')
    const done = completed(transaction)
    transaction.objectStore(leaders).put(encode(instance), leftKey)
    transaction.commit()
    await done
  }

  /** One transaction of the leader's: `act` is called only while `term` and `era` are the stored ones. */
  async function fenced(term: number, era: number, stores: string[], strict: boolean, act: (transaction: IDBTransaction) => void): Promise<Fenced> {
    const transaction = transact([...stores, meta, leaders], 'readwrite', strict)
    const done = completed(transaction)
    const leader = transaction.objectStore(leaders).get(leaderKey)
    const stored = transaction.objectStore(meta).get(eraKey)
    let outcome: Fenced = 'stored'
    stored.onsuccess = () => {
      if (decode<{ term: number }>(leader.result)?.term !== term) outcome = 'replaced'
      else if ((decode<number>(stored.result) ?? 0) !== era) outcome = 'era-ended'
      if (outcome === 'stored') act(transaction)
      else transaction.commit()
    }
    await done
    return outcome
  }

  async function beginCall(term: number, era: number, { caller, number, settled }: Parameters<Journal['beginCall']>[2], instance: string): Promise<string | undefined> {
    let before: string | undefined
    const outcome = await fenced(term, era, [], false, (transaction) => {
      const metas = transaction.objectStore(meta)
      const stored = metas.get(callsKey)
      stored.onsuccess = () => {
        const calls = decode<Record<string, Record<string, string>>>(stored.result) ?? {}
        const own = Object.fromEntries(Object.entries(calls[caller] ?? {}).filter(([of]) => Number(of) >= settled))
        before = own[number] ?? ''
        const others = Object.entries(calls).filter(([other]) => other !== caller)
        if (before === '') metas.put(encode({ ...Object.fromEntries(others.slice(1 - callersKept)), [caller]: { ...own, [number]: instance } }), callsKey)
        transaction.commit()
      }
    })
    return outcome === 'stored' ? before : undefined
  }

  /**
   * Pieces first, a transaction each; nothing refers to them until a last one. A leader that was replaced must not touch
   * those of its successor, which have the same numbers; what somebody left unfinished goes first.
   */
  async function checkpoint(term: number, era: number, bytes: Uint8Array, cursor: number): Promise<Fenced> {
    const old = (await metaOf<CheckpointMeta>(checkpointKey))?.stored ?? []
    const number = (old[0]?.number ?? 0) + 1
    const pieces = piecesOf(bytes)
    for (const [i, piece] of pieces.entries()) {
      const put = await fenced(term, era, [checkpoints], false, (transaction) => {
        const store = transaction.objectStore(checkpoints)
        if (i === 0) store.delete(IDBKeyRange.lowerBound(number * piecesMax))
        store.put(piece, number * piecesMax + i)
        transaction.commit()
      })
      if (put !== 'stored') return put
    }
    return fenced(term, era, [records, checkpoints], true, (transaction) => {
      keep(transaction, [{ number, pieces: pieces.length, cursor }, ...old.slice(0, 1)])
      commitWhole(transaction)
    })
  }

  /** Names the two checkpoints that readers use, and drops what the older one covers. */
  function keep(transaction: IDBTransaction, kept: CheckpointMeta['stored']): void {
    transaction.objectStore(meta).put(encode({ stored: kept } satisfies CheckpointMeta), checkpointKey)
    const oldest = kept.at(-1)!
    if (kept.length < 2) return
    transaction.objectStore(checkpoints).delete(IDBKeyRange.upperBound(oldest.number * piecesMax, true))
    transaction.objectStore(records).delete(IDBKeyRange.upperBound(oldest.cursor))
  }

  /** All in one transaction, however long: what came in between would be missing. The era begins with two copies: readers find another where one is damaged. */
  function endEra(term: number, era: number, cursor: number, run: (contents: JournalContents) => { readonly state: Uint8Array; readonly end: Uint8Array } | undefined): Promise<Fenced> {
    return fenced(term, era, [records, checkpoints], true, (transaction) => {
      const contents = reading(transaction, cursor, era, true)
      const metas = transaction.objectStore(meta)
      // As in `exclusively`: the second question is answered after all that the first reading asks for.
      metas.get(checkpointKey).onsuccess = () => {
        const index = metas.get(checkpointKey)
        index.onsuccess = () => {
          const read = contents()!
          const made = run(read)
          if (made) {
            const number = (decode<CheckpointMeta>(index.result)?.stored[0]?.number ?? 0) + 1
            const pieces = piecesOf(made.state)
            const store = transaction.objectStore(checkpoints)
            store.clear()
            for (const copy of [number, number + 1]) pieces.forEach((piece, i) => store.put(piece, copy * piecesMax + i))
            keep(transaction, [number + 1, number].map((copy) => ({ number: copy, pieces: pieces.length, cursor: read.cursor })))
            metas.put(encode(era + 1), eraKey)
            metas.put(own(made.end), endKey(era))
            if (era >= endsKept) metas.delete(endKey(era - endsKept))
          }
          commitWhole(transaction)
        }
      }
    })
  }

  async function metaOf<T>(key: string): Promise<T | undefined> {
    const transaction = transact([meta], 'readonly')
    const done = completed(transaction)
    const request = transaction.objectStore(meta).get(key)
    transaction.commit()
    await done
    return decode<T>(request.result)
  }

  /** The first to open a database, or to erase it, names its generation; resolves to the one that is there then. */
  async function begin(fresh: boolean): Promise<string> {
    const transaction = transact([records, checkpoints, meta, leaders], 'readwrite', true)
    const done = completed(transaction)
    const store = transaction.objectStore(meta)
    const present = store.get(generationKey)
    const formerly = store.get(formerlyKey)
    const leader = transaction.objectStore(leaders).get(leaderKey)
    const erased = store.get(erasedKey)
    const made = Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(16)).join('-')
    erased.onsuccess = () => {
      if (fresh) {
        for (const emptied of [records, checkpoints, meta, leaders]) transaction.objectStore(emptied).clear()
        // Who led the erased store passes no fence of this one.
        transaction.objectStore(leaders).put(encode({ term: (decode<{ term: number }>(leader.result)?.term ?? 0) + 1, instance: '' }), leaderKey)
        store.put(encode([...(decode<string[]>(erased.result) ?? []), ...(decode<string[]>(formerly.result) ?? []), decode<string>(present.result)].slice(-erasedKept)), erasedKey)
      }
      if (fresh || present.result === undefined) store.put(encode(made), generationKey)
      commitWhole(transaction)
    }
    await done
    return fresh ? made : (decode<string>(present.result) ?? made)
  }

  async function refound(generation: string, era: number, state: Uint8Array): ReturnType<Journal['refound']> {
    const transaction = transact([records, meta], 'readwrite', true)
    const done = completed(transaction)
    const metas = transaction.objectStore(meta)
    const [present, formerly, erased, stored, index] = [generationKey, formerlyKey, erasedKey, eraKey, checkpointKey].map((key) => metas.get(key)) as [IDBRequest, IDBRequest, IDBRequest, IDBRequest, IDBRequest]
    const all = transaction.objectStore(records).getAll()
    let founded: Awaited<ReturnType<Journal['refound']>> = 'left-behind'
    all.onsuccess = () => {
      const newStore = decode<string>(present.result) ?? ''
      const mark = markOf(newStore, decode<number>(stored.result) ?? 0)
      const isEmpty = index.result === undefined && (all.result as unknown[]).every((value) => unmarked(value, mark).length === 0)
      if (decode<string[]>(erased.result)?.includes(generation)) founded = 'erased'
      else if (isEmpty || (decode<number>(stored.result) ?? 0) === era) {
        founded = { generation: newStore }
        metas.put(encode(era), eraKey)
        metas.put(encode([...new Set(decode<string[]>(formerly.result)).add(generation)].slice(-erasedKept)), formerlyKey)
        transaction.objectStore(records).put(marked(state, markOf(newStore, era)))
      }
      transaction.commit()
    }
    await done
    if (typeof founded === 'object') ({ generation: generationRead } = founded)
    return founded
  }

  async function succeed(version: number): Promise<JournalContents> {
    const transaction = transact([records, checkpoints, meta], 'readwrite', true)
    const done = completed(transaction)
    transaction.objectStore(meta).put(encode(version), successorKey)
    const contents = reading(transaction, 0, 0, true)
    await done
    return contents()!
  }

  generationOpened = (await metaOf<string>(generationKey)) ?? (await begin(false))

  return {
    kind: 'indexed-db',
    read,
    append,
    transact: exclusively,
    claimTerm,
    beginCall,
    lease,
    endLease,
    checkpoint,
    endEra,
    succeed,
    async erase() {
      generationOpened = await begin(true)
    },
    refound,
    close() {
      open = false
      database.close() // after running transactions have ended
    },
  }
}

function piecesOf(bytes: Uint8Array): ArrayBuffer[] {
  return Array.from({ length: Math.ceil(bytes.byteLength / pieceBytes) }, (_, i) => bytes.slice(i * pieceBytes, (i + 1) * pieceBytes).buffer)
}

const buffersOf = (values: readonly unknown[]): Uint8Array[] => values.filter(isBuffer).map((buffer) => new Uint8Array(buffer))
