// Who leads: how it passes on, and what takes it from a holder that does not run.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Store } from '../../js-glue/index.ts'
import { createMesh, until, type AnyState } from './mesh.ts'

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)
const leads = ({ leader }: Store<AnyState>): boolean => leader.isLeader

describe('leadership', () => {
  test('passes on when the leader closes, crashes, or is suspended; terms grow', async () => {
    const mesh = createMesh()
    const tabs = [await mesh.ready(), await mesh.ready(), await mesh.ready(), await mesh.ready()]
    const leads = (i: number): (() => boolean) => () => tabs[i]!.store.leader.isLeader
    await until(leads(0))
    const terms = [tabs[0]!.store.leader.term]
    await tabs[0]!.store.close()
    await until(leads(1))
    terms.push(tabs[1]!.store.leader.term)
    tabs[1]!.tab.kill()
    await until(leads(2))
    terms.push(tabs[2]!.store.leader.term)
    tabs[2]!.tab.suspend()
    await until(leads(3))
    terms.push(tabs[3]!.store.leader.term)
    expect(terms).toEqual([...terms].sort((a, b) => a - b))
    expect(new Set(terms).size).toBe(4)
    tabs[3]!.store.setState({ missed: true })
    tabs[2]!.tab.resume()
    await until(() => tabs[2]!.store.getState().missed === true)
    expect(tabs[2]!.store.leader.isLeader).toBe(false)
  })

  test('a tab that is heard of before its lock is known stays in the list; one without a lock does not for long', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true })
    try {
      const mesh = createMesh()
      const tab = mesh.origin.openTab()
      const openLock: typeof tab.platform.openLock = (name) => {
        const lock = tab.platform.openLock(name)!
        return { ...lock, roll: async () => ({ ...(await lock.roll()), alive: [] }) }
      }
      const store = mesh.createIn({ ...tab, platform: { ...tab.platform, openLock } })({ name: 'test', state: {} })
      await store.ready
      await mesh.ready()
      await until(() => store.tabs.length === 2)
      await pass(1000)
      expect(store.tabs.length).toBe(2)
      await pass(10_000)
      expect(store.tabs.length).toBe(1)
    } finally {
      vi.useRealTimers()
    }
  })

  test('run calls the task while this tab leads and aborts it when it stops', async () => {
    const mesh = createMesh()
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    await until(() => one.store.leader.isLeader)
    const log: string[] = []
    one.store.leader.run(({ signal, fence }) => {
      log.push(`one ${fence}`)
      signal.addEventListener('abort', () => log.push('one stops'))
    })
    const undo = two.store.leader.run(({ fence }) => log.push(`two ${fence}`))
    await one.store.close()
    await until(() => log.length === 3)
    expect(log).toEqual([`one 1`, 'one stops', `two 2`])
    undo()
  })

  test('a tab whose term could not be stored tries again', async () => {
    const mesh = createMesh()
    const { store } = mesh.open({ leader: true })
    mesh.origin.faults.abort = () => new Error('not now')
    store.on('error', () => undefined)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(store.leader.isLeader).toBe(false)
    mesh.origin.faults.abort = () => undefined
    await until(() => store.leader.isLeader)
  })

  test('a tab with leader: false never leads', async () => {
    const mesh = createMesh()
    const { store } = await mesh.ready({ leader: false })
    await mesh.ready()
    await until(() => store.leader.id !== undefined)
    expect(store.leader.isLeader).toBe(false)
  })
})

describe('a leader that is stopped without a word', () => {
  afterEach(() => vi.useRealTimers())

  test('is replaced within 35 s, in another term; when it runs again it follows, and its own writes arrive', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true })
    const mesh = createMesh()
    const [old, next, third] = [await mesh.ready(), await mesh.ready(), await mesh.ready()]
    await until(() => leads(old.store) && next.store.tabs.length === 3)
    const effects: string[] = []
    old.store.leader.run(({ fence, signal }) => {
      const beat = (): void => {
        if (!signal.aborted) setTimeout(beat, 100)
        effects.push(`${fence} ${signal.aborted}`)
      }
      beat()
    })
    const { term } = old.store.leader
    old.store.setState({ unsent: true })
    old.tab.stop()
    await pass(35_000)
    expect([leads(next.store), leads(third.store)].filter(Boolean).length).toBe(1)
    expect(next.store.leader.term).toBeGreaterThan(term)
    expect(next.store.tabs.length).toBe(2)
    next.store.setState({ meanwhile: true })
    await pass(25_000)
    old.tab.go()
    await pass(2000)
    expect(leads(old.store)).toBe(false)
    expect(old.store.leader.id).toBe(next.store.leader.id)
    for (const { store } of [old, next, third]) {
      expect(store.getState()).toEqual({ unsent: true, meanwhile: true })
      expect(store.tabs.length).toBe(3)
    }
    expect(effects.at(-1)).toBe(`${term} true`)
  })

  test('is replaced by a tab that opens after it, and knows nobody', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true })
    const mesh = createMesh()
    const old = await mesh.ready()
    await until(() => leads(old.store))
    old.store.setState({ a: 1 })
    await old.store.flush()
    old.tab.stop()
    const next = mesh.open()
    await pass(5000)
    await next.store.ready
    expect(next.store.getState()).toEqual({ a: 1 })
    await pass(35_000)
    expect(leads(next.store)).toBe(true)
  })

  test('is left alone when it answers by nothing but the lock: a deaf tab takes nothing from it', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true })
    const mesh = createMesh({ lose: () => true })
    const [old, deaf] = [await mesh.ready(), await mesh.ready()]
    await pass(3_600_000)
    expect([leads(old.store), leads(deaf.store)]).toEqual([true, false])
    expect(old.store.leader.term).toBe(1)
  })

  test('is replaced by the next page though whoever knocked at it has gone, and no matter how often it happens', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true })
    const mesh = createMesh()
    const old = await mesh.ready()
    await until(() => leads(old.store))
    old.tab.stop()
    const knocker = await mesh.ready()
    const lock = mesh.origin.openTab().platform.openLock('test')!
    for (let ms = 0; ms < 60_000 && (await lock.roll()).holder !== ''; ms += 100) await pass(100)
    expect((await lock.roll()).holder).toBe('')
    knocker.tab.kill()
    const next = mesh.open()
    await pass(10_000)
    expect(leads(next.store)).toBe(true)
  })

  test('who was blocked while somebody knocked is known again at once', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true })
    const mesh = createMesh()
    const [old, next] = [await mesh.ready(), await mesh.ready()]
    await until(() => leads(old.store) && next.store.tabs.length === 2)
    old.tab.stop()
    const lock = mesh.origin.openTab().platform.openLock('test')!
    for (let ms = 0; ms < 60_000 && next.store.tabs.length === 2; ms += 100) await pass(100)
    expect(next.store.tabs.length).toBe(1)
    old.tab.go()
    await pass(100)
    expect(next.store.tabs.length).toBe(2)
    expect(next.store.leader.id).toBe(old.store.tab.id)
    await pass(60_000)
    expect([leads(old.store), old.store.leader.term, (await lock.roll()).alive.length]).toEqual([true, 1, 2])
  })

  test('tabs without a way to each other leave a leader that runs alone', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true })
    const mesh = createMesh()
    const [one, two, three] = [await mesh.ready({ channels: [] }), await mesh.ready({ channels: [] }), await mesh.ready()]
    await until(() => leads(one.store))
    for (const { tab } of [two, three]) {
      tab.suspend()
      await pass(1000)
      tab.resume()
    }
    await pass(600_000)
    expect([leads(one.store), one.store.leader.term]).toEqual([true, 1])
  })
})

describe('without locks', () => {
  beforeEach(() => void vi.useFakeTimers({ shouldAdvanceTime: true }))
  afterEach(() => vi.useRealTimers())

  test('a lease in the database says who leads; it passes on at once when its holder closes, or is suspended', async () => {
    const mesh = createMesh({ locks: false })
    const [one, two, three] = [await mesh.ready(), await mesh.ready(), await mesh.ready()]
    await until(() => leads(one.store) && two.store.leader.id === one.store.tab.id)
    expect(one.store.leader.guarantee).toBe('fenced')
    await one.store.close()
    await pass(6000)
    const [next, last] = leads(two.store) ? [two, three] : [three, two]
    expect([leads(next.store), leads(last.store), next.store.leader.term]).toEqual([true, false, 2])
    next.tab.suspend()
    await pass(6000)
    next.tab.resume()
    await pass(6000)
    expect([leads(next.store), leads(last.store), last.store.leader.term]).toEqual([false, true, 3])
  })

  test('a holder that dies is replaced after 150 s, and not before', async () => {
    const mesh = createMesh({ locks: false })
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    await until(() => leads(one.store))
    one.tab.kill()
    await pass(145_000)
    expect(leads(two.store)).toBe(false)
    await pass(20_000)
    expect(leads(two.store)).toBe(true)
    expect(two.store.leader.term).toBe(2)
  })

  test('a holder that keeps it, however seldom, is not; nor by a tab that has slept', async () => {
    const mesh = createMesh({ locks: false })
    const [one, two] = [await mesh.ready(), await mesh.ready()]
    await until(() => leads(one.store))
    await pass(1000)
    for (let i = 0; i < 10; i++) {
      one.tab.stop() // as a hidden page whose timers run once a minute
      await pass(60_000)
      one.tab.go()
      await pass(10)
    }
    expect([leads(one.store), leads(two.store), one.store.leader.term]).toEqual([true, false, 1])
    one.tab.stop()
    await pass(20_000)
    two.tab.stop()
    await pass(3_600_000)
    two.tab.go()
    await pass(10_000)
    one.tab.go()
    await pass(600_000)
    expect([leads(one.store), leads(two.store), one.store.leader.term]).toEqual([true, false, 1])
  })

  test.each([['with a channel', {}], ['without one', { channels: [] }]])('a holder whose lease was taken while it was stopped follows, and leads no more, %s', async (_, options) => {
    const mesh = createMesh({ locks: false })
    const [one, two] = [await mesh.ready(options), await mesh.ready(options)]
    await until(() => leads(one.store))
    one.tab.stop()
    await pass(200_000)
    expect(leads(two.store)).toBe(true)
    one.tab.go()
    await pass(6000)
    expect([leads(one.store), leads(two.store)]).toEqual([false, true])
    await two.store.close()
    await pass(6000)
    expect(leads(one.store)).toBe(true)
  })

  test('what it got while it went is given back', async () => {
    const mesh = createMesh({ locks: false, openMs: 500 })
    const one = mesh.open()
    await pass(100)
    one.tab.suspend()
    await pass(2000)
    const two = mesh.open()
    await pass(10_000)
    expect(leads(two.store)).toBe(true)
  })
})

describe('without locks and without a database', () => {
  beforeEach(() => void vi.useFakeTimers({ shouldAdvanceTime: true }))
  afterEach(() => vi.useRealTimers())
  const options = { persist: false, state: { n: 0 } } as const

  test('one of three leads, all know it, and when it is closed another does, in a later term; nothing is promised of it', async () => {
    const mesh = createMesh({ locks: false })
    const tabs = [await mesh.ready(options), await mesh.ready(options), await mesh.ready(options)]
    const stores = tabs.map(({ store }) => store)
    await pass(15_000)
    const first = stores.find(leads)!
    expect(stores.map((store) => store.leader.id)).toEqual(stores.map(() => first.tab.id))
    expect([stores.filter(leads).length, first.leader.guarantee, first.status.leadership]).toEqual([1, 'advisory', 'leader'])
    const { term } = first.leader
    await expect(first.transaction(() => ({ n: 1 }))).rejects.toMatchObject({ code: 'unsupported' })
    for (const store of stores) store.leader.handle('name', () => store.tab.label)
    const asked = stores.find((store) => store !== first)!.leader.call('name')
    await pass(1000)
    expect(await asked).toBe(first.tab.label)
    await first.close()
    await pass(15_000)
    const [next, ...more] = stores.filter((store) => store !== first && leads(store))
    expect([more.length, next!.leader.term > term]).toEqual([0, true])
  })

  test('one that dies is replaced when nothing was heard of it for two minutes, one that lives is not', async () => {
    const mesh = createMesh({ locks: false })
    const [one, two] = [await mesh.ready(options), await mesh.ready(options)]
    await pass(600_000)
    const [leader, other] = leads(one.store) ? [one, two] : [two, one]
    expect([leads(leader.store), leads(other.store)]).toEqual([true, false])
    leader.tab.kill()
    await pass(90_000)
    expect(leads(other.store)).toBe(false)
    await pass(60_000)
    expect(leads(other.store)).toBe(true)
  })

  test('two that have not heard of each other both lead; when they do, one of them does', async () => {
    let deaf = true
    const mesh = createMesh({ locks: false, lose: () => deaf })
    const [{ store: a }, { store: b }] = [await mesh.ready(options), await mesh.ready(options)]
    await pass(15_000)
    expect([leads(a), leads(b)]).toEqual([true, true])
    deaf = false
    await pass(60_000)
    expect([leads(a), leads(b)].filter(Boolean)).toHaveLength(1)
    expect(a.leader.id).toBe(b.leader.id)
  })
})
