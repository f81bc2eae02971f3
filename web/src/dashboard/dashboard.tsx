// The dashboard: filters, widgets, and beside them what tabmesh is doing.
import { Columns } from '../parts/columns.tsx'
import { Filters } from './filters.tsx'
import { Mesh } from './mesh.tsx'
import { Widgets } from './widgets.tsx'

export function Dashboard() {
  return (
    <Columns label="Board" beside={<Mesh />} besideLabel="What tabmesh is doing">
      <Filters />
      <Widgets />
    </Columns>
  )
}
