// What a view is for, and beside it, or below it in a narrow window, what belongs to that.
import type { ReactNode } from 'react'

interface ColumnsProps {
  readonly children: ReactNode
  /** What it is, for those who do not see it. */
  readonly label: string
  readonly beside: ReactNode
  readonly besideLabel: string
}

export function Columns({ children, label, beside, besideLabel }: ColumnsProps) {
  return (
    <div className="columns">
      <section className="board" aria-label={label}>
        {children}
      </section>
      <aside className="mesh" aria-label={besideLabel}>
        {beside}
      </aside>
    </div>
  )
}
