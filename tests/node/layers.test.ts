// The layers of a store side by side, and what becomes of one that somebody has tampered with.
import { describe, expect, test } from 'vitest'
import type { Layer, Store } from '../../js-glue/index.ts'
import { createMesh, until, type AnyState, type Mesh } from './mesh.ts'

const options = { state: { a: { x: 0 }, list: [] as unknown[], n: 0 } }

/** What is there for a tab that hears of nobody. */
async function readAlone(mesh: Mesh): Promise<{ readonly state: AnyState; readonly told: unknown[] }> {
  const { store } = mesh.open({ ...options, channels: [], persist: { hotCopy: false } })
  const told: unknown[] = []
  store.on('error', ({ error }) => told.push((error as { code?: string }).code))
  await store.ready
  const state = store.getState()
  await store.close()
  return { state, told }
}

const layersOf = async (store: Store<AnyState>): Promise<Partial<Record<Layer['name'], Layer>>> => Object.fromEntries((await store.inspect().layers()).map((layer) => [layer.name, layer]))

/** Every byte of every record is another: only a tab that lives knows what was there. */
const damageAll = (mesh: Mesh): void => mesh.origin.stored('test').forEach((record) => record.reverse())

describe('layers', () => {
  test('say their version, their age and where they differ', async () => {
    const mesh = createMesh()
    const { store } = await mesh.ready(options)
    await store.setState({ a: { x: 1 }, n: 5 }).durable
    const { memory, 'indexed-db': journal } = await layersOf(store)
    expect(memory!.digest).toMatch(/^[0-9a-f]{16}$/)
    expect(journal).toMatchObject({ digest: memory!.digest, differences: 0, damaged: 0, records: 1, checkpoints: 0 })
    expect(memory!.ageMs).toBeGreaterThanOrEqual(0)
    expect(memory!.ageMs).toBeLessThan(5000)
    damageAll(mesh)
    const later = await layersOf(store)
    expect(later['indexed-db']).toMatchObject({ damaged: 1, differences: 2, ageMs: undefined })
    expect(later['indexed-db']!.digest).not.toBe(memory!.digest)
    const alone = (await createMesh().ready({ ...options, persist: false })).store
    expect(await alone.inspect().syncNow()).toMatchObject({ mended: [], layers: [{ name: 'memory' }] })
  })

  test('that are the same are left alone', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(options), await mesh.ready(options)]
    await one.store.setState({ n: 1 }).durable
    await two.store.set(['a', 'x'], 7).durable
    const before = mesh.origin.stored('test').length
    expect((await one.store.inspect().syncNow()).mended).toEqual([])
    expect(mesh.origin.stored('test')).toHaveLength(before)
  })

  test('wait for what another tab has told and is about to store', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(options), await mesh.ready(options)]
    let held = true
    mesh.origin.faults.abort = (label) => (label === 'tab 2' && held ? new DOMException('', 'AbortError') : undefined)
    two.store.on('error', () => undefined)
    two.store.setState({ n: 4 })
    await until(() => one.store.getState().n === 4)
    setTimeout(() => (held = false), 50)
    expect((await one.store.inspect().syncNow()).mended).toEqual([])
  })
})

describe('a journal that was tampered with', () => {
  test('has all that tabs have again, and nobody who opens later misses anything', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(options), await mesh.ready(options)]
    await one.store.setState({ a: { x: 3 } }).durable
    await two.store.setState({ list: [1, 2], n: 9 }).durable
    await until(() => one.store.getState().n === 9)
    damageAll(mesh)
    expect((await layersOf(one.store))['indexed-db']).toMatchObject({ damaged: 2, differences: 3 })
    const errors: unknown[] = []
    one.store.on('error', ({ error }) => errors.push((error as { code?: string }).code))
    const { mended, layers } = await one.store.inspect().syncNow()
    expect(mended).toEqual(['indexed-db'])
    expect(layers.find(({ name }) => name === 'indexed-db')).toMatchObject({ differences: 0, digest: layers[0]!.digest })
    expect((await one.store.inspect().syncNow()).mended).toEqual([])
    await Promise.all([one.store.close(), two.store.close()])
    expect((await readAlone(mesh)).state).toEqual({ a: { x: 3 }, list: [1, 2], n: 9 })
  })

  test('is merged, and put before nothing: what it has and memory lacks comes in', async () => {
    const mesh = createMesh()
    const one = await mesh.ready({ ...options, channels: [] })
    const other = await mesh.ready({ ...options, channels: [] })
    await one.store.setState({ a: { x: 1 } }).durable
    damageAll(mesh)
    await other.store.setState({ n: 8 }).durable // memory of the first has not heard of it
    expect(one.store.getState().n).toBe(0)
    expect((await one.store.inspect().syncNow()).mended).toEqual(['indexed-db'])
    expect(one.store.getState()).toMatchObject({ a: { x: 1 }, n: 8 })
    expect((await other.store.inspect().syncNow()).mended).toEqual([])
    expect(other.store.getState()).toMatchObject({ a: { x: 1 }, n: 8 })
  })

  test('that was damaged when it was read, and is not any more, is merged, too', async () => {
    const mesh = createMesh()
    const { store: before } = await mesh.ready(options)
    await before.setState({ n: 6 }).durable
    await before.close()
    damageAll(mesh)
    const { store } = mesh.open({ ...options, persist: { hotCopy: false } })
    store.on('error', () => undefined)
    await store.ready
    expect(store.getState().n).toBe(0)
    damageAll(mesh) // as it was
    expect((await store.inspect().syncNow()).mended).toEqual([])
    expect(store.getState().n).toBe(6)
  })

  test('that cannot be written is told', async () => {
    const mesh = createMesh()
    const { store } = await mesh.ready(options)
    await store.setState({ n: 1 }).durable
    damageAll(mesh)
    mesh.origin.faults.abort = () => new DOMException('', 'QuotaExceededError')
    await expect(store.inspect().syncNow()).rejects.toThrow()
    mesh.origin.faults.abort = () => undefined
    expect((await store.inspect().syncNow()).mended).toEqual(['indexed-db'])
  })

  test('in a later era, too', async () => {
    const mesh = createMesh()
    const { store } = await mesh.ready(options)
    await until(() => store.leader.isLeader)
    const keys = Array.from({ length: 400 }, (_, i) => `gone-${i}`)
    for (const value of [1, undefined]) await store.setState(Object.fromEntries(keys.map((key) => [key, value]))).durable
    await until(() => store.stats().era > 0, 'the end of the era')
    await store.setState({ n: 3 }).durable
    expect((await store.inspect().syncNow()).mended).toEqual([])
    damageAll(mesh)
    expect((await store.inspect().syncNow()).mended).toEqual(['indexed-db'])
    await store.close()
    expect((await readAlone(mesh)).state).toEqual({ a: { x: 0 }, list: [], n: 3 })
  })
})

describe('a hot copy that was tampered with', () => {
  test.each(['{"n":99,"list":[1]}', 'no JSON', '[]'])('is made again, and counts as nothing: %s', async (text) => {
    const mesh = createMesh()
    const { store, tab } = await mesh.ready(options)
    await store.setState({ n: 1 }).durable
    tab.suspend() // leaves a hot copy
    tab.resume()
    await until(() => store.status.safeToClose)
    const key = tab.platform.shelf.keys().find((key) => key.endsWith(':hot'))!
    tab.platform.shelf.write(key, text)
    expect((await layersOf(store))['hot-copy']!.differences).toBeGreaterThan(0)
    const { mended, layers } = await store.inspect().syncNow()
    expect(mended).toEqual(['hot-copy'])
    expect(layers.find(({ name }) => name === 'hot-copy')!.differences).toBe(0)
    expect(store.getState().n).toBe(1)
    expect((JSON.parse(tab.platform.shelf.read(key)!) as AnyState).n).toBe(1)
  })
})
