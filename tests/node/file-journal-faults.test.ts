// The journal in files where system calls fail, and where the power was lost.
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Journal } from '../../js-glue/platform.ts'

/** The code with which a call fails. */
const faults: { rename?: ((from: string) => string | undefined) | undefined; link?: ((to: string) => string | undefined) | undefined } = {}
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  const refusal = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'test' })
  return {
    ...real,
    rename(from: string, to: string) {
      const code = faults.rename?.(from)
      return code ? Promise.reject(refusal(code)) : real.rename(from, to)
    },
    link(from: string, to: string) {
      const code = faults.link?.(to)
      return code ? Promise.reject(refusal(code)) : real.link(from, to)
    },
  }
})
const { openFileJournal } = await import('../../js-glue/platform/file-journal.ts')

let directory = ''
beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), 'tabmesh-'))))
afterAll(() => rm(directory, { recursive: true, force: true }))
beforeEach(() => {
  faults.rename = undefined
  faults.link = undefined
})

let stores = 0
const newName = (): string => `store-${++stores}`
const open = (name: string, durability: 'relaxed' | 'strict' = 'relaxed'): Promise<Journal> => openFileJournal(directory, name, durability)
const rootOf = (name: string): string => join(directory, `${name}.tabmesh`)
const folderOf = async (name: string): Promise<string> => join(rootOf(name), (await readdir(rootOf(name))).filter((one) => /^\d{10}-/.test(one)).sort().at(-1)!)
const entryOf = async (name: string, number: number): Promise<string> => join(await folderOf(name), String(number).padStart(10, '0'))
const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list)
const records = async (journal: Journal): Promise<number[]> => (await journal.read(0, 0)).records.map(([first]) => first!)

/** A journal of 70 records, whose next checkpoint is a folding. */
async function filled(name: string): Promise<{ journal: Journal; term: number }> {
  const journal = await open(name)
  const term = await journal.claimTerm(1, 'aa')
  for (let i = 0; i < 70; i++) await journal.append([bytes(i)], 0)
  return { journal, term }
}

test('records that a loss of power has torn leave their keys: a checkpoint that counted them covers nothing newer', async () => {
  const name = newName()
  const before = await open(name)
  const term = await before.claimTerm(1, 'aa')
  for (let i = 1; i <= 10; i++) await before.append([bytes(i)], 0)
  await before.checkpoint(term, 0, bytes(100), (await before.read(0, 0)).cursor)
  for (let i = 2; i <= 11; i++) await writeFile(await entryOf(name, i), '') // as ext4 leaves what was not synchronised
  const after = await open(name, 'strict')
  const next = await after.claimTerm(1, 'bb')
  await after.append([bytes(11)], 0)
  const { cursor } = await after.read(0, 0)
  await after.append([bytes(12)], 0)
  await after.checkpoint(next, 0, bytes(101), cursor)
  expect(await records(await open(name))).toContain(12)
})

test('a record that stands behind a torn one keeps its key', async () => {
  const name = newName()
  const [relaxed, strict] = [await open(name), await open(name, 'strict')]
  const term = await relaxed.claimTerm(1, 'aa')
  await relaxed.append([bytes(1)], 0)
  const { cursor } = await relaxed.read(0, 0)
  await strict.append([bytes(2)], 0)
  for (const at of [1, 2]) await relaxed.checkpoint(term, 0, bytes(at), cursor)
  await writeFile(await entryOf(name, 2), '')
  expect(await records(await open(name))).toEqual([2])
})

test('where the next folder could not get its name, nobody writes on in the closed one', async () => {
  const name = newName()
  const { journal, term } = await filled(name)
  const other = await open(name)
  await other.read(0, 0)
  faults.rename = (from) => (from.includes('next-') ? 'ENOSPC' : undefined)
  await journal.checkpoint(term, 0, bytes(1), 2)
  await expect(other.read(0, 0)).rejects.toMatchObject({ name: 'QuotaExceededError' })
  faults.rename = undefined
  await other.append([bytes(200)], 0)
  const fresh = await open(name)
  expect(await fresh.claimTerm(1, 'cc')).toBe((await other.claimTerm(1, 'bb')) - 1)
  expect(await records(fresh)).toContain(200)
})

test.each(['ENOENT', 'ENOSPC'])('a folding that fails with %s stays without consequence, and leaves nothing', async (code) => {
  const name = newName()
  const { journal, term } = await filled(name)
  faults.link = (to) => (to.includes('next-') ? code : undefined)
  for (let i = 0; i < 5; i++) await journal.checkpoint(term, 0, bytes(1), 0)
  expect((await readdir(rootOf(name))).filter((one) => one.startsWith('next-'))).toEqual([])
  expect((await records(await open(name))).length).toBe(70)
  faults.link = undefined
  await journal.checkpoint(term, 0, bytes(1), 0)
  expect(await records(await open(name))).toEqual(await records(journal))
})

test('a folder that is missing is told, not waited for', async () => {
  const name = newName()
  const { journal, term } = await filled(name)
  const old = await folderOf(name)
  await journal.checkpoint(term, 0, bytes(1), 2)
  await rm(await folderOf(name), { recursive: true })
  await rename(join(rootOf(name), 'gone-' + old.slice(rootOf(name).length + 1)), old)
  await expect(open(name)).rejects.toMatchObject({ code: 'storage-failed', message: expect.stringContaining('is missing') as string })
})
