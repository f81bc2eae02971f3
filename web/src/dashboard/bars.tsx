// How many of whose tasks are done, or open.
import { useStore } from 'tabmesh/react'
import { store } from '../state.ts'

interface BarsProps {
  readonly names: readonly string[]
  readonly of: 'project' | 'owner'
  /** Which tasks are counted: those that are done, or those that are not. */
  readonly done: boolean
}

export function Bars({ names, of, done }: BarsProps) {
  const tasks = Object.values(useStore(store, ({ tasks }) => tasks))
  return (
    <dl className="bars">
      {names.map((name) => {
        const all = tasks.filter((task) => task[of] === name)
        const counted = all.filter((task) => task.done === done).length
        return (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {counted} of {all.length}
            </dd>
            <dd className="bar" style={{ '--part': `${all.length ? (100 * counted) / all.length : 0}%` } as React.CSSProperties} />
          </div>
        )
      })}
    </dl>
  )
}
