// The shared state of the demo, and the store that holds it.
import { createStore, type DebugEvent, type Write } from 'tabmesh'

export interface Task {
  title: string
  project: string
  owner: string
  done: boolean
  /** Position by time of making: tasks are a map, so that two tabs can add at once. */
  at: number
}

export interface Board {
  theme: 'light' | 'dark'
  filters: { project: string; status: 'all' | 'open' | 'done'; text: string }
  layout: string[]
  tasks: Record<string, Task>
  notes: string
  /** Written by "Make 60 changes". */
  pulse: number
}

export const projects = ['Harbour', 'Lighthouse', 'Ferry']
export const owners = ['Ada', 'Grace', 'Linus']

const seed: [string, string, string, boolean][] = [
  ['Agree on the colour of the new jetty', 'Harbour', 'Ada', true],
  ['Order bollards for the east quay', 'Harbour', 'Grace', false],
  ['Replace the lamp, log the hours', 'Lighthouse', 'Linus', false],
  ['Paint the gallery railing', 'Lighthouse', 'Ada', false],
  ['Summer timetable to the printers', 'Ferry', 'Grace', true],
  ['Book the dry dock for October', 'Ferry', 'Linus', false],
]

const listeners = new Set<(event: DebugEvent) => void>()

/** Every frame and journal record, as it happens; returns the undo. */
export function onDebug(listener: (event: DebugEvent) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

const followers = new Set<(write: Write) => void>()

/** Every write of this tab goes through here, so that its levels can be shown. */
export function changed(write: Write): void {
  followers.forEach((follower) => follower(write))
}

/** Follows every write of this tab; returns the undo. */
export function onChange(follower: (write: Write) => void): () => void {
  followers.add(follower)
  return () => followers.delete(follower)
}

export const store = createStore<Board>({
  name: 'demo',
  state: {
    theme: matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light',
    filters: { project: 'all', status: 'all', text: '' },
    layout: ['tasks', 'progress', 'load', 'notes'],
    tasks: Object.fromEntries(seed.map(([title, project, owner, done], at) => [`seed-${at}`, { title, project, owner, done, at }])),
    notes: 'Tide tables are in the blue folder.\nThe ferry horn is tested on Mondays at noon.',
    pulse: 0,
  },
  debug: (event) => listeners.forEach((listener) => listener(event)),
})

/** The tasks that the filters let through, in their order. */
export function shownTasks({ tasks, filters }: ReturnType<typeof store.getState>): [string, Task][] {
  const text = filters.text.trim().toLowerCase()
  return Object.entries(tasks)
    .filter(([, task]) => filters.project === 'all' || task.project === filters.project)
    .filter(([, task]) => filters.status === 'all' || task.done === (filters.status === 'done'))
    .filter(([, task]) => text === '' || task.title.toLowerCase().includes(text))
    .sort(([a, x], [b, y]) => x.at - y.at || a.localeCompare(b))
}
