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
  /** Widgets in their order. */
  layout: string[]
  /** Those that take a whole row. */
  wide: Record<string, boolean>
  tasks: Record<string, Task>
  notes: string
  /** Written by "Make 60 changes": how many, and when the last was made, in milliseconds since 1970. */
  pulse: { count: number; at: number }
  particles: { running: boolean; count: number; seed: number }
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

/** Whether this is a frame within the page. */
export const isModule = location.hash === '#/module'

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
  version: 2,
  migrations: [{ version: 2, up: ({ pulse: _, ...rest }: Record<string, unknown>) => rest }], // the pulse was a number
  state: {
    theme: matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light',
    filters: { project: 'all', status: 'all', text: '' },
    layout: ['tasks', 'progress', 'load', 'notes', 'modules'],
    wide: { tasks: true, notes: true, modules: true },
    tasks: Object.fromEntries(seed.map(([title, project, owner, done], at) => [`seed-${at}`, { title, project, owner, done, at }])),
    notes: 'Tide tables are in the blue folder.\nThe ferry horn is tested on Mondays at noon.',
    pulse: { count: 0, at: 0 },
    particles: { running: true, count: 10_000, seed: 1 },
  },
  leader: isModule ? false : { preferVisible: true }, // what the leader does, a whole page does
  debug: (event) => listeners.forEach((listener) => listener(event)),
})

export type Shown = ReturnType<typeof store.getState>

/** Milliseconds since 1970, finer than Date.now(), and by one clock in all pages of a machine. */
export const preciseNow = (): number => performance.timeOrigin + performance.now()

/** One more change that others can tell the time of. */
export function beat(): void {
  changed(store.setState(({ pulse }) => ({ pulse: { count: pulse.count + 1, at: preciseNow() } })))
}

/** The tasks that the filters let through, in their order. */
export function shownTasks({ tasks, filters }: Pick<Shown, 'tasks' | 'filters'>): [string, Shown['tasks'][string]][] {
  const text = filters.text.trim().toLowerCase()
  return Object.entries(tasks)
    .filter(([, task]) => filters.project === 'all' || task.project === filters.project)
    .filter(([, task]) => filters.status === 'all' || task.done === (filters.status === 'done'))
    .filter(([, task]) => text === '' || task.title.toLowerCase().includes(text))
    .sort(([a, x], [b, y]) => x.at - y.at || a.localeCompare(b))
}
