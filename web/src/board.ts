// The left side: filters and the widgets that can be dragged about.
import Sortable from 'sortablejs'
import { byId, h, replaceIn } from './dom.ts'
import { changed, owners, projects, shownTasks, store, type Board } from './state.ts'

type Shown = ReturnType<typeof store.getState>

function chips(legend: string, name: 'project' | 'status', values: readonly string[], chosen: string): HTMLElement {
  return h(
    'fieldset',
    {},
    h('legend', {}, legend),
    ...values.map((value) =>
      h(
        'label',
        { className: 'chip' },
        h('input', { type: 'radio', name, value, checked: value === chosen, 'data-key': `${name}-${value}`, onchange: () => changed(store.set(['filters', name], value)) }),
        h('span', {}, value === 'all' ? 'All' : value[0]!.toUpperCase() + value.slice(1)),
      ),
    ),
  )
}

function renderFilters({ filters }: Shown): void {
  const text = h('input', {
    className: 'field',
    type: 'search',
    placeholder: 'Search tasks',
    'aria-label': 'Search tasks',
    value: filters.text,
    'data-key': 'text',
    oninput: (event: Event) => changed(store.set(['filters', 'text'], (event.target as HTMLInputElement).value)),
  })
  const typing = document.activeElement?.getAttribute('data-key') === 'text' ? (document.activeElement as HTMLInputElement).selectionStart : undefined
  replaceIn(byId('filters'), chips('Project', 'project', ['all', ...projects], filters.project), chips('Show', 'status', ['all', 'open', 'done'], filters.status), text)
  if (typing !== undefined) text.setSelectionRange(typing, typing)
}

function tasksWidget(state: Shown): HTMLElement[] {
  const tasks = shownTasks(state)
  const list = tasks.length
    ? h(
        'ul',
        { className: 'tasks' },
        ...tasks.map(([id, task]) =>
          h(
            'li',
            { className: task.done ? 'task done' : 'task' },
            h('input', { type: 'checkbox', checked: task.done, 'aria-label': `${task.title}: done`, 'data-key': `done-${id}`, onchange: () => changed(store.set(['tasks', id, 'done'], !task.done)) }),
            h('span', { className: 'title' }, task.title),
            h('span', { className: 'tag' }, `${task.project} · ${task.owner}`),
            h('button', { type: 'button', 'aria-label': `Remove ${task.title}`, 'data-key': `remove-${id}`, onclick: () => changed(store.remove(['tasks', id])) }, '×'),
          ),
        ),
      )
    : h('p', { className: 'empty' }, 'No task fits the filters.')
  return [list, addForm(state)]
}

function addForm({ filters }: Shown): HTMLElement {
  const title = h('input', { className: 'field', name: 'title', placeholder: 'A new task', 'aria-label': 'Title of the new task', required: true, maxLength: 120, 'data-key': 'new-title' })
  const owner = h('select', { className: 'field', name: 'owner', 'aria-label': 'Owner', 'data-key': 'new-owner' }, ...owners.map((name) => h('option', {}, name)))
  const before = document.querySelector<HTMLFormElement>('form.add')
  if (before) {
    title.value = (before.elements.namedItem('title') as HTMLInputElement).value
    owner.value = (before.elements.namedItem('owner') as HTMLSelectElement).value
  }
  return h(
    'form',
    {
      className: 'add',
      onsubmit: (event: Event) => {
        event.preventDefault()
        const project = filters.project === 'all' ? projects[0]! : filters.project
        const text = title.value.trim()
        title.value = ''
        if (text) changed(store.set(['tasks', crypto.randomUUID()], { title: text, project, owner: owner.value, done: false, at: Date.now() }))
      },
    },
    title,
    owner,
    h('button', { className: 'button', type: 'submit' }, 'Add'),
  )
}

function bar(label: string, done: number, all: number): HTMLElement {
  return h('div', {}, h('dt', {}, label), h('dd', {}, `${done} of ${all}`), h('i', { style: `--part: ${all ? (100 * done) / all : 0}%` }))
}

function bars(state: Shown, names: readonly string[], of: 'project' | 'owner', done: boolean): HTMLElement[] {
  const tasks = Object.values(state.tasks)
  return [
    h(
      'dl',
      { className: 'bars' },
      ...names.map((name) => {
        const mine = tasks.filter((task) => task[of] === name)
        return bar(name, mine.filter((task) => task.done === done).length, mine.length)
      }),
    ),
  ]
}

function notesWidget(state: Shown): HTMLElement[] {
  const notes = h('textarea', { className: 'field', 'aria-label': 'Notes', value: state.notes, 'data-key': 'notes', oninput: (event: Event) => changed(store.setState({ notes: (event.target as HTMLTextAreaElement).value })) })
  const active = document.activeElement
  if (active?.getAttribute('data-key') === 'notes') {
    const { selectionStart, selectionEnd } = active as HTMLTextAreaElement
    queueMicrotask(() => notes.setSelectionRange(selectionStart, selectionEnd))
  }
  return [notes]
}

const widgets: Record<string, { title: string; wide?: boolean; render: (state: Shown) => HTMLElement[] }> = {
  tasks: { title: 'Tasks', wide: true, render: tasksWidget },
  progress: { title: 'Done by project', render: (state) => bars(state, projects, 'project', true) },
  load: { title: 'Open by person', render: (state) => bars(state, owners, 'owner', false) },
  notes: { title: 'Notes', wide: true, render: notesWidget },
}

function move(name: string, by: number): void {
  const layout = [...store.getState().layout]
  const from = layout.indexOf(name)
  const to = Math.min(layout.length - 1, Math.max(0, from + by))
  layout.splice(to, 0, ...layout.splice(from, 1))
  changed(store.setState({ layout }))
}

function renderWidgets(state: Shown): void {
  // A layout of another version may name widgets we do not have, or lack some.
  const order = [...new Set([...state.layout.filter((name) => name in widgets), ...Object.keys(widgets)])]
  replaceIn(
    byId('widgets'),
    ...order.map((name) => {
      const { title, wide, render } = widgets[name]!
      return h(
        'article',
        { className: wide ? 'card widget wide' : 'card widget', 'data-id': name },
        h(
          'h2',
          {},
          title,
          h(
            'span',
            { className: 'moves' },
            h('button', { type: 'button', 'aria-label': `Move ${title} up`, 'data-key': `up-${name}`, onclick: () => move(name, -1) }, '↑'),
            h('button', { type: 'button', 'aria-label': `Move ${title} down`, 'data-key': `down-${name}`, onclick: () => move(name, 1) }, '↓'),
          ),
        ),
        ...render(state),
      )
    }),
  )
}

export function startBoard(): void {
  let dragging = false
  const render = (state: Shown, previous?: Shown): void => {
    document.documentElement.dataset.theme = state.theme
    if (state.filters !== previous?.filters) renderFilters(state)
    const same = (['layout', 'tasks', 'filters', 'notes'] as const).every((key) => state[key] === previous?.[key])
    if (!same && !dragging) renderWidgets(state)
  }
  render(store.getState())
  store.subscribe(render)
  Sortable.create(byId('widgets'), {
    handle: 'h2',
    filter: 'button',
    preventOnFilter: false,
    animation: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 150,
    ghostClass: 'ghost',
    dataIdAttr: 'data-id',
    onStart: () => (dragging = true),
    onEnd(event) {
      dragging = false
      const layout = [...event.from.children].map((child) => child.getAttribute('data-id')!)
      changed(store.setState({ layout } satisfies Partial<Board>))
      renderWidgets(store.getState())
    },
  })
}
