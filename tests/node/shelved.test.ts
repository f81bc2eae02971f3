// What is in localStorage: the copy with which the first frame is painted, and what a page could not store before it went.
import { describe, expect, test } from 'vitest'
import { createMesh, until, type AnyState, type Mesh } from './mesh.ts'

const state = { theme: 'light', secret: 'none', filters: { on: true, off: false }, list: [{ id: 1, n: 1 }, { id: 2, n: 2 }] }
const options = { state, exclude: ['secret'], lists: { list: 'id' } } as const

/** A store that has shown this, and is closed. */
async function shown(mesh: Mesh, written: AnyState): Promise<void> {
  const { store } = await mesh.ready(options)
  store.setState(written)
  await store.close()
}
const hotKey = 'tabmesh:test@1:hot'

describe('the hot copy', () => {
  test('is shown at once, without what is not shared; what is hydrated is the very same', async () => {
    const mesh = createMesh()
    await shown(mesh, { theme: 'dark', secret: 'kept here', list: [{ id: 2, n: 20 }, { id: 3, n: 3 }] })
    expect([...mesh.origin.shelf.values()].join()).not.toContain('kept here')
    const { store } = mesh.open(options)
    const first = store.getState()
    expect(first).toEqual({ ...state, theme: 'dark', list: [{ id: 2, n: 20 }, { id: 3, n: 3 }] })
    expect(store.getInitialState()).toEqual(state)
    let told = 0
    store.subscribe(() => told++)
    await store.ready
    expect([store.getState() === first, told]).toEqual([true, 0])
  })

  test('gives way to what is stored, and only what differs is another object', async () => {
    const mesh = createMesh()
    await shown(mesh, { theme: 'dark' })
    mesh.origin.shelf.set(hotKey, JSON.stringify({ theme: 'old', gone: 1, filters: { on: true, off: false }, list: [{ id: 1, n: 1 }, { id: 2, n: 0 }] }))
    const { store } = mesh.open(options)
    const first = store.getState()
    expect([first.theme, first.gone]).toEqual(['old', 1])
    await store.ready
    const now = store.getState()
    expect(now).toEqual({ ...state, theme: 'dark' })
    expect([now.filters === first.filters, now.list[0] === first.list[0], now.list[1] === first.list[1]]).toEqual([true, true, false])
    store.set(['theme'], 'later')
    expect(store.getState().theme).toBe('later')
  })

  test('gives way also where this tab has written what is not shared', async () => {
    const mesh = createMesh()
    await shown(mesh, { theme: 'dark' })
    mesh.origin.shelf.set(hotKey, '{"theme":"old","gone":1}')
    const { store } = mesh.open(options)
    store.set(['secret'], 'own')
    await store.ready
    expect(store.getState()).toEqual({ ...state, theme: 'dark', secret: 'own' })
  })

  test('gives way to nothing, where nothing is stored', async () => {
    const mesh = createMesh()
    mesh.origin.shelf.set(hotKey, '{"theme":"old"}')
    const { store } = mesh.open(options)
    expect(store.getState().theme).toBe('old')
    await store.ready
    expect(store.getState()).toEqual(state)
  })

  test('takes writes on top, and they alone are written', async () => {
    const mesh = createMesh()
    await shown(mesh, { theme: 'dark' })
    mesh.origin.shelf.set(hotKey, '{"theme":"old","filters":{"on":false,"off":true}}')
    const { store } = mesh.open(options)
    store.setState((now) => ({ filters: { ...now.filters, off: 'mine' } }))
    store.set(['secret'], 'own')
    expect(store.getState().filters).toEqual({ on: false, off: 'mine' })
    await store.ready
    await store.flush()
    expect(store.getState()).toEqual({ ...state, theme: 'dark', secret: 'own', filters: { on: true, off: 'mine' } })
    const other = await mesh.ready(options)
    expect(other.store.getState()).toEqual({ ...state, theme: 'dark', filters: { on: true, off: 'mine' } })
  })

  test.each(['', '{', '[]', '7', '{"__proto__":{"polluted":1},"theme":"x"}', '{"list":[{}]}'])('is left alone where it is damaged: %j', async (text) => {
    const mesh = createMesh()
    mesh.origin.shelf.set(hotKey, text)
    const { store } = mesh.open(options)
    expect(store.getState()).toEqual(state)
    await store.ready
    expect(store.getState()).toEqual(state)
  })

  test('is none of a large state, when it is not wanted, without storage, nor of a version', async () => {
    const mesh = createMesh()
    await shown(mesh, { theme: 'small' })
    expect(mesh.origin.shelf.has(hotKey)).toBe(true)
    expect(mesh.open({ ...options, version: 2 }).store.getState()).toEqual(state)
    await shown(mesh, { theme: 'x'.repeat(200_000) })
    expect(mesh.origin.shelf.has(hotKey)).toBe(false)
    for (const persist of [false, { hotCopy: false }] as const) {
      const { store } = await mesh.ready({ ...options, name: 'unwanted', persist })
      store.set(['theme'], 'dark')
      await store.close()
    }
    expect([...mesh.origin.shelf.keys()]).toEqual([])
  })

  test('is kept by the leader while it runs', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(options), await mesh.ready(options)]
    await until(() => one.store.leader.isLeader)
    two.store.set(['theme'], 'of two')
    await until(() => mesh.origin.shelf.get(hotKey)?.includes('of two') === true)
  })

  test('of an erased store does not come back, not even from a page that slept', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(options), await mesh.ready(options)]
    two.store.set(['theme'], 'dark')
    await two.store.flush()
    two.tab.stop()
    await one.store.destroy()
    two.tab.suspend() // its last words, before it has heard of anything
    expect([...mesh.origin.shelf.keys()]).toEqual(['tabmesh:test@erased'])
    expect(mesh.open(options).store.getState()).toEqual(state)
  })
})

describe('last words', () => {
  const lastWords = (mesh: Mesh): string[] => [...mesh.origin.shelf.keys()].filter((key) => key.includes(':last:'))
  /** A tab whose database never answers, after its first write. */
  async function stuck(mesh: Mesh): Promise<ReturnType<Mesh['open']>> {
    mesh.origin.faults.openMs = Infinity
    const opened = mesh.open(options)
    opened.store.on('error', () => undefined)
    await opened.store.ready
    mesh.origin.faults.openMs = 0
    opened.store.setState({ theme: 'stuck', filters: { on: 1 } })
    opened.store.set(['secret'], 'kept here')
    return opened
  }

  test('of a page that could not store are in the next one, which stores them', async () => {
    const mesh = createMesh()
    await shown(mesh, { theme: 'dark' })
    const { tab } = await stuck(mesh)
    tab.suspend()
    tab.kill()
    expect(lastWords(mesh)).toHaveLength(1)
    expect([...mesh.origin.shelf.values()].join()).not.toContain('kept here')
    const next = await mesh.ready(options)
    expect(next.store.getState()).toEqual({ ...state, theme: 'stuck', filters: { on: 1 } })
    await until(() => lastWords(mesh).length === 0)
    await next.store.close()
    mesh.origin.shelf.clear()
    expect((await mesh.ready(options)).store.getState().theme).toBe('stuck')
  })

  test('come to tabs that are open when somebody looks into the journal', async () => {
    const mesh = createMesh({ lose: () => true })
    const open = await mesh.ready(options)
    await until(() => open.store.leader.isLeader)
    const { tab } = await stuck(mesh)
    tab.suspend()
    tab.kill()
    mesh.origin.faults.lose = () => false
    const next = await mesh.ready(options)
    await until(() => open.store.getState().theme === 'stuck')
    expect(next.store.getState()).toEqual(open.store.getState())
  })

  test('are taken back by a page that comes back', async () => {
    const mesh = createMesh()
    const { store, tab } = await mesh.ready(options)
    mesh.origin.faults.abort = () => new Error('not now')
    store.set(['theme'], 'dark')
    tab.suspend()
    expect(lastWords(mesh)).toHaveLength(1)
    mesh.origin.faults.abort = () => undefined
    tab.resume()
    await store.flush()
    await until(() => lastWords(mesh).length === 0)
    mesh.origin.shelf.clear()
    expect((await mesh.ready(options)).store.getState().theme).toBe('dark')
  })

  test('of an era that has ended since are made again, but for what the next era has', async () => {
    const mesh = createMesh()
    const given = { ...options, state: { ...state, n: 1, list: [] }, lists: { list: 'id' } } as never
    const leader = await mesh.ready(given)
    await until(() => leader.store.leader.isLeader)
    const page = await mesh.ready(given)
    await page.store.set(['n'], 10).durable
    mesh.origin.faults.lose = () => true
    page.store.increment(['n'], 5)
    await page.store.flush() // the next era has it
    mesh.origin.faults.abort = (label) => (label === 'tab 2' ? new Error('not now') : undefined)
    page.store.increment(['n'], 100)
    page.store.set(['filters', 'kept'], true)
    page.store.set(['list'], [{ id: 1 }])
    page.store.remove(['theme'])
    page.tab.suspend()
    page.tab.kill()
    leader.store.set(['filters', 'other'], true)
    const keys = Array.from({ length: 400 }, (_, i) => `gone-${i}`)
    leader.store.setState(Object.fromEntries(keys.map((key) => [key, 1])))
    await leader.store.flush()
    const words = mesh.origin.shelf.get(lastWords(mesh)[0]!)!
    mesh.origin.shelf.delete(lastWords(mesh)[0]!) // found late
    leader.store.setState(Object.fromEntries(keys.map((key) => [key, undefined])))
    await until(() => leader.store.stats().era === 1)
    expect(leader.store.getState()).toMatchObject({ n: 15, theme: 'light' })
    await leader.store.close() // nobody else finds them
    mesh.origin.shelf.set(`tabmesh:test@1:last:${page.store.tab.id}`, words)
    const codes: unknown[] = []
    const { store } = mesh.open(given)
    store.on('error', ({ error }) => codes.push(error))
    await store.ready
    expect(store.getState()).toMatchObject({ n: 115, filters: { kept: true, other: true }, list: [{ id: 1 }] })
    expect(store.getState()).not.toHaveProperty('theme')
    await store.flush()
    expect([codes, lastWords(mesh)]).toEqual([[], []])
    mesh.origin.faults.lose = () => false
    await store.close()
    expect((await mesh.ready({ ...options, persist: { hotCopy: false } })).store.getState()).toMatchObject({ n: 115, list: [{ id: 1 }, {}] })
  })

  test.each([true, false])('of a page that comes back in a later era count once, whether somebody has taken them meanwhile or not (%s)', async (isTaken) => {
    const mesh = createMesh()
    const given = { name: 'test', state: { n: 1 } }
    const leader = await mesh.ready(given)
    await until(() => leader.store.leader.isLeader)
    const page = await mesh.ready(given)
    mesh.origin.faults.abort = (label) => (label === 'tab 2' ? new Error('not now') : undefined)
    mesh.origin.faults.lose = () => true
    page.store.increment(['n'], 10)
    page.store.set(['kept'], true)
    page.tab.suspend()
    const key = lastWords(mesh)[0]!
    const words = mesh.origin.shelf.get(key)!
    mesh.origin.shelf.delete(key) // nobody finds them yet
    const keys = Array.from({ length: 400 }, (_, i) => `gone-${i}`)
    leader.store.setState(Object.fromEntries(keys.map((one) => [one, 1])))
    await leader.store.flush()
    leader.store.setState(Object.fromEntries(keys.map((one) => [one, undefined])))
    await until(() => leader.store.stats().era === 1)
    expect(leader.store.getState()).toEqual({ n: 1 })
    await leader.store.close() // nobody else finds them
    mesh.origin.shelf.set(key, words)
    if (isTaken) expect((await mesh.ready(given)).store.getState()).toEqual({ n: 11, kept: true })
    mesh.origin.faults.lose = () => false
    mesh.origin.faults.abort = () => undefined
    page.tab.resume()
    await until(() => page.store.stats().era === 1)
    await page.store.flush()
    await until(() => page.store.getState().n === 11 && page.store.getState().kept === true)
    expect(lastWords(mesh)).toEqual([])
    expect((await mesh.ready(given)).store.getState()).toEqual({ n: 11, kept: true })
  })

  test('of a page that comes back and leaves again at once stay', async () => {
    const mesh = createMesh()
    const { store, tab } = await mesh.ready(options)
    mesh.origin.faults.abort = () => new Error('not now')
    store.set(['theme'], 'dark')
    tab.suspend()
    tab.resume()
    tab.suspend()
    expect(lastWords(mesh)).toHaveLength(1)
    tab.kill()
    mesh.origin.faults.abort = () => undefined
    expect((await mesh.ready(options)).store.getState().theme).toBe('dark')
  })

  test('of an era that has ended stay for the next page, when who finds them goes before it is ready', async () => {
    const mesh = createMesh()
    const given = { name: 'test', state: { n: 1 }, persist: { hotCopy: false } }
    const leader = await mesh.ready(given)
    await until(() => leader.store.leader.isLeader)
    const page = await mesh.ready(given)
    mesh.origin.faults.abort = (label) => (label === 'tab 2' ? new Error('not now') : undefined)
    mesh.origin.faults.lose = () => true
    page.store.increment(['n'], 10)
    page.tab.suspend()
    page.tab.kill()
    const key = lastWords(mesh)[0]!
    const words = mesh.origin.shelf.get(key)!
    mesh.origin.shelf.delete(key)
    const keys = Array.from({ length: 400 }, (_, i) => `gone-${i}`)
    leader.store.setState(Object.fromEntries(keys.map((one) => [one, 1])))
    await leader.store.flush()
    leader.store.setState(Object.fromEntries(keys.map((one) => [one, undefined])))
    await until(() => leader.store.stats().era === 1)
    await leader.store.close()
    mesh.origin.shelf.set(key, words)
    mesh.origin.faults.lose = () => false
    for (let steps = 1; steps < 8; steps++) {
      const { tab } = mesh.open(given)
      for (let i = 0; i < steps; i++) await new Promise((resolve) => setImmediate(resolve))
      tab.suspend()
      tab.kill()
    }
    expect((await mesh.ready(given)).store.getState()).toEqual({ n: 11 })
  })

  test('of an era that has ended are given up, and that is told', async () => {
    const mesh = createMesh()
    const { tab } = await stuck(mesh)
    tab.suspend()
    tab.kill()
    const [key] = lastWords(mesh) as [string]
    mesh.origin.shelf.set(key, mesh.origin.shelf.get(key)!.replace('"era":0', '"era":7'))
    const codes: unknown[] = []
    const { store } = mesh.open(options)
    store.on('error', ({ error }) => codes.push((error as { code?: string }).code))
    await store.ready
    expect([codes, store.getState().theme, lastWords(mesh)]).toEqual([['write-lost'], 'light', []])
  })

  test('of an erased store are nobody\'s', async () => {
    const mesh = createMesh()
    const one = await mesh.ready(options)
    const { tab } = await stuck(mesh)
    tab.stop()
    await one.store.destroy()
    tab.suspend()
    tab.kill()
    expect(lastWords(mesh)).toEqual([])
    expect((await mesh.ready(options)).store.getState()).toEqual(state)
  })

  test('of a page of an older version are migrated with what that has stored; where a step fails they are kept', async () => {
    for (const hasStored of [true, false]) {
      const mesh = createMesh()
      if (hasStored) await shown(mesh, { title: 'stored' })
      else await (await mesh.ready(options)).store.close()
      const { tab } = await stuck(mesh)
      tab.suspend()
      tab.kill()
      let fails = true
      const up = (before: object): object => {
        if (fails) throw new Error('not yet')
        return { ...before, up: true }
      }
      const newer = { ...options, version: 2, migrations: [{ version: 2, up }] }
      const failing = mesh.open(newer)
      failing.store.on('error', () => undefined)
      await failing.store.ready
      await failing.store.close()
      expect(lastWords(mesh)).toHaveLength(1)
      fails = false
      const { store } = await mesh.ready(newer)
      expect(store.getState()).toEqual({ ...state, theme: 'stuck', filters: { on: 1, off: false }, up: true, ...(hasStored && { title: 'stored' }) })
      expect(lastWords(mesh)).toEqual([])
    }
  })

  test.each(['', '{', '{"erased":null,"era":0}', '{"erased":null,"era":0,"records":[7,"x",""]}', '{"erased":"other","era":0,"records":[]}'])('that are damaged harm nobody, and go: %j', async (text) => {
    const mesh = createMesh()
    mesh.origin.shelf.set('tabmesh:test@1:last:00', text)
    const { store } = await mesh.ready(options)
    expect(store.getState()).toEqual(state)
    await until(() => lastWords(mesh).length === 0)
    expect(mesh.origin.stored('test')).toEqual([])
  })

  test('are not needed where the journal takes everything in time', async () => {
    const mesh = createMesh()
    const { store, tab } = await mesh.ready(options)
    store.set(['theme'], 'dark')
    await store.flush()
    tab.suspend()
    expect(lastWords(mesh)).toEqual([])
  })
})

describe('what stays on the shelf', () => {
  const lastWords = (mesh: Mesh): string[] => [...mesh.origin.shelf.keys()].filter((key) => key.includes(':last:'))

  test('does not grow where no database takes it in', async () => {
    for (const mesh of [createMesh(), createMesh({ openError: () => new Error('no') })]) {
      for (let page = 0; page < 30; page++) {
        const { store, tab } = mesh.open()
        store.on('error', () => undefined)
        await store.ready
        mesh.origin.faults.abort = () => new Error('not now')
        store.set(['note'], page)
        tab.suspend()
        tab.kill()
      }
      expect(lastWords(mesh).length).toBeLessThanOrEqual(8)
    }
  })

  test('of a store that is made again in the moment of its end is kept, and what others leave of it too', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    let again: ReturnType<Mesh['open']> | undefined
    two.store.on('error', () => (again ??= mesh.open())) // as an app does that begins anew
    await one.store.destroy()
    await until(() => again !== undefined)
    await again!.store.ready
    await again!.store.setState({ n: 1 }).durable
    mesh.origin.faults.lose = () => true
    const third = await mesh.ready()
    mesh.origin.faults.abort = () => new Error('not now')
    third.store.setState({ m: 3 })
    third.tab.suspend()
    third.tab.kill()
    expect(lastWords(mesh)).toHaveLength(1)
    mesh.origin.faults.abort = () => undefined
    again!.tab.suspend()
    expect(mesh.origin.shelf.has(hotKey)).toBe(true)
    again!.tab.resume()
    await until(() => lastWords(mesh).length === 0)
    await until(() => again!.store.getState().m === 3)
  })

  test('of a store is gone when it is erased, where it was full of it', async () => {
    const mesh = createMesh()
    Object.defineProperty(mesh.origin.faults, 'shelf', { get: () => [...mesh.origin.shelf.values()].join('').length < 100_000 })
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    two.store.set(['theme'], 'x'.repeat(120_000))
    await two.store.flush()
    await until(() => mesh.origin.shelf.has(hotKey))
    two.tab.stop()
    await one.store.destroy()
    expect([...mesh.origin.shelf.keys()]).toEqual(['tabmesh:test@erased'])
  })

  test('of a page that came back, and left again, is not taken away with what it had left before', async () => {
    const mesh = createMesh({ lose: () => true })
    const a = await mesh.ready()
    await a.store.setState({ n: 0 }).durable
    mesh.origin.faults.abort = (label) => (label === 'tab 1' ? new Error('not now') : undefined)
    a.store.set(['n'], 1)
    a.tab.suspend()
    const b = mesh.open({ persist: { hotCopy: false } })
    b.store.subscribe(({ n }) => n === 1 && b.tab.stop()) // taken in, and not stored yet
    await until(() => b.store.getState().n === 1)
    a.tab.resume()
    await new Promise((resolve) => setTimeout(resolve, 50))
    a.store.set(['m'], 2)
    a.tab.suspend()
    a.tab.kill()
    b.tab.go()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect((await mesh.ready()).store.getState()).toEqual({ n: 1, m: 2 })
  })

  test('is not overwritten by a page that could read nothing', async () => {
    const mesh = createMesh()
    await shown(mesh, { theme: 'dark' })
    mesh.origin.faults.openMs = Infinity
    const { store, tab } = mesh.open({ ...options, persist: {} })
    store.on('error', () => undefined)
    mesh.origin.shelf.set(hotKey, mesh.origin.shelf.get(hotKey)!.replace('dark', 'darker'))
    await store.ready
    store.set(['filters', 'on'], false)
    tab.suspend()
    tab.kill()
    expect(mesh.origin.shelf.get(hotKey)).toContain('darker')
  })
})
