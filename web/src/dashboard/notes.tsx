// A text that whoever types last has written.
import { useLayoutEffect, useRef } from 'react'
import { useStore } from 'tabmesh/react'
import { changed, store } from '../state.ts'

export function Notes() {
  const notes = useStore(store, ({ notes }) => notes)
  const area = useRef<HTMLTextAreaElement>(null)
  const caret = useRef(0)
  // What another tab writes must not send the caret to the end.
  useLayoutEffect(() => {
    if (document.activeElement === area.current) area.current!.setSelectionRange(caret.current, caret.current)
  }, [notes])
  return <textarea className="field" aria-label="Notes" ref={area} value={notes} onSelect={(event) => void (caret.current = event.currentTarget.selectionStart)} onChange={(event) => (void (caret.current = event.target.selectionStart), changed(store.setState({ notes: event.target.value })))} />
}
