// The dashboard: filters, widgets, and beside them what tabmesh is doing.
import { Filters } from './filters.tsx'
import { Mesh } from './mesh.tsx'
import { Widgets } from './widgets.tsx'

export function Dashboard() {
  return (
    <div className="columns">
      <section className="board" aria-label="Board">
        <Filters />
        <Widgets />
      </section>
      <Mesh />
    </div>
  )
}
