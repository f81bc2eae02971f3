// What a server renders: what the store had first, whatever the page that hydrates it has by then.
import { createElement as h } from 'react'
import { renderToString } from 'react-dom/server'
import { expect, test, vi } from 'vitest'
import { createStore as createZustand } from 'zustand/vanilla'
import { useBroadcastSync, useConflicts, useLeader, useStore, useTabs } from '../../../js-glue/adapters/react.ts'
import { createMesh } from '../mesh.ts'

test('the initial state, nobody leads, nobody is here, nothing awaits a choice; and nothing is started', async () => {
  const { store } = await createMesh().ready({ state: { count: 0, items: { a: 1 } } })
  store.setState({ count: 5 })
  const zustand = createZustand(() => ({ count: 0 }))
  const subscribed = vi.spyOn(zustand, 'subscribe')
  function App() {
    const count = useStore(store, (state) => state.count as number)
    const keys = useStore(store, (state) => Object.keys(state.items as object))
    const sync = useBroadcastSync(zustand, { channelName: 'app' })
    return h('p', null, JSON.stringify([count, keys, useStore(store), useLeader(store), useTabs(store), useConflicts(store), sync.isActive()]))
  }
  const text = renderToString(h(App)).replaceAll('&quot;', '"')
  expect(text).toBe('<p>[0,["a"],{"count":0,"items":{"a":1}},{"isLeader":false,"term":0,"guarantee":"advisory"},[],[],false]</p>')
  expect(subscribed).not.toHaveBeenCalled()
})
