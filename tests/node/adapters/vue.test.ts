// The composables of `tabmesh/vue`: what is shown follows the store until the scope ends; a server follows nothing.
import { renderToString } from 'vue/server-renderer'
import { createSSRApp, effectScope, h, nextTick, watch } from 'vue'
import { afterEach, expect, test, vi } from 'vitest'
import { createStore as createZustand } from 'zustand/vanilla'
import { useBroadcastSync, useConflicts, useLeader, useStore, useTabs } from '../../../js-glue/adapters/vue.ts'
import { createMesh, until } from '../mesh.ts'

afterEach(() => {
  vi.unstubAllGlobals()
})

test('refs follow two tabs, change no more than they have to, and stop with their scope', async () => {
  vi.stubGlobal('document', {})
  const mesh = createMesh()
  const options = { state: { count: 0, items: { a: 1 } }, conflicts: { title: 'prompt' } as const }
  const [{ store: one }, { store: two }] = [await mesh.ready(options), await mesh.ready(options)]
  const scope = effectScope()
  const changes: string[] = []
  const shown = scope.run(() => {
    const all = { state: useStore(one), count: useStore(one, ({ count }) => count as number), keys: useStore(one, ({ items }) => Object.keys(items as object), (a, b) => a.join() === b.join()), leader: useLeader(one), tabs: useTabs(one), conflicts: useConflicts(one) }
    for (const name of ['count', 'keys'] as const) watch(all[name], () => changes.push(name), { flush: 'sync' })
    return all
  })!
  expect(shown.count.value).toBe(0)
  two.setState({ count: 1 })
  await until(() => shown.count.value === 1)
  expect(shown.state.value).toBe(one.getState())
  two.set(['items', 'a'], 2)
  two.set(['items', 'b'], 3)
  await until(() => shown.keys.value.join() === 'a,b')
  expect(changes).toEqual(['count', 'keys'])
  await until(() => shown.leader.value.isLeader && shown.tabs.value.length === 2)
  one.setState({ title: 'one' })
  two.setState({ title: 'two' })
  await until(() => shown.conflicts.value.length === 1)
  scope.stop()
  await two.setState({ count: 5, title: 'three' }).shared
  await until(() => one.getState().count === 5)
  await nextTick()
  expect([shown.count.value, shown.conflicts.value.length]).toEqual([1, 1])
})

test('a server shows the initial state, and follows and starts nothing', async () => {
  const { store } = await createMesh().ready({ state: { count: 0 } })
  store.setState({ count: 5 })
  const zustand = createZustand(() => ({ count: 0 }))
  const subscribed = [vi.spyOn(store, 'subscribe'), vi.spyOn(store, 'on'), vi.spyOn(zustand, 'subscribe')]
  const App = {
    setup() {
      const shown = [useStore(store, ({ count }) => count), useLeader(store), useTabs(store), useConflicts(store)]
      const sync = useBroadcastSync(zustand, { channelName: 'app' })
      return () => h('p', JSON.stringify([...shown.map(({ value }) => value), sync.isActive()]))
    },
  }
  const text = (await renderToString(createSSRApp(App))).replaceAll('&quot;', '"')
  expect(text).toBe('<p>[0,{"isLeader":false,"term":0,"guarantee":"advisory"},[],[],false]</p>')
  for (const spy of subscribed) expect(spy).not.toHaveBeenCalled()
})
