// One of the two replicas, in a frame: a store whose only way to the other is the wire.
import { StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { createStore, type Conflict } from 'tabmesh'
import { useConflicts, useStore } from 'tabmesh/react'
import '../style.css'
import { isOfWire, type FromReplica, type ToReplica } from './wire.ts'

const receivers = new Map<string, (frame: Uint8Array) => void>()
const tell = (message: FromReplica): void => parent.postMessage(message, location.origin)

const store = createStore({
  name: 'demo-replica',
  state: { card: { title: 'Paint the boat', owner: 'Ada' }, colour: 'blue', berth: 'free', votes: 0, plan: 'In May' },
  conflicts: { colour: 'last-write-wins', berth: 'first-write-wins', plan: 'prompt' },
  persist: false,
  channels: [
    {
      name: 'wire',
      open(mesh, receive) {
        receivers.set(mesh, receive)
        return { post: (frame) => tell({ wire: 'frame', mesh, frame }), close: () => void receivers.delete(mesh) }
      },
    },
  ],
})

export function start(): void {
  addEventListener('message', ({ data, origin, source }: MessageEvent) => {
    if (origin !== location.origin || source !== parent || !isOfWire<ToReplica>(data)) return
    if (data.wire === 'frame') receivers.get(data.mesh)?.(data.frame)
    else if (data.wire === 'mended') store.requestState()
    else document.documentElement.dataset.theme = data.theme
  })
  store.subscribe((state) => tell({ wire: 'shows', state: JSON.stringify(state) }))
  store.ready.then(
    () => tell({ wire: 'shows', state: JSON.stringify(store.getState()) }),
    () => undefined, // it works by itself, and says so
  )
  document.documentElement.classList.add('framed')
  createRoot(document.getElementById('page')!).render(
    <StrictMode>
      <Replica />
    </StrictMode>,
  )
}

function Replica() {
  const { card, colour, berth, votes, plan } = useStore(store)
  return (
    <main className="replica">
      <h1 className="hidden">A replica</h1>
      <Row title="Title" how="merged by field">
        <input className="field" aria-label="Title" value={card.title} onChange={(event) => store.set(['card', 'title'], event.target.value)} />
      </Row>
      <Row title="Owner" how="merged by field">
        <input className="field" aria-label="Owner" value={card.owner} onChange={(event) => store.set(['card', 'owner'], event.target.value)} />
      </Row>
      <Row title="Colour" how="the later wins">
        <Choice name="Colour" values={['blue', 'red', 'green']} chosen={colour} choose={(value) => store.set(['colour'], value)} />
      </Row>
      <Row title="Berth" how="the earlier wins">
        <Choice name="Berth" values={['free', 'Ada', 'Grace']} chosen={berth} choose={(value) => store.set(['berth'], value)} />
      </Row>
      <Row title="Votes" how="they add up">
        <span className="votes">
          <output aria-label="Votes">{votes}</output>
          <button className="button small" type="button" onClick={() => store.increment(['votes'])}>
            One more
          </button>
        </span>
      </Row>
      <Row title="Plan" how="somebody chooses">
        <Plan plan={plan} />
      </Row>
      <Inbox />
    </main>
  )
}

function Row({ title, how, children }: { title: string; how: string; children: React.ReactNode }) {
  return (
    <div className="pair">
      <span>
        <b>{title}</b> <small>{how}</small>
      </span>
      {children}
    </div>
  )
}

function Choice({ name, values, chosen, choose }: { name: string; values: readonly string[]; chosen: string; choose: (value: string) => void }) {
  return (
    <select className="field" aria-label={name} value={chosen} onChange={(event) => choose(event.target.value)}>
      {values.map((value) => (
        <option key={value}>{value}</option>
      ))}
    </select>
  )
}

/** Written as a whole: each write is one that others may have to choose from. */
function Plan({ plan }: { plan: string }) {
  const [text, setText] = useState<string>()
  function write(event: React.SubmitEvent): void {
    event.preventDefault()
    if (text !== undefined && text !== plan) store.set(['plan'], text)
    setText(undefined)
  }
  return (
    <form className="votes" onSubmit={write}>
      <input className="field" aria-label="Plan" value={text ?? plan} onChange={(event) => setText(event.target.value)} />
      <button className="button small" type="submit" disabled={text === undefined || text === plan}>
        Write
      </button>
    </form>
  )
}

function Inbox() {
  const conflicts = useConflicts(store)
  return (
    <section className="inbox" aria-label="Inbox">
      {conflicts.length === 0 ? <p className="quiet first">Nothing awaits a choice.</p> : conflicts.map((conflict) => <Choose key={conflict.id} conflict={conflict} />)}
    </section>
  )
}

function Choose({ conflict: { id, path, base, values } }: { conflict: Conflict }) {
  const nameOf = (tab: string): string => (tab === store.tab.id ? 'Mine' : 'Theirs')
  return (
    <>
      <p className="quiet first">
        <b>{path.join('.')}</b> was {JSON.stringify(base)}. Which one is it to be?
      </p>
      <div className="stack">
        {values.map(({ tab, value }) => (
          <button key={tab} className="button" type="button" onClick={() => store.conflicts.resolve(id, { value })}>
            {nameOf(tab)}: {String(value)}
          </button>
        ))}
      </div>
    </>
  )
}
