// The journal in files: the rules of all journals, and what befalls files and those who write them.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEngine } from '../../js-glue/engine.ts'
import { createStoreOn } from '../../js-glue/open.ts'
import type { Journal } from '../../js-glue/platform.ts'
import { createMemoryOrigin } from '../../js-glue/platform/memory.ts'
import { openFileJournal } from '../../js-glue/platform/file-journal.ts'
import { createNodePlatform } from '../../js-glue/platform/node.ts'
import { journalCases } from '../conformance/journal.ts'
import { until, wasm, type AnyState } from './mesh.ts'

let directory = ''
beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), 'tabmesh-'))))
afterAll(() => rm(directory, { recursive: true, force: true }))

let stores = 0
const newName = (): string => `store-${++stores}`
const open = (name: string): Promise<Journal> => openFileJournal(directory, name, 'relaxed')
const folderOf = async (name: string): Promise<string> => {
  const root = join(directory, `${name}.tabmesh`)
  return join(root, (await readdir(root)).filter((one) => /^\d{10}-/.test(one)).sort().at(-1)!)
}
const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list)
const records = async (journal: Journal): Promise<number[]> => (await journal.read(0, 0)).records.map(([first]) => first!)

describe('a journal in files', () => {
  test.each(journalCases.map((one) => [one.name, one] as const))('%s', async (_, { run }) => {
    const origin = createMemoryOrigin()
    await run({
      openTab: () => {
        const tab = origin.openTab()
        const node = createNodePlatform(directory)
        return Promise.resolve({ platform: { ...tab.platform, openJournal: (...given) => node.openJournal(...given) }, kill: () => tab.kill() })
      },
    })
  })

  test('is there again, with all that it held, for who opens it anew', async () => {
    const name = newName()
    const journal = await open(name)
    const { generation } = await journal.read(0, 0)
    const term = await journal.claimTerm(5, 'aa')
    await journal.append([bytes(1), bytes(2)], 0)
    await journal.checkpoint(term, 0, bytes(10), (await journal.read(0, 0)).cursor)
    await journal.transact(0, 0, 'named', 1000, () => [bytes(3)])
    await journal.beginCall(term, 0, { caller: 'cc', number: 7, settled: 0 }, 'aa')
    await journal.lease('aa')
    const before = await journal.read(0, 0)
    journal.close()
    const again = await open(name)
    expect(await again.read(0, 0)).toEqual(before)
    expect(before.generation).toBe(generation)
    expect(await again.claimTerm(1, 'bb')).toBe(term + 1)
    expect(await again.beginCall(term + 1, 0, { caller: 'cc', number: 7, settled: 0 }, 'bb')).toBe('aa')
    expect(await again.lease('bb')).toEqual({ holder: 'aa', beat: 1 })
    const known: boolean[] = []
    await again.transact(0, 0, 'named', 2000, (_, isKnown) => (known.push(isKnown), []))
    await again.transact(0, 0, 'named', 1000 + 86_400_000, (_, isKnown) => (known.push(isKnown), []))
    expect(known).toEqual([true, false])
  })

  test('folds its files into one after a checkpoint; who was away goes on from there', async () => {
    const name = newName()
    const [writer, away] = [await open(name), await open(name)]
    await away.append([bytes(0)], 0)
    const term = await writer.claimTerm(1, 'aa')
    const first = await folderOf(name)
    for (let i = 1; i <= 200; i++) await writer.append([bytes(i)], 0)
    for (const at of [1, 2]) await writer.checkpoint(term, 0, bytes(at), (await writer.read(0, 0)).cursor - 3)
    expect(await folderOf(name)).not.toBe(first)
    await expect(readdir(first)).rejects.toThrow('ENOENT')
    await away.append([bytes(201)], 0)
    const fresh = await open(name)
    expect(await records(fresh)).toEqual([198, 199, 200, 201])
    expect(await fresh.read(0, 0)).toEqual(await writer.read(0, 0))
    expect(await fresh.read(0, 0)).toEqual(await away.read(0, 0))
    for (let fold = 0; fold < 3; fold++) {
      for (let i = 0; i < 70; i++) await away.append([bytes(i)], 0)
      await away.checkpoint(term, 0, bytes(3), (await away.read(0, 0)).cursor)
    }
    const left = (await readdir(join(directory, `${name}.tabmesh`))).sort()
    expect(left.length, left.join(' ')).toBeLessThanOrEqual(3) // first, the newest, and the one before
    expect(await records(writer)).toEqual(await records(away))
  })

  test('goes on where one was killed between closing a folder and opening the next', async () => {
    const name = newName()
    const journal = await open(name)
    const term = await journal.claimTerm(1, 'aa')
    for (let i = 0; i < 70; i++) await journal.append([bytes(i)], 0)
    const [root, old] = [join(directory, `${name}.tabmesh`), await folderOf(name)]
    const stale = await open(name)
    await journal.checkpoint(term, 0, bytes(1), 2)
    const next = await folderOf(name)
    // As it was in the moment before the renaming.
    const { rename } = await import('node:fs/promises')
    await rename(next, join(root, 'next-' + next.slice(root.length + 1)))
    await rename(join(root, 'gone-' + old.slice(root.length + 1)), old)
    const fresh = await open(name)
    await fresh.append([bytes(70)], 0)
    await stale.append([bytes(71)], 0)
    expect(await folderOf(name)).toBe(next)
    expect((await records(fresh)).slice(-2)).toEqual([70, 71])
    expect(await records(journal)).toEqual(await records(fresh))
  })

  test('an entry that was torn is passed by; what came after it counts', async () => {
    const name = newName()
    const journal = await open(name)
    for (const i of [1, 2, 3]) await journal.append([bytes(i)], 0)
    const second = join(await folderOf(name), '0000000002')
    const whole = await readFile(second)
    for (const torn of [whole.subarray(0, -1), Buffer.alloc(0), Buffer.from(whole.map((byte, i) => (i === whole.length - 1 ? byte ^ 1 : byte)))]) {
      await writeFile(second, torn)
      expect(await records(await open(name))).toEqual([1, 3])
    }
    await (await open(name)).append([bytes(4)], 0)
    await writeFile(second, whole)
    expect(await records(await open(name))).toEqual([1, 2, 3, 4])
  })

  test('a lock that nobody gives back holds up for two seconds, no longer', async () => {
    const name = newName()
    const journal = await open(name)
    const lock = join(directory, `${name}.tabmesh`, 'lock')
    await writeFile(lock, '')
    await utimes(lock, new Date(), new Date(Date.now() - 3000))
    await journal.append([bytes(1)], 0)
    await writeFile(lock, '')
    await journal.append([bytes(2)], 0)
    expect(await records(journal)).toEqual([1, 2])
    expect(await readdir(join(directory, `${name}.tabmesh`))).not.toContain('lock')
  })

  test('without the lock nothing is lost either: a number belongs to one, and a transaction that comes too late stores nothing', async () => {
    const name = newName()
    const journals = await Promise.all([open(name), open(name), open(name)])
    const lock = join(directory, `${name}.tabmesh`, 'lock')
    const breaking = setInterval(() => void rm(lock, { force: true }), 0)
    const times = new Map<number, number>() // that each transaction was tried
    const outcomes = await Promise.all(
      journals.flatMap((journal, who) => Array.from({ length: 60 }, (_, i) => i % 2 === 0 ? journal.append([bytes(who)], 0).then(() => 'stored') : journal.transact(0, 0, undefined, 0, ({ records: { length } }) => (times.set(who * 100 + i, (times.get(who * 100 + i) ?? 0) + 1), [bytes(100, length & 0xff)])).then(() => 'counted', () => 'refused'))),
    )
    clearInterval(breaking)
    expect(new Set(times.values())).toEqual(new Set([1]))
    const all = (await journals[0].read(0, 0)).records
    expect(all.filter(([kind]) => kind !== 100).length).toBe(90)
    expect(outcomes.filter((one) => one === 'stored').length).toBe(90)
    const counted = all.map((record, at) => [record, at] as const).filter(([[kind]]) => kind === 100)
    expect(counted.length).toBe(outcomes.filter((one) => one === 'counted').length)
    for (const [[, length], at] of counted) expect(length).toBe(at)
    expect(all).toEqual((await (await open(name)).read(0, 0)).records)
  })

  test('a directory that is taken away is a new store for who comes back', async () => {
    const name = newName()
    const journal = await open(name)
    await journal.append([bytes(1)], 0)
    const { generation } = await journal.read(0, 0)
    await rm(join(directory, `${name}.tabmesh`), { recursive: true })
    const found = await journal.read(0, 0)
    expect(found.records).toEqual([])
    expect(found.generation).not.toBe(generation)
    await journal.append([bytes(2)], 0).catch(() => undefined)
    expect((await (await open(name)).read(0, 0)).generation).toBe(found.generation)
  })

  test('says what to do where the directory cannot be used', async () => {
    const file = join(directory, 'a-file')
    await writeFile(file, '')
    await expect(openFileJournal(file, 'x', 'relaxed')).rejects.toMatchObject({ code: 'storage-failed', message: expect.stringContaining('must be writable') as string })
    const name = newName()
    await open(name)
    await writeFile(join(await folderOf(name), '0000000000'), 'TMJ1 nonsense')
    await expect(open(name)).rejects.toMatchObject({ code: 'storage-failed', message: expect.stringContaining('is damaged') as string })
  })

  test('what is erased is not on the disk any more', async () => {
    const name = newName()
    const journal = await open(name)
    await journal.append([Buffer.from('the secret')], 0)
    await journal.erase()
    const all = await readdir(join(directory, `${name}.tabmesh`), { recursive: true, withFileTypes: true })
    const texts = await Promise.all(all.filter((one) => one.isFile()).map((one) => readFile(join(one.parentPath, one.name), 'latin1')))
    expect(texts.length).toBeGreaterThan(0)
    expect(texts.join()).not.toContain('the secret')
  })

  test('a lease is given back before close resolves', async () => {
    const store = createStoreOn<AnyState>({}, () => Promise.resolve({ startEngine, platform: createNodePlatform(directory) }), { name: 'given-back', state: {}, wasm })
    await store.ready
    await until(() => store.leader.isLeader)
    await store.close()
    await cp(join(directory, 'given-back.tabmesh'), join(directory, 'copied.tabmesh'), { recursive: true }) // as it would be after process.exit()
    expect((await (await open('copied')).lease('bb')).holder).toBe('bb')
  })

  test('lists the versions of a store', async () => {
    const platform = createNodePlatform(join(directory, 'versions'))
    expect(await platform.versions('a:b', [])).toEqual([])
    await mkdir(join(directory, 'versions'), { recursive: true })
    await writeFile(join(directory, 'versions', '100%.tabmesh'), 'of somebody else')
    for (const one of ['a:b', 'a:b@3', 'a:bc@2', 'other']) await platform.openJournal(one, 'strict', () => undefined)
    expect((await platform.versions('a:b', [])).sort()).toEqual([1, 3])
  })
})
