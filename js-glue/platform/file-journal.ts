// The journal in a folder of files, for Node: one file a transaction. Each claims the next number of the sequence by
// link(2), which fails where that is taken; so whoever was stopped and goes on late overwrites nothing, and whoever is
// killed leaves all or nothing. A lock file only saves the trouble of trying again.
// The format: FILE_FORMAT.md.
import { createHash, randomBytes } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { TabmeshError } from '../errors.ts'
import type { Journal } from '../platform.ts'
import { apply, emptyDisk, journalOn, type Change, type Disk } from './journal-log.ts'

const suffix = '.tabmesh'
const magic = Buffer.from('TMJ1')
const digestBytes = 32
/** So many files are folded into one at the next checkpoint, or after so many without one. */
const entriesMin = 64
const entriesMax = 4096
/** A lock that has been held for so long is passed by, in milliseconds: who was stopped may hold it. */
const lockStaleMs = 2000
/** A file that was begun so long ago is nobody's, in milliseconds. */
const temporaryMs = 3_600_000
const attemptsMax = 100

/** A folder of entries ends with one that names the next folder, which begins with the sum of all before. */
type Entry = { readonly changes: readonly Change[]; readonly key: number } | { readonly next: string } | { readonly disk: Disk }

const epochName = /^\d{10}-[0-9a-f]{16}$/
const epochOf = (folder: string): number => Number(folder.slice(0, 10))
const newFolder = (epoch: number): string => `${String(epoch).padStart(10, '0')}-${randomBytes(8).toString('hex')}`
const entryName = (number: number): string => String(number).padStart(10, '0')

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

/** Of a call on a file: undefined where it fails with one of these codes. */
async function unless<T>(codes: readonly string[], call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (codes.includes(codeOf(error) ?? '')) return undefined
    throw error
  }
}

const gone = ['ENOENT', 'ENOTDIR']
const taken = ['EEXIST', 'ENOTEMPTY']

/** JSON, and the bytes that it names by offset and size. */
function encode(entry: Entry): Buffer {
  const blobs: Uint8Array[] = []
  let at = 0
  const plain = (value: unknown): unknown => {
    if (value instanceof Uint8Array) {
      blobs.push(value)
      at += value.byteLength
      return { bytes: [at - value.byteLength, value.byteLength] }
    }
    if (value instanceof Map) return { map: [...(value as Map<unknown, unknown>)].map(([key, one]) => [key, plain(one)]) }
    if (Array.isArray(value)) return (value as unknown[]).map(plain)
    if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
    return value
  }
  const head = Buffer.from(JSON.stringify(plain(entry)))
  const size = Buffer.alloc(4)
  size.writeUInt32LE(head.byteLength)
  const body = Buffer.concat([size, head, ...blobs])
  return Buffer.concat([magic, createHash('sha256').update(body).digest(), body])
}

/** Undefined for what is not whole. */
function decode(file: Buffer): Entry | undefined {
  const body = file.subarray(magic.byteLength + digestBytes)
  const digest = file.subarray(magic.byteLength, magic.byteLength + digestBytes)
  if (!file.subarray(0, magic.byteLength).equals(magic) || !createHash('sha256').update(body).digest().equals(digest)) return undefined
  const blobs = 4 + body.readUInt32LE()
  const full = (value: unknown): unknown => {
    if (Array.isArray(value)) return (value as unknown[]).map(full)
    if (typeof value !== 'object' || value === null) return value
    const { bytes, map } = value as { bytes?: unknown; map?: unknown }
    if (Array.isArray(bytes)) return new Uint8Array(body.subarray(blobs + (bytes[0] as number), blobs + (bytes[0] as number) + (bytes[1] as number)))
    if (Array.isArray(map)) return new Map((map as [unknown, unknown][]).map(([key, one]) => [key, full(one)]))
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, full(one)]))
  }
  return full(JSON.parse(body.subarray(4, blobs).toString())) as Entry
}

/** In words of the store: `storage-full` is told from others by the browsers' name for it. */
function failed(cause: unknown, root: string): unknown {
  if (!(cause instanceof Error && 'syscall' in cause)) return cause
  if (['ENOSPC', 'EDQUOT'].includes(codeOf(cause) ?? '')) return new DOMException('The disk is full.', 'QuotaExceededError')
  return new TabmeshError('storage-failed', `${root} could not be used: it must be writable, and on a disk with hard links.`, { cause })
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined)
  await folder?.sync().catch(() => undefined) // not on Windows
  await folder?.close()
}

/** The names of stores in a directory, as `openFileJournal` got them. */
export async function storesIn(directory: string): Promise<string[]> {
  const names = (await unless(gone, readdir(directory))) ?? []
  return names.filter((name) => name.endsWith(suffix)).flatMap((name) => {
    try {
      return [decodeURIComponent(name.slice(0, -suffix.length))]
    } catch {
      return [] // of somebody else
    }
  })
}

/** Rejects where the directory cannot be made, read or written. */
export async function openFileJournal(directory: string, name: string, durability: 'relaxed' | 'strict'): Promise<Journal> {
  const root = join(directory, encodeURIComponent(name) + suffix)
  const at = (...path: string[]): string => join(root, ...path)
  const lockPath = at('lock')
  const newGeneration = (): string => randomBytes(16).toString('hex')
  let disk: Disk
  let folder = ''
  /** The entry that comes next. */
  let next = 1
  let isClosed = false
  let last: Promise<unknown> = Promise.resolve()

  // ---- files ---------------------------------------------------------------------------------------

  /** Whole, or not there. False where the place is taken, or its folder is gone. */
  async function put(path: string, entry: Entry, lasting: boolean): Promise<boolean> {
    const temporary = at(`temp-${randomBytes(8).toString('hex')}`)
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(encode(entry))
      if (lasting) await file.sync()
      await file.close()
      const linked = await unless([...taken, ...gone], link(temporary, path).then(() => true))
      if (linked && lasting) await syncFolder(join(path, '..'))
      return linked ?? false
    } finally {
      await file.close().catch(() => undefined)
      await unlink(temporary).catch(() => undefined)
    }
  }

  /** A folder that begins with `of`, under a name that nobody reads. */
  async function prepare(epoch: number, of: Disk): Promise<string> {
    const name = newFolder(epoch)
    await mkdir(at(`next-${name}`))
    try {
      if (!(await put(at(`next-${name}`, entryName(0)), { disk: of }, true))) throw new TabmeshError('storage-failed', `${root} could not be folded.`)
      await syncFolder(root) // it must be there when it is named
      return name
    } catch (cause) {
      await rm(at(`next-${name}`), { recursive: true, force: true })
      throw cause
    }
  }

  /** Once it is named by what comes before, whoever comes by gives it its name. That happens once: it does not come back. */
  async function activate(name: string): Promise<void> {
    await unless([...gone, ...taken], rename(at(`next-${name}`), at(name)))
    await syncFolder(root)
  }

  // ---- reading -------------------------------------------------------------------------------------

  async function load(): Promise<void> {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      await mkdir(root, { recursive: true })
      const newest = (await readdir(root)).filter((one) => epochName.test(one)).sort().at(-1)
      if (newest) {
        const file = await unless(gone, readFile(at(newest, entryName(0))))
        if (!file) continue // gone meanwhile
        const first = decode(file)
        if (!first || !('disk' in first)) throw new TabmeshError('storage-failed', `${at(newest, entryName(0))} is damaged. Move ${root} away, or bring it back from a copy.`)
        ;[disk, folder, next] = [first.disk, newest, 1]
        return
      }
      if (!(await unless(gone, stat(at('first'))))) {
        const name = await prepare(1, emptyDisk(newGeneration()))
        if (!(await put(at('first'), { next: name }, true))) await rm(at(`next-${name}`), { recursive: true, force: true })
      }
      const first = decode((await unless(gone, readFile(at('first')))) ?? Buffer.alloc(0))
      if (first && 'next' in first) await activate(first.next)
    }
    throw new TabmeshError('storage-failed', `${root} could not be read: it changes all the time. Is it on a shared disk without hard links?`)
  }

  /** Takes in what others have stored. */
  async function catchUp(): Promise<void> {
    if (folder === '') await load()
    for (let loads = 0; ; ) {
      const file = await unless(gone, readFile(at(folder, entryName(next))))
      if (!file) {
        if (await unless(gone, stat(at(folder)))) return
        if (++loads > 3 && !(await readdir(root)).includes(folder)) throw new TabmeshError('storage-failed', `${root} is damaged: ${folder} is missing.`)
        await load() // others have folded it away
        continue
      }
      const entry = decode(file)
      if (entry && 'next' in entry) {
        await activate(entry.next)
        ;[folder, next] = [entry.next, 1]
        continue
      }
      next++
      if (!entry || !('changes' in entry)) continue // torn by a loss of power: nothing in it was called lasting
      disk.nextKey = Math.max(disk.nextKey, entry.key ?? 0) // keys of what was torn are nobody else's: checkpoints count them
      for (const change of entry.changes) apply(disk, change)
    }
  }

  // ---- writing -------------------------------------------------------------------------------------

  async function lock(): Promise<void> {
    for (;;) {
      const file = await unless(taken, open(lockPath, 'wx'))
      if (file) return file.close()
      const held = await unless(gone, stat(lockPath))
      if (held && Math.abs(Date.now() - held.mtimeMs) > lockStaleMs) await unless(gone, unlink(lockPath))
      else await pause(1 + Math.random() * 4)
    }
  }

  async function write<T>(act: (on: Disk, change: (change: Change) => void) => T, { once = false, lasting = false }: { once?: boolean; lasting?: boolean } = {}): Promise<T> {
    await mkdir(root, { recursive: true })
    await lock()
    try {
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        await catchUp()
        const changes: Change[] = []
        const result = act(disk, (change) => changes.push(change))
        if (changes.length === 0) return result
        if (await put(at(folder, entryName(next)), { changes, key: disk.nextKey }, lasting || durability === 'strict')) {
          for (const change of changes) apply(disk, change)
          next++
          const isFolded = changes.some(({ kind }) => kind === 'checkpoint' || kind === 'era' || kind === 'erased')
          const isErased = changes.some(({ kind }) => kind === 'erased')
          if (isErased || next > (isFolded ? entriesMin : entriesMax)) await fold(isErased).catch(() => undefined) // what is stored is stored
          return result
        }
        if (once) break
      }
      throw new TabmeshError('storage-failed', `Others have written to ${root} in between, again and again.`)
    } finally {
      await unlink(lockPath).catch(() => undefined)
    }
  }

  /** One file for all before. What is left of earlier foldings goes first: those who still read there have had time. */
  async function fold(clean = false): Promise<void> {
    const epoch = epochOf(folder)
    for (const one of await readdir(root)) {
      const isLeft = one.startsWith('gone-') || (one.startsWith('next-') && epochOf(one.slice(5)) <= epoch)
      const isDropped = one.startsWith('temp-') && Date.now() - ((await unless(gone, stat(at(one))))?.mtimeMs ?? Infinity) > temporaryMs
      if (isLeft || isDropped) await rm(at(one), { recursive: true, force: true })
    }
    const name = await prepare(epoch + 1, disk)
    if (!(await put(at(folder, entryName(next)), { next: name }, true))) return rm(at(`next-${name}`), { recursive: true, force: true })
    await activate(name)
    ;[folder, next] = [name, 1]
    const older = (await readdir(root)).filter((one) => epochName.test(one) && epochOf(one) <= epoch).sort()
    for (const one of older) await unless([...gone, ...taken], rename(at(one), at(`gone-${one}`)))
    if (clean) for (const one of await readdir(root)) if (one.startsWith('gone-')) await rm(at(one), { recursive: true, force: true })
  }

  /** One after another: they share what has been read. */
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    if (isClosed) return Promise.reject(new TabmeshError('storage-failed', 'The journal is closed.'))
    const turn = last.then(act).catch((cause: unknown) => {
      throw failed(cause, root)
    })
    last = turn.catch(() => undefined)
    return turn
  }

  await inTurn(catchUp)
  const access = {
    read: <T>(act: (on: Disk) => T): Promise<T> =>
      inTurn(async () => {
        await catchUp()
        return act(disk)
      }),
    write: <T>(act: (on: Disk, change: (change: Change) => void) => T, how?: { once?: boolean; lasting?: boolean }): Promise<T> => inTurn(() => write(act, how)),
  }
  return { ...journalOn(access, 'file', newGeneration), close: () => void (isClosed = true) }
}
