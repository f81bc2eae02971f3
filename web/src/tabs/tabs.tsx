// Who is here, who leads, how long it takes when the one who leads is gone; and ways to be gone.
import { useEffect, useReducer, useState } from 'react'
import { useLeader, useTabs } from 'tabmesh/react'
import { Columns } from '../parts/columns.tsx'
import { preciseNow, store } from '../state.ts'

interface TakeOver {
  readonly term: number
  readonly who: string
  readonly at: number
  /** Since the tab before said that it would be gone; undefined where it said nothing. */
  readonly ms: number | undefined
}

/** A tab that is about to be gone says so here, for those who measure. */
const going = new BroadcastChannel('demo:going')

export function Tabs() {
  return (
    <Columns label="Tabs" beside={<Going />} besideLabel="Ways to be gone">
      <Census />
      <TakeOvers />
    </Columns>
  )
}

const timeOf = (ms: number): string => new Date(ms).toLocaleTimeString('en-GB')

function Census() {
  const tabs = useTabs(store)
  const [, redraw] = useReducer((n: number) => n + 1, 0)
  useEffect(() => {
    const timer = setInterval(redraw, 1000)
    return () => clearInterval(timer)
  }, [])
  return (
    <section className="card">
      <h2>
        Who is here <span className="count">{tabs.length}</span>
      </h2>
      <div className="scroll" tabIndex={0} role="region" aria-label="Tabs, in a table">
        <table className="table">
          <thead>
            <tr>
              <th>tab</th>
              <th>role</th>
              <th>visible</th>
              <th>since</th>
              <th>heard of</th>
            </tr>
          </thead>
          <tbody id="census">
            {store.tabs.map(({ id, label, isLeader, visible, connectedAt, lastSeen }) => (
              <tr key={id}>
                <td>
                  <b>{id === store.tab.id ? 'this tab' : label}</b>
                </td>
                <td>{isLeader ? <span className="badge">leader</span> : 'follower'}</td>
                <td>{visible ? 'yes' : 'no'}</td>
                <td>{timeOf(connectedAt)}</td>
                <td>{Math.max(0, Math.round((Date.now() - lastSeen) / 1000))} s ago</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function TakeOvers() {
  const { isLeader, term } = useLeader(store)
  const [list, setList] = useState<readonly TakeOver[]>([])
  const [problem, setProblem] = useState('')
  useEffect(() => {
    let goneAt: number | undefined
    let last = store.leader.id
    const hear = ({ data }: MessageEvent): void => void (goneAt = Number(data))
    going.addEventListener('message', hear)
    const undo = store.on('leader', ({ id, term, isLeader }) => {
      if (id === undefined || id === last) return
      const isFirst = last === undefined
      last = id
      if (isFirst) return
      const who = isLeader ? 'this tab' : (store.tabs.find((tab) => tab.id === id)?.label ?? 'another tab')
      const ms = goneAt === undefined ? undefined : preciseNow() - goneAt
      goneAt = undefined
      setList((before) => [{ term, who, at: Date.now(), ms }, ...before].slice(0, 20))
    })
    return () => {
      going.removeEventListener('message', hear)
      undo()
    }
  }, [])
  return (
    <section className="card">
      <h2>
        Changes of leader
        <button className="button small" type="button" disabled={isLeader} onClick={() => void store.leader.force().catch((error: unknown) => setProblem((error as Error).message))}>
          Lead from this tab
        </button>
      </h2>
      {problem && <p role="status">{problem}</p>}
      <p className="quiet first">
        Term {term}, {store.leader.guarantee}: {store.leader.guarantee === 'fenced' ? 'what an earlier leader still does to the storage does not count' : 'without a database nothing is fenced'}.
      </p>
      {list.length === 0 ? (
        <p className="empty">None since this view was opened. Open another tab, and close the one that leads.</p>
      ) : (
        <div className="scroll" tabIndex={0} role="region" aria-label="Changes of leader, in a table">
          <table className="table">
            <thead>
              <tr>
                <th>at</th>
                <th>leader</th>
                <th>term</th>
                <th>after</th>
              </tr>
            </thead>
            <tbody id="takeovers">
              {list.map(({ term, who, at, ms }) => (
                <tr key={term}>
                  <td>{timeOf(at)}</td>
                  <td>{who}</td>
                  <td>{term}</td>
                  <td>{ms === undefined ? '–' : ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(1)} s`}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}

/** Nothing of this page runs meanwhile: no timer, no message is heard. */
function block(seconds: number): void {
  going.postMessage(preciseNow())
  const end = performance.now() + seconds * 1000
  while (performance.now() < end);
}

/** Bytes that a page's JavaScript may have in Chromium, which ends the page's process where it takes more; undefined elsewhere, where memory may not end before the machine's does. */
const heapMax = (performance as { memory?: { jsHeapSizeLimit: number } }).memory?.jsHeapSizeLimit

function crash(max: number): void {
  going.postMessage(preciseNow())
  setTimeout(() => {
    const taken: number[][] = []
    for (let bytes = 0; bytes < 2 * max; bytes += 8 << 24) taken.push(new Array<number>(1 << 24).fill(0.5))
  }, 50) // the message is on its way
}

function Going() {
  return (
    <section className="card">
      <h2>Be gone</h2>
      <p className="quiet first">What becomes of the others when this tab is gone, in one way or another. Open a second tab to see it.</p>
      <div className="stack">
        <button className="button" type="button" onClick={() => (going.postMessage(preciseNow()), location.assign('about:blank'))}>
          Leave the page, to be frozen
        </button>
        {heapMax !== undefined && (
          <button className="button" type="button" onClick={() => crash(heapMax)}>
            Crash this tab
          </button>
        )}
        <button className="button" type="button" onClick={() => block(5)}>
          Block this tab for 5 seconds
        </button>
        <button className="button" type="button" onClick={() => block(40)}>
          Block this tab for 40 seconds
        </button>
      </div>
      {heapMax === undefined && <p className="quiet">In this browser a page cannot crash itself: end its process by the task manager, or close the tab.</p>}
      <p className="quiet">A leader that leaves is frozen by the browser, and hands over before; go back, and it is a member again. One that crashes says nothing: its lock is free the moment it is gone. One that is blocked for 5 seconds stays leader. One that is silent for 40 is deposed after some 20, and finds that out when it wakes.</p>
    </section>
  )
}
