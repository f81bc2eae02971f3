// The shared state of the demo, and the store that holds it.
import { createStore, type DebugEvent, type Write } from 'tabmesh'
import { boardOptions, type Board } from './options.ts'

export const projects = ['Harbour', 'Lighthouse', 'Ferry']
export const owners = ['Ada', 'Grace', 'Linus']

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

/** Of the address: `?relay=ws://…` makes of the board one that several devices share. */
export const relayUrl = new URLSearchParams(location.search).get('relay')

export const store = createStore<Board>({
  ...boardOptions(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'),
  leader: isModule ? false : { preferVisible: true }, // what the leader does, a whole page does
  ...(relayUrl ? { relay: { url: relayUrl, token: () => 'visitor' } } : {}),
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
