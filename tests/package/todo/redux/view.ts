import { show } from '../main.ts'
import { added, store, toggled } from './after.ts'

show({
  todos: () => store.getState().todos,
  subscribe: (listener) => store.subscribe(listener),
  add: (title) => void store.dispatch(added(title)),
  toggle: (id) => void store.dispatch(toggled(id)),
})
