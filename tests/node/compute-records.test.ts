// What was computed, kept: records, sessions and slices of the state.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { RecordShelf, StoredRecord } from '../../js-glue/platform.ts'
import { createMesh, type AnyState, type Mesh } from './mesh.ts'

const minute = 60_000

async function tabOf(mesh: Mesh, options: AnyState = {}) {
  const { store, tab } = await mesh.ready({ state: { theme: 'light', cart: { items: [1] } }, ...options })
  await store.compute.ready
  return { store, tab, compute: store.compute, shelf: (): Promise<RecordShelf> => tab.platform.openRecords('test') }
}

describe('a compute record', () => {
  test('comes back in another tab: block, params and performance', async () => {
    const mesh = createMesh()
    const [one, two] = [await tabOf(mesh), await tabOf(mesh)]
    const block = one.compute.float64(300)
    block.array.forEach((_, i) => (block.array[i] = i / 3))
    const wanted = [...block.array]
    const saving = one.compute.save('run-1', block, { type: 'run', params: { seed: 7, tags: ['a'] }, performance: { fps: 59.5, memory: 1000 } })
    block.array.fill(0) // it was copied
    block.release()
    await saving
    const { record, block: loaded } = (await two.compute.load('run-1'))!
    expect(record).toMatchObject({ id: 'run-1', type: 'run', params: { seed: 7, tags: ['a'] }, performance: { fps: 59.5, memory: 1000 }, block: { type: 'float64', length: 300 } })
    expect(Math.abs(record.time - Date.now())).toBeLessThan(5000)
    expect([...loaded!.array]).toEqual(wanted)
    loaded!.release()
    expect(await two.compute.load('run-2')).toBe(undefined)
    expect(await two.compute.query({ type: 'run' })).toEqual([record])
  })

  test('is what was there when it was saved, and of two with one id the later stays', async () => {
    const { compute } = await tabOf(createMesh())
    const params = { step: 1, list: [1] }
    const large = compute.float64(50_000) // takes its time to be compressed
    large.array.fill(1)
    const first = compute.save('latest', large, { params })
    params.step = 2
    params.list.push(2)
    large.array.fill(2)
    const small = compute.float64(1)
    small.array[0] = 3
    await Promise.all([first, compute.save('latest', small, { params: 'later' }), compute.save('other', undefined)])
    const { record, block } = (await compute.load('latest'))!
    expect([record.params, block!.array[0]]).toEqual(['later', 3])
    await compute.save('again', large, { params })
    params.step = 4
    expect((await compute.load('again'))!.record.params).toEqual({ step: 2, list: [1, 2] })
    const early = { step: 5 }
    const saving = compute.save('early', large, { params: early })
    early.step = 6
    await saving
    expect((await compute.load('early'))!.record.params).toEqual({ step: 5 })
  })

  test('is not saved in a store that has been closed meanwhile', async () => {
    const mesh = createMesh()
    const { store, compute } = await tabOf(mesh)
    const saving = compute.save('x', compute.float64(50_000))
    await store.close()
    await expect(saving).rejects.toMatchObject({ code: 'closed' })
    expect(await (await tabOf(mesh)).compute.query()).toEqual([])
  })

  test('that cannot be erased does not keep the state from being erased', async () => {
    const mesh = createMesh()
    const { store, tab } = await tabOf(mesh)
    await store.setState({ theme: 'dark' }).durable
    ;(tab.platform as { eraseRecords: unknown }).eraseRecords = () => Promise.reject(new Error('not now'))
    const told: unknown[] = []
    store.on('error', ({ error }) => told.push(error.message))
    await store.destroy()
    expect(told).toEqual(['not now'])
    expect((await tabOf(mesh)).store.getState().theme).toBe('light')
  })

  test('needs no block', async () => {
    const { compute } = await tabOf(createMesh())
    await compute.save('plain', undefined, { time: 5 })
    expect(await compute.load('plain')).toEqual({ record: { id: 'plain', type: 'compute', time: 5, params: null, performance: {}, block: undefined }, block: undefined })
  })

  test('is compressed above persist.compressAbove where that is smaller', async () => {
    const packed = async (length: number, fill: (i: number) => number, persist: object = {}): Promise<string> => {
      const { compute, shelf } = await tabOf(createMesh(), { persist })
      const block = compute.uint8(length)
      block.array.forEach((_, i) => (block.array[i] = fill(i)))
      await compute.save('x', block)
      const { record, bytes } = (await (await shelf()).get('x'))!
      const { block: loaded } = (await compute.load('x'))!
      expect([...loaded!.array.subarray(0, 300)]).toEqual([...block.array.subarray(0, 300)])
      expect(bytes!.byteLength < length).toBe(record.block!.packing === 'gzip')
      return record.block!.packing
    }
    const noise = new Uint8Array(20_000)
    crypto.getRandomValues(noise)
    expect(await packed(10_001, (i) => i % 10)).toBe('gzip')
    expect(await packed(10_000, (i) => i % 10)).toBe('none')
    expect(await packed(20_000, (i) => noise[i]!)).toBe('none')
    expect(await packed(1000, (i) => i % 10, { compressAbove: 500 })).toBe('gzip')
    expect(await packed(20_000, (i) => i % 10, { compressAbove: Infinity })).toBe('none')
  })

  test.each<[string, (record: StoredRecord, bytes: ArrayBuffer) => readonly [StoredRecord, ArrayBuffer | undefined]]>([
    ['has no bytes', (record) => [record, undefined]],
    ['has too few', (record, bytes) => [record, bytes.slice(0, -1)]],
    ['was packed otherwise', (record, bytes) => [{ ...record, block: { ...record.block!, packing: 'gzip' } }, bytes]],
    ['is of no known type', (record, bytes) => [{ ...record, block: { ...record.block!, type: 'float16' } }, bytes]],
  ])('that %s is not loaded, and throws nothing', async (_, damage) => {
    const { compute, shelf } = await tabOf(createMesh())
    const before = compute.usage().blocks
    await compute.save('x', compute.int32(10))
    const { record, bytes } = (await (await shelf()).get('x'))!
    await (await shelf()).put(...damage(record, bytes!))
    expect(await compute.load('x')).toBe(undefined)
    expect(compute.usage().blocks).toBe(before + 1)
  })

  test('holds JSON and numbers only', async () => {
    const { compute } = await tabOf(createMesh())
    await expect(compute.save('x', undefined, { params: { when: new Date() } })).rejects.toThrow(/params.when/)
    await expect(compute.save('x', undefined, { performance: { fps: NaN } })).rejects.toThrow(/performance.fps/)
    await expect(compute.save('x', undefined, { time: NaN })).rejects.toThrow(TypeError)
    await expect(compute.save(7 as never, undefined)).rejects.toThrow(TypeError)
    await expect(compute.cleanup({ keep: -1 })).rejects.toThrow(RangeError)
    expect(await compute.query()).toEqual([])
  })

  test('is in memory alone where the store is, and erased with it', async () => {
    const mesh = createMesh()
    const kept = await tabOf(mesh)
    const fleeting = await tabOf(mesh, { persist: false, name: 'other' })
    await fleeting.compute.save('x', undefined)
    expect(await fleeting.compute.query()).toHaveLength(1)
    expect(await (await fleeting.tab.platform.openRecords('other')).query({})).toEqual([])
    await kept.compute.save('y', undefined)
    await kept.store.destroy()
    expect(await (await tabOf(mesh)).compute.query()).toEqual([])
  })
})

describe('records together', () => {
  test('are found by type, time and frames a second', async () => {
    const { compute } = await tabOf(createMesh())
    for (let i = 0; i < 20; i++) await compute.save(`r${i}`, undefined, { type: i % 2 ? 'odd' : 'even', time: i * 100, performance: { fps: i } })
    const found = async (query: Parameters<typeof compute.query>[0]): Promise<string> => (await compute.query(query)).map(({ id }) => id).join(' ')
    expect(await found({ type: 'odd', from: 500, to: 1100 })).toBe('r11 r9 r7 r5')
    expect(await found({ minFps: 17 })).toBe('r19 r18 r17')
    expect(await found({ type: 'even', minFps: 5, limit: 2 })).toBe('r18 r16')
    expect(await found({ limit: 3 })).toBe('r19 r18 r17')
  })

  test('are summed up by the minute', async () => {
    const { compute } = await tabOf(createMesh())
    const save = (id: string, time: number, performance: object): Promise<void> => compute.save(id, undefined, { type: 'frame', time, performance })
    await save('a', 10 * minute, { fps: 60, latency: 4, memory: 100 })
    await save('b', 11 * minute - 1, { fps: 30, latency: 8, throughput: 7, memory: 50 })
    await save('c', 11 * minute, {})
    await save('d', 20 * minute + 5, { fps: 10 })
    expect(await compute.byMinute({ type: 'frame' })).toEqual([
      { minute: 10 * minute, count: 2, fps: { min: 30, mean: 45, max: 60 }, throughput: 7, latency: 6, memory: 100 },
      { minute: 11 * minute, count: 1, fps: undefined, throughput: undefined, latency: undefined, memory: undefined },
      { minute: 20 * minute, count: 1, fps: { min: 10, mean: 10, max: 10 }, throughput: undefined, latency: undefined, memory: undefined },
    ])
    expect((await compute.byMinute({ from: 11 * minute })).map(({ count }) => count)).toEqual([1, 1])
  })

  test('are cleaned up by age and by count, and by themselves', async () => {
    const { compute } = await tabOf(createMesh())
    const day = 86_400_000
    for (let i = 0; i < 10; i++) await compute.save(`r${i}`, undefined, { time: Date.now() - i * day })
    expect(await compute.cleanup({ olderThan: 7.5 * day })).toBe(2)
    expect(await compute.cleanup({ keep: 5 })).toBe(3)
    expect((await compute.query()).map(({ id }) => id)).toEqual(['r0', 'r1', 'r2', 'r3', 'r4'])
    await compute.save('old', undefined, { time: Date.now() - 31 * day })
    expect(await compute.query()).toHaveLength(6)
    for (let i = 0; i < 100; i++) await compute.save('again', undefined)
    expect((await compute.query()).map(({ id }) => id)).toEqual(['again', 'r0', 'r1', 'r2', 'r3', 'r4'])
  })
})

describe('sessions and slices', () => {
  test('an id is the SHA-256 of what is known of a user', async () => {
    const { compute } = await tabOf(createMesh())
    expect(await compute.userId('ada@example.com')).toBe(createHash('sha256').update('ada@example.com').digest('hex'))
    expect(await compute.userId('ada@example.com')).not.toBe(await compute.userId('ada@example.org'))
  })

  test('a session says who, when and which pages', async () => {
    const mesh = createMesh()
    const [one, two] = [await tabOf(mesh), await tabOf(mesh)]
    const session = await one.compute.session('someone')
    await session.visit('/start')
    await session.visit('/cart')
    const [record] = await two.compute.query({ type: 'session' })
    expect(record).toMatchObject({ id: session.id, params: { user: 'someone', pages: [{ page: '/start' }, { page: '/cart' }] } })
    expect(record!.params).not.toHaveProperty('ended')
    await session.end()
    expect((await two.compute.query({ type: 'session' }))[0]!.params).toHaveProperty('ended')
    expect((await one.compute.session('someone')).id).not.toBe(session.id)
  })

  test('a slice keeps what shared keys have, under a name', async () => {
    const mesh = createMesh()
    const { store, compute } = await tabOf(mesh, { exclude: ['secret'], state: { theme: 'light', cart: { items: [1] }, secret: 'canary' } })
    await compute.saveSlice('autumn', ['theme', 'cart'])
    store.setState({ theme: 'dark', cart: { items: [] } })
    expect(await compute.loadSlice('autumn')).toEqual({ theme: 'light', cart: { items: [1] } })
    store.setState((await compute.loadSlice('autumn'))!)
    expect(store.getState()).toMatchObject({ theme: 'light', cart: { items: [1] } })
    expect(await compute.loadSlice('winter')).toBe(undefined)
    for (let i = 0; i < 5; i++) await compute.save(`r${i}`, undefined, { time: Date.now() + 1000 })
    expect(await compute.cleanup({ keep: 0 })).toBe(5)
    expect(await compute.loadSlice('autumn')).toBeDefined()
    await expect(compute.saveSlice('autumn', ['theme', 'secret'])).rejects.toThrow(/"secret" is not shared/)
  })
})
