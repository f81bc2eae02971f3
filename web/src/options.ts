// What the demo's store is, for its pages and for its service worker.

export interface Task {
  title: string
  project: string
  owner: string
  done: boolean
  /** Position by time of making: tasks are a map, so that two tabs can add at once. */
  at: number
}

/** Of a widget. */
export interface Size {
  /** Of six. */
  columns: number
  /** In pixels; as high as its content where there is none. */
  height?: number
}

export interface Board {
  theme: 'light' | 'dark'
  filters: { project: string; status: 'all' | 'open' | 'done'; text: string }
  /** Widgets in their order. */
  layout: string[]
  sizes: Record<string, Size>
  tasks: Record<string, Task>
  notes: string
  /** Written by "Make 60 changes": how many, and when the last was made, in milliseconds since 1970. */
  pulse: { count: number; at: number }
  particles: { running: boolean; count: number; seed: number }
  /** Another device is asked, and its leader answers under its tab's id. */
  echo: { by: string; n: number; answers: Record<string, number> }
}

const seed: [string, string, string, boolean][] = [
  ['Agree on the colour of the new jetty', 'Harbour', 'Ada', true],
  ['Order bollards for the east quay', 'Harbour', 'Grace', false],
  ['Replace the lamp, log the hours', 'Lighthouse', 'Linus', false],
  ['Paint the gallery railing', 'Lighthouse', 'Ada', false],
  ['Summer timetable to the printers', 'Ferry', 'Grace', true],
  ['Book the dry dock for October', 'Ferry', 'Linus', false],
]

export const boardOptions = (theme: Board['theme']) => ({
  name: 'demo',
  version: 3,
  migrations: [
    { version: 2, up: ({ pulse: _, ...rest }: Record<string, unknown>) => rest }, // the pulse was a number
    { version: 3, up: ({ wide, ...rest }: Record<string, unknown>) => ({ ...rest, sizes: Object.fromEntries(Object.entries(wide as Record<string, boolean>).map(([name, is]) => [name, { columns: is ? 6 : 3 }])) }) }, // widgets were wide or narrow
  ],
  state: {
    theme,
    filters: { project: 'all', status: 'all', text: '' },
    layout: ['tasks', 'progress', 'load', 'notes', 'modules'],
    sizes: { tasks: { columns: 6 }, progress: { columns: 3 }, load: { columns: 3 }, notes: { columns: 6 }, modules: { columns: 6 } },
    tasks: Object.fromEntries(seed.map(([title, project, owner, done], at) => [`seed-${at}`, { title, project, owner, done, at }])),
    notes: 'Tide tables are in the blue folder.\nThe ferry horn is tested on Mondays at noon.',
    pulse: { count: 0, at: 0 },
    particles: { running: true, count: 10_000, seed: 1 },
    echo: { by: '', n: 0, answers: {} },
  } satisfies Board as Board,
})
