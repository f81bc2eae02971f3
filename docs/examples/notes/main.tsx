// Notes in React: fields of one note merge, a title that two tabs have written waits for a choice, and one sees when all is stored.
import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { createRoot } from 'react-dom/client'
import { createStore } from 'tabmesh'
import { useConflicts, useStore, useTabs } from 'tabmesh/react'

interface Note {
  id: string
  title: string
  text: string
}
interface Notes {
  heading: string
  notes: Note[]
}

const store = createStore<Notes>({
  name: 'notes',
  state: { heading: 'Notes', notes: [{ id: 'first', title: 'Harbour', text: 'Open this page twice and write into both.' }] },
  lists: { notes: 'id' },
  conflicts: { heading: 'prompt' },
  throttleMs: 100,
})
Object.assign(window, { store })

const useSaved = (): boolean =>
  useSyncExternalStore(
    (changed) => store.on('status', changed),
    () => store.status.safeToClose,
    () => true,
  )

function NoteCard({ note, index }: { note: Note; index: number }) {
  const set = (field: 'title' | 'text') => (event: { target: { value: string } }) => void store.set(['notes', index, field], event.target.value)
  return (
    <li>
      <input aria-label="Title" value={note.title} onChange={set('title')} />
      <textarea aria-label={`Text of ${note.title}`} value={note.text} onChange={set('text')} />
      <button onClick={() => store.remove(['notes', index])}>Remove</button>
    </li>
  )
}

function Inspector() {
  const holder = useRef<HTMLDivElement>(null)
  useEffect(() => {
    let element: HTMLElement | undefined
    let gone = false
    // By import(): it is no part of what is loaded first.
    void import('tabmesh/inspector').then(({ defineInspector }) => {
      if (gone) return
      void defineInspector()
      element = Object.assign(document.createElement('tabmesh-inspector'), { store })
      holder.current?.append(element)
    })
    return () => {
      gone = true
      element?.remove()
    }
  }, [])
  return <div ref={holder} />
}

function App() {
  const heading = useStore(store, (state) => state.heading)
  const notes = useStore(store, (state) => state.notes)
  const tabs = useTabs(store)
  const waiting = useConflicts(store)
  const saved = useSaved()
  const [inspects, setInspects] = useState(false)
  const add = () => void store.setState((state) => ({ notes: [...state.notes, { id: crypto.randomUUID(), title: 'New', text: '' }] }))
  return (
    <main>
      <header>
        <h1>
          <input aria-label="Heading" value={heading} onChange={(event) => void store.setState({ heading: event.target.value })} />
        </h1>
        <p className="soft" role="status">
          {saved ? 'All is stored.' : 'Storing …'} {tabs.length > 1 ? `${tabs.length} tabs are here.` : ''} {waiting.length > 0 ? 'The heading awaits a choice: see the inspector.' : ''}
        </p>
      </header>
      <ul className="notes">
        {notes.map((note, index) => (
          <NoteCard key={note.id} note={note} index={index} />
        ))}
      </ul>
      <p className="soft">
        <button onClick={add}>Add a note</button> <button aria-expanded={inspects} onClick={() => setInspects(!inspects)}>{inspects ? 'Hide the inspector' : 'Show the inspector'}</button>
      </p>
      {inspects && <Inspector />}
    </main>
  )
}

createRoot(document.getElementById('root')!).render(<App />)
