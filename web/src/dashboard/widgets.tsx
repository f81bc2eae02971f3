// Widgets that are dragged about and resized, in all tabs; by the keyboard, too.
import { useEffect, useRef, type ComponentType } from 'react'
import Sortable from 'sortablejs'
import { useStore } from 'tabmesh/react'
import { changed, owners, projects, store } from '../state.ts'
import { Bars } from './bars.tsx'
import { Modules } from './modules.tsx'
import { Notes } from './notes.tsx'
import { Resizer } from './resizer.tsx'
import { Tasks } from './tasks.tsx'

const widgets: Record<string, { title: string; Content: ComponentType }> = {
  tasks: { title: 'Tasks', Content: Tasks },
  progress: { title: 'Done by project', Content: () => <Bars names={projects} of="project" done={true} /> },
  load: { title: 'Open by person', Content: () => <Bars names={owners} of="owner" done={false} /> },
  notes: { title: 'Notes', Content: Notes },
  modules: { title: 'Modules', Content: Modules },
}

/** A layout of another version may name widgets we do not have, or lack some. */
const known = (layout: readonly string[]): string[] => [...new Set([...layout.filter((name) => Object.hasOwn(widgets, name)), ...Object.keys(widgets)])]

function move(name: string, by: number): void {
  const layout = known(store.getState().layout)
  const from = layout.indexOf(name)
  const to = Math.min(layout.length - 1, Math.max(0, from + by))
  layout.splice(to, 0, ...layout.splice(from, 1))
  changed(store.setState({ layout }))
}

export function Widgets() {
  const layout = known(useStore(store, ({ layout }) => layout))
  const place = useRef<HTMLDivElement>(null)

  useEffect(() => {
    const sortable = Sortable.create(place.current!, {
      handle: 'h2',
      filter: 'button',
      preventOnFilter: false,
      animation: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 150,
      ghostClass: 'ghost',
      dataIdAttr: 'data-id',
      onEnd({ from, item, oldIndex, newIndex }) {
        const dropped = [...from.children].map((child) => child.getAttribute('data-id')!)
        // React puts them where the layout says: it must find them where it left them.
        from.insertBefore(item, from.children[oldIndex! < newIndex! ? oldIndex! : oldIndex! + 1] ?? null)
        changed(store.setState({ layout: dropped }))
      },
    })
    return () => sortable.destroy()
  }, [])

  return (
    <div className="widgets" ref={place}>
      {layout.map((name) => (
        <Widget key={name} name={name} />
      ))}
    </div>
  )
}

function Widget({ name }: { name: string }) {
  const { title, Content } = widgets[name]!
  const size = useStore(store, ({ sizes }) => sizes[name]) ?? { columns: 3 }
  return (
    <article className={size.height === undefined ? 'card widget' : 'card widget set'} data-id={name} style={{ '--columns': size.columns, '--height': size.height === undefined ? 'auto' : `${size.height}px` } as React.CSSProperties}>
      <h2>
        {title}
        <span className="moves">
          <button type="button" aria-label={`Move ${title} up`} onClick={() => move(name, -1)}>
            ↑
          </button>
          <button type="button" aria-label={`Move ${title} down`} onClick={() => move(name, 1)}>
            ↓
          </button>
        </span>
      </h2>
      <div className="content">
        <Content />
      </div>
      <Resizer title={title} size={size} onSize={(next) => changed(store.set(['sizes', name], { ...next }))} />
    </article>
  )
}
