// Which tasks are shown, in all tabs.
import { useStore } from 'tabmesh/react'
import { changed, projects, store } from '../state.ts'

export function Filters() {
  const filters = useStore(store, ({ filters }) => filters)
  return (
    <form className="filters card" aria-label="Filters, shared by all tabs" onSubmit={(event) => event.preventDefault()}>
      <Chips legend="Project" name="project" values={['all', ...projects]} chosen={filters.project} />
      <Chips legend="Show" name="status" values={['all', 'open', 'done']} chosen={filters.status} />
      <input className="field" type="search" placeholder="Search tasks" aria-label="Search tasks" value={filters.text} onChange={(event) => changed(store.set(['filters', 'text'], event.target.value))} />
    </form>
  )
}

interface ChipsProps {
  readonly legend: string
  readonly name: 'project' | 'status'
  readonly values: readonly string[]
  readonly chosen: string
}

function Chips({ legend, name, values, chosen }: ChipsProps) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {values.map((value) => (
        <label key={value} className="chip">
          <input type="radio" name={name} value={value} checked={value === chosen} onChange={() => changed(store.set(['filters', name], value))} />
          <span>{value[0]!.toUpperCase() + value.slice(1)}</span>
        </label>
      ))}
    </fieldset>
  )
}
