// A visible tab takes over from a hidden leader, where the app wants that: not at once, and not again and again.
import { expect, test } from 'vitest'
import { createVisiblePreference, hiddenMs } from '../../js-glue/visible-preference.ts'
import type { TabInfo } from '../../js-glue/types.ts'
import { createHandClock } from './hand-clock.ts'
import { createMesh, until } from './mesh.ts'

function createRig(): { readonly tabs: (TabInfo & { isLeader: boolean; visible: boolean })[]; readonly forced: number[]; readonly preference: ReturnType<typeof createVisiblePreference>; readonly pass: (ms: number) => void } {
  const start = 1_000_000
  const { clock, pass } = createHandClock(start)
  const tab = (id: string, isLeader: boolean, visible: boolean) => ({ id, isLeader, visible, connectedAt: 0, lastSeen: 0 }) as unknown as TabInfo & { isLeader: boolean; visible: boolean }
  const tabs = [tab('b', false, true), tab('c', true, false)]
  const forced: number[] = []
  return {
    tabs,
    forced,
    preference: createVisiblePreference(clock, () => tabs, () => (forced.push(clock.now() - start), Promise.reject(new Error('no locks')))),
    pass,
  }
}

test('after half a minute in which the leader was hidden all the time', () => {
  const { tabs, forced, preference, pass } = createRig()
  preference.look()
  pass(hiddenMs - 1)
  expect(forced).toEqual([])
  tabs[1]!.visible = true // shown for a moment
  preference.look()
  tabs[1]!.visible = false
  preference.look()
  pass(hiddenMs - 1)
  expect(forced).toEqual([])
  pass(1)
  expect(forced).toEqual([2 * hiddenMs - 1])
})

test('not where this tab is hidden, or leads itself, or nobody leads', () => {
  for (const spoil of [(tabs: { visible: boolean }[]) => (tabs[0]!.visible = false), (tabs: { isLeader: boolean }[]) => ((tabs[0]!.isLeader = true), (tabs[1]!.isLeader = false)), (tabs: { isLeader: boolean }[]) => (tabs[1]!.isLeader = false)]) {
    const { tabs, forced, preference, pass } = createRig()
    preference.look()
    pass(1000)
    spoil(tabs)
    preference.look()
    pass(100_000)
    expect(forced).toEqual([])
  }
})

test('one visible tab after another, and a minute after a change at the earliest', () => {
  const { tabs, forced, preference, pass } = createRig()
  tabs.push({ ...tabs[0]!, id: 'a' })
  preference.look()
  pass(hiddenMs + 1999)
  expect(forced).toEqual([])
  preference.changed()
  pass(60_000 + 1999)
  expect(forced).toEqual([])
  pass(1)
  expect(forced.length).toBe(1)
  preference.look()
  preference.end()
  pass(200_000)
  expect(forced.length).toBe(1)
})

test('in a mesh: the leader is hidden, a visible tab leads, and the tabs that do not see anything stay as they are', async () => {
  const mesh = createMesh()
  const options = { leader: { preferVisible: true } }
  const old = await mesh.ready(options)
  await until(() => old.store.leader.isLeader)
  const [hidden, visible] = [await mesh.ready(options), await mesh.ready(options)]
  await until(() => [hidden, visible].every(({ store }) => store.leader.id === old.store.tab.id))
  hidden.tab.setVisible(false)
  old.tab.setVisible(false)
  const since = Date.now()
  await until(() => visible.store.leader.isLeader, 'another leader', hiddenMs + 5000)
  expect(Date.now() - since).toBeGreaterThan(hiddenMs - 50)
  await until(() => [old, hidden].every(({ store }) => store.leader.id === visible.store.tab.id && !store.leader.isLeader))
})
