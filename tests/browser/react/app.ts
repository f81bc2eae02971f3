// A React app under StrictMode, on a tabmesh store and on a zustand store; the test mounts and unmounts it.
import { createElement as h, Fragment, StrictMode, useState, version } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { createStore, type Store } from 'tabmesh'
import { useBroadcastSync, useConflicts, useLeader, useStore, useTabs } from 'tabmesh/react'
import { createStore as createZustand, type StoreApi } from 'zustand/vanilla'

interface Shared {
  count: number
  title: string
  items: Record<string, { done: boolean }>
}

export interface ReactApp {
  readonly version: string
  /** Shows what the hooks say of a tabmesh store. */
  readonly showStore: () => Promise<Store<Shared>>
  /** Shares a zustand store while it is mounted; `generation` is the module's, as hot reloading makes them. */
  readonly showSync: (generation: number) => StoreApi<Shared>
  readonly renders: Record<string, number>
  readonly unmount: () => void
  /** What is told to callbacks of the newest render. */
  readonly told: string[]
}

declare global {
  interface Window {
    react: ReactApp
  }
}

const renders: Record<string, number> = {}
const told: string[] = []
let root: Root | undefined
const initial: Shared = { count: 0, title: '', items: {} }

const seen = (name: string): void => void (renders[name] = (renders[name] ?? 0) + 1)
const shows = (id: string, value: unknown) => h('p', { id }, JSON.stringify(value))

function render(element: ReturnType<typeof h>): void {
  root ??= createRoot(document.body.appendChild(document.createElement('div')))
  root.render(h(StrictMode, null, element))
}

function Count({ store }: { store: Store<Shared> }) {
  seen('count')
  return shows('count', useStore(store, (state) => state.count))
}

const shallow = (a: readonly string[], b: readonly string[]): boolean => a.join() === b.join()

function Done({ store }: { store: Store<Shared> }) {
  seen('done')
  return shows('done', useStore(store, (state) => Object.keys(state.items).filter((id) => state.items[id]!.done), shallow))
}

function Whole({ store }: { store: Store<Shared> }) {
  const state = useStore(store)
  return h('button', { id: 'add', onClick: () => store.increment(['count']) }, state.title)
}

function Roles({ store }: { store: Store<Shared> }) {
  const { isLeader, term, guarantee } = useLeader(store)
  const tabs = useTabs(store)
  const conflicts = useConflicts(store)
  return h(Fragment, null, shows('leader', { isLeader, led: term > 0, guarantee }), shows('tabs', tabs.map((tab) => [tab.label !== '', tab.isLeader])), shows('conflicts', conflicts.map(({ path, values }) => [path, values.map(({ value }) => value)])))
}

const makeZustand = (): StoreApi<Shared> => createZustand<Shared>(() => initial)

function Synced({ store, generation }: { store: StoreApi<Shared>; generation: number }) {
  const [clicks, click] = useState(0)
  const sync = useBroadcastSync(store, { channelName: 'react-sync', onRemoteUpdate: (keys) => told.push(`${generation}.${clicks}: ${keys.join()}`) })
  return h('button', { id: 'click', onClick: () => click((n) => n + 1) }, `${generation} ${clicks} ${sync.isActive()}`)
}

window.react = {
  version,
  renders,
  told,
  async showStore() {
    const store = createStore<Shared>({ name: 'react-store', state: initial, conflicts: { title: 'prompt' } })
    render(h(Fragment, null, ...[Count, Done, Whole, Roles].map((Part) => h(Part, { key: Part.name, store }))))
    await store.ready
    return (window.store = store as never)
  },
  showSync(generation) {
    const store = makeZustand()
    render(h(Synced, { key: generation, store, generation }))
    return store
  },
  unmount() {
    root?.unmount()
    root = undefined
  },
}
