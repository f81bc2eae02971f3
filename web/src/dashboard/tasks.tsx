// The tasks that the filters let through, and a form for another.
import { useState } from 'react'
import { useStore } from 'tabmesh/react'
import { changed, owners, projects, shownTasks, store } from '../state.ts'

export function Tasks() {
  const tasks = useStore(store, ({ tasks }) => tasks)
  const filters = useStore(store, ({ filters }) => filters)
  const shown = shownTasks({ tasks, filters })
  return (
    <>
      {shown.length === 0 ? (
        <p className="empty">No task fits the filters.</p>
      ) : (
        <ul className="tasks">
          {shown.map(([id, task]) => (
            <li key={id} className={task.done ? 'task done' : 'task'}>
              <input type="checkbox" checked={task.done} aria-label={`${task.title}: done`} onChange={() => changed(store.set(['tasks', id, 'done'], !task.done))} />
              <span className="title">{task.title}</span>
              <span className="tag">
                {task.project} · {task.owner}
              </span>
              <button type="button" aria-label={`Remove ${task.title}`} onClick={() => changed(store.remove(['tasks', id]))}>
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
      <AddTask project={filters.project === 'all' ? projects[0]! : filters.project} />
    </>
  )
}

function AddTask({ project }: { project: string }) {
  const [title, setTitle] = useState('')
  const [owner, setOwner] = useState(owners[0]!)

  function add(event: React.SubmitEvent): void {
    event.preventDefault()
    if (title.trim()) changed(store.set(['tasks', crypto.randomUUID()], { title: title.trim(), project, owner, done: false, at: Date.now() }))
    setTitle('')
  }

  return (
    <form className="add" onSubmit={add}>
      <input className="field" placeholder="A new task" aria-label="Title of the new task" required maxLength={120} value={title} onChange={(event) => setTitle(event.target.value)} />
      <select className="field" aria-label="Owner" value={owner} onChange={(event) => setOwner(event.target.value)}>
        {owners.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <button className="button" type="submit">
        Add
      </button>
    </form>
  )
}
