import { createStore } from 'zustand/vanilla'
import { createBroadcastSync } from 'tabmesh/zustand'

interface Todos {
  todos: Record<string, { title: string; done: boolean }>
  filter: 'all' | 'open'
  add: (title: string) => void
  toggle: (id: string) => void
}

export const store = createStore<Todos>()((set) => ({
  todos: {},
  filter: 'all',
  add: (title) => set((state) => ({ todos: { ...state.todos, [crypto.randomUUID()]: { title, done: false } } })),
  toggle: (id) => set((state) => ({ todos: { ...state.todos, [id]: { ...state.todos[id]!, done: !state.todos[id]!.done } } })),
}))
createBroadcastSync(store, { channelName: 'todos', conflictStrategy: 'merge' }).start()
