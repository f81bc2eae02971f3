import { show } from '../main.ts'
import { store } from './after.ts'

show({
  todos: () => store.getState().todos,
  subscribe: (listener) => store.subscribe(listener),
  add: (title) => store.getState().add(title),
  toggle: (id) => store.getState().toggle(id),
})
