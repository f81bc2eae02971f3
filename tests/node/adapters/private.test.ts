// What `include`, `exclude`, `syncKeys`, `excludeKeys` and `shouldSync` keep here leaves by no adapter: every frame, every stored record and localStorage are searched, byte by byte.
import { configureStore, createSlice, type PayloadAction } from '@reduxjs/toolkit'
import { createStore } from 'zustand/vanilla'
import { describe, expect, test } from 'vitest'
import { createBroadcastSyncOn } from '../../../js-glue/adapters/broadcast-sync.ts'
import { enhancerOn } from '../../../js-glue/adapters/enhancer.ts'
import { middlewareOn } from '../../../js-glue/adapters/middleware.ts'
import { createMesh, packer, until, type Mesh } from '../mesh.ts'

const secret = 'never leaves this tab'
const shared = 'seen by everybody'
const state = { open: '', hidden: '', unlisted: '', dragging: false, place: '' }
type App = typeof state

/** What has left the tabs of a mesh, as text: also what was compressed. */
function left({ origin }: Mesh): string {
  const bytes = [...origin.sent, ...origin.stored('private')].map((one) => new TextDecoder().decode(one))
  const shelf = [...origin.shelf].flatMap(([key, text]) => [key, text, ...(text.match(/"[^"]*"/g) ?? []).map((part) => new TextDecoder().decode(packer.unpack(JSON.parse(part) as string) ?? new Uint8Array()))])
  return [...bytes, ...shelf].join('\n')
}

/** A tab whose app sets these keys. */
const adapters: Record<string, (mesh: Mesh) => { set: (partial: Partial<App>) => void; get: () => App; suspend: () => void }> = {
  'createBroadcastSync': (mesh) => {
    const tab = mesh.origin.openTab()
    const store = createStore<App>(() => state)
    const sync = createBroadcastSyncOn(mesh.createIn(tab) as never, store, { channelName: 'private', syncKeys: ['open', 'hidden', 'dragging', 'place'], excludeKeys: ['hidden'], shouldSync: (_, next) => !next.dragging })
    sync.start()
    return { set: (partial) => store.setState(partial), get: () => store.getState(), suspend: () => tab.suspend() }
  },
  'the middleware': (mesh) => {
    const tab = mesh.origin.openTab()
    const store = createStore<App>()(middlewareOn(mesh.createIn(tab))(() => state, { name: 'private', include: ['open', 'hidden', 'dragging', 'place'], exclude: ['hidden'], shouldSync: (_, next) => !next.dragging }))
    return { set: (partial) => store.setState(partial), get: () => store.getState(), suspend: () => tab.suspend() }
  },
  'the enhancer': (mesh) => {
    const tab = mesh.origin.openTab()
    const app = createSlice({ name: 'app', initialState: state, reducers: { set: (from, { payload }: PayloadAction<Partial<App>>) => ({ ...from, ...payload }) } })
    const store = configureStore({
      reducer: app.reducer,
      devTools: false,
      enhancers: (defaults) => defaults().concat(enhancerOn(mesh.createIn(tab) as never)({ name: 'private', include: ['open', 'hidden', 'dragging', 'place'], exclude: ['hidden'], shouldSync: (_, next) => !(next as App).dragging })),
    })
    return { set: (partial) => void store.dispatch(app.actions.set(partial)), get: () => store.getState(), suspend: () => tab.suspend() }
  },
}

describe.each(Object.entries(adapters))('%s', (_, open) => {
  test('keeps what it is told to, and sends the rest', async () => {
    const mesh = createMesh()
    const [one, two] = [open(mesh), open(mesh)]
    one.set({ open: shared, hidden: `${secret} 1`, unlisted: `${secret} 2` })
    await until(() => two.get().open === shared)
    one.set({ dragging: true, place: `${secret} 3` })
    one.set({ hidden: `${secret} 4`, place: `${secret} 5` })
    two.set({ open: `${shared} too` })
    await until(() => one.get().open === `${shared} too`)
    one.suspend() // hot copy and last words
    expect(left(mesh)).toContain(shared)
    expect(left(mesh)).not.toContain(secret)
    expect(two.get()).toEqual({ ...state, open: `${shared} too` })
  })

  test('sends what was kept with the next change that is shared', async () => {
    const mesh = createMesh()
    const [one, two] = [open(mesh), open(mesh)]
    one.set({ dragging: true, place: 'first' })
    one.set({ dragging: false, place: 'last' })
    await until(() => two.get().place === 'last')
    expect(left(mesh)).not.toContain('first')
  })
})
