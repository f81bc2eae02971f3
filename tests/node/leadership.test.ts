// Who leads: how it passes on, and what takes it from a holder that does not run.
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Store } from '../../js-glue/index.ts'
import { createMesh, until, type AnyState } from './mesh.ts'

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
  const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)
  const leads = (store: Store<AnyState>): boolean => store.leader.isLeader
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
})
