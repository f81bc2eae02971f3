// The corner of a widget: dragged by pointer or by arrow keys, it changes the size; a double click gives the height back to the content.
import type { KeyboardEvent, PointerEvent } from 'react'
import type { Size } from '../options.ts'

const columnsMin = 2
const columnsMax = 6
const heightMin = 120
const heightMax = 1200
const heightStep = 20

interface ResizerProps {
  readonly title: string
  readonly size: Size
  readonly onSize: (size: Size) => void
}

const within = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value))
const sizeOf = (columns: number, height: number | undefined): Size => ({ columns: within(columns, columnsMin, columnsMax), ...(height === undefined ? {} : { height: within(Math.round(height / heightStep) * heightStep, heightMin, heightMax) }) })

export function Resizer({ title, size, onSize }: ResizerProps) {
  function change(next: Size): void {
    if (next.columns !== size.columns || next.height !== size.height) onSize(next)
  }

  function drag(event: PointerEvent<HTMLButtonElement>): void {
    const corner = event.currentTarget
    if (!corner.hasPointerCapture(event.pointerId)) return
    const widget = corner.parentElement!
    const box = widget.getBoundingClientRect()
    const grid = widget.parentElement!
    const columnWidth = grid.getBoundingClientRect().width / columnsMax
    const columns = Math.round((event.clientX - box.left) / columnWidth)
    const height = event.clientY - box.top
    // Who draws it sideways alone leaves the height to the content.
    const isSideways = size.height === undefined && Math.abs(height - box.height) < heightStep
    change(sizeOf(columns, isSideways ? undefined : height))
  }

  function press(event: KeyboardEvent<HTMLButtonElement>): void {
    const height = size.height ?? event.currentTarget.parentElement!.getBoundingClientRect().height
    const next: Record<string, Size> = {
      ArrowLeft: sizeOf(size.columns - 1, size.height),
      ArrowRight: sizeOf(size.columns + 1, size.height),
      ArrowUp: sizeOf(size.columns, height - heightStep),
      ArrowDown: sizeOf(size.columns, height + heightStep),
      Home: sizeOf(size.columns, undefined),
    }
    const wanted = next[event.key]
    if (!wanted) return
    event.preventDefault()
    change(wanted)
  }

  return (
    <button
      type="button"
      className="corner"
      aria-label={`Resize ${title}`}
      aria-description="Arrow keys change width and height; Home gives the height back to the content."
      title="Drag, or use the arrow keys; a double click gives the height back to the content"
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={press}
      onDoubleClick={() => change(sizeOf(size.columns, undefined))}
    />
  )
}
