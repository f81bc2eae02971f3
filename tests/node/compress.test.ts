// Checkpoints that are stored compressed: persist.compressAbove.
import npm from 'lz-string'
import { describe, expect, test } from 'vitest'
import type { Store } from '../../js-glue/index.ts'
import { createMesh, until, type AnyState, type Mesh } from './mesh.ts'

const tasks = (count: number): AnyState => Object.fromEntries(Array.from({ length: count }, (_, i) => [`task-${i}`, { title: `Task number ${i} of the list`, done: i % 3 === 0 }]))
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

/** A store whose leader has made `wanted` checkpoints. */
async function withCheckpoints(mesh: Mesh, state: AnyState, persist: object, wanted = 1): Promise<Store<AnyState>> {
  const { store } = await mesh.ready({ state: { n: 0 }, persist: { hotCopy: false, ...persist } })
  await until(() => store.leader.isLeader)
  store.setState(state)
  for (let made = 0; made < wanted; made++) {
    for (let i = 0; i < 520; i++) {
      store.set(['n'], i + made * 1000)
      await Promise.resolve()
    }
    await store.flush()
    while ((await checkpoints(mesh)).length <= made) await new Promise((resolve) => setImmediate(resolve))
  }
  return store
}

async function checkpoints(mesh: Mesh): Promise<readonly Uint8Array[]> {
  const journal = (await mesh.origin.openTab().platform.openJournal('test', 'relaxed', () => undefined))!
  const contents = await journal.read(0, 0)
  journal.close()
  return contents.checkpoints
}

/** What a tab has that hears of nobody. */
async function read(mesh: Mesh): Promise<AnyState> {
  const { store } = mesh.open({ state: { n: 0 }, channels: [], persist: { hotCopy: false } })
  const told: unknown[] = []
  store.on('error', ({ error }) => told.push(error))
  await store.ready
  const state = store.getState()
  await store.close()
  expect(told).toEqual([])
  return state
}

/** By the documented grammar, and npm's lz-string alone. */
function unpacked(bytes: Uint8Array): Buffer {
  const parts: Buffer[] = []
  let at = 0
  const varint = (): number => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    expect(textOf(bytes.subarray(at, (at += 2)))).toBe('TP')
    const size = varint()
    const packed = varint()
    const part = Buffer.from(npm.decompressFromUint8Array(bytes.slice(at, (at += packed))), 'latin1')
    expect(part).toHaveLength(size)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

describe('a checkpoint', () => {
  test('of more than 10,000 bytes is compressed, and read without the core; smaller ones are not', async () => {
    const mesh = createMesh()
    const store = await withCheckpoints(mesh, tasks(2000), {})
    const [packed] = await checkpoints(mesh)
    const whole = unpacked(packed!)
    expect(whole.length).toBeGreaterThan(2 * (64 << 10)) // so in several pieces
    expect(packed!.length * 3).toBeLessThan(whole.length)
    expect(textOf(whole.subarray(0, 2))).toBe('TM')
    expect(whole.includes('Task number 1999 of the list')).toBe(true)
    await store.close()
    expect(await read(mesh)).toEqual({ ...tasks(2000), n: 519 })

    const small = createMesh()
    await withCheckpoints(small, tasks(20), {})
    expect(textOf((await checkpoints(small))[0]!.subarray(0, 2))).toBe('TM')
  })

  test('is compressed above what the option says', async () => {
    for (const [compressAbove, head] of [[Infinity, 'TM'], [500, 'TP']] as const) { // prettier-ignore
      const mesh = createMesh()
      const store = await withCheckpoints(mesh, tasks(200), { compressAbove })
      expect(textOf((await checkpoints(mesh))[0]!.subarray(0, 2))).toBe(head)
      await store.close()
      expect(await read(mesh)).toEqual({ ...tasks(200), n: 519 })
    }
  })

  test('that would be no smaller stays as it is', async () => {
    const mesh = createMesh()
    await withCheckpoints(mesh, {}, { compressAbove: 0 })
    expect(textOf((await checkpoints(mesh))[0]!.subarray(0, 2))).toBe('TM')
  })

  test('of before is read where the newest is damaged', async () => {
    const mesh = createMesh()
    const store = await withCheckpoints(mesh, tasks(500), {}, 2)
    await store.close()
    const [newest, older] = await checkpoints(mesh)
    expect([newest, older].map((bytes) => textOf(bytes!.subarray(0, 2)))).toEqual(['TP', 'TP'])
    newest![newest!.length >> 1]! ^= 0x40
    const { store: reader } = mesh.open({ state: { n: 0 }, channels: [], persist: { hotCopy: false } })
    const told: unknown[] = []
    reader.on('error', ({ error }) => told.push((error as { code?: string }).code))
    await reader.ready
    expect(told).toEqual(['dropped'])
    expect(reader.getState()).toEqual({ ...tasks(500), n: 1519 })
  })

  test('lacks nothing of what is written while it is compressed', async () => {
    const mesh = createMesh()
    const { store } = await mesh.ready({ state: { n: 0 }, persist: { hotCopy: false } })
    await until(() => store.leader.isLeader)
    store.setState(tasks(8000))
    let n = 0
    while ((await checkpoints(mesh)).length < 2) {
      for (let i = 0; i < 20; i++) {
        store.set(['n'], ++n)
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    await store.close()
    expect(await read(mesh)).toEqual({ ...tasks(8000), n })
  })
})
