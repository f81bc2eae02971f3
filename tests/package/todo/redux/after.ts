import { configureStore, createSlice, nanoid, type PayloadAction } from '@reduxjs/toolkit'
import { tabmesh } from 'tabmesh/redux'

interface Todo {
  id: string
  title: string
  done: boolean
}

const initialState: Record<string, Todo> = {}

const todos = createSlice({
  name: 'todos',
  initialState,
  reducers: {
    added: {
      prepare: (title: string) => ({ payload: { id: nanoid(), title, done: false } }),
      reducer: (state, { payload }: PayloadAction<Todo>) => void (state[payload.id] = payload),
    },
    toggled: (state, { payload }: PayloadAction<string>) => void (state[payload]!.done = !state[payload]!.done),
  },
})

export const { added, toggled } = todos.actions
export const store = configureStore({ reducer: { todos: todos.reducer }, enhancers: (defaults) => defaults().concat(tabmesh({ name: 'todos' })) })
