// Frames of this page that follow the parent: each is a tab of the mesh by itself.
import { useEffect, useRef, useState } from 'react'
import { useStore } from 'tabmesh/react'
import { answerProbes, isSeen } from '../parts/probe.ts'
import { useRedraw } from '../parts/use-redraw.ts'
import { beat, shownTasks, store } from '../state.ts'

const most = 20
const keptSamples = 200

const percentile = (samples: readonly number[], part: number): string => {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted.length === 0 ? '–' : `${sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!.toFixed(1)} ms`
}

export function Modules() {
  const [count, setCount] = useState(0)
  const samples = useRef<Record<string, number[]>>({}).current
  const redraw = useRedraw()

  useEffect(() => {
    const hear = ({ data, origin }: MessageEvent): void => {
      if (origin !== location.origin || !isSeen(data) || data.way !== 'store') return
      const own = (samples[data.frame] ??= [])
      own.push(data.ms)
      if (own.length > keptSamples) own.shift()
      redraw()
    }
    addEventListener('message', hear)
    return () => removeEventListener('message', hear)
  }, [samples, redraw])

  const names = Array.from({ length: count }, (_, i) => `module-${i + 1}`)
  return (
    <>
      <p className="quiet first">Frames of this page. Each is a member of the mesh, and says when it has seen a change.</p>
      <div className="row">
        <button className="button" type="button" disabled={count === most} onClick={() => setCount(count + 1)}>
          Add a module
        </button>
        <button className="button" type="button" disabled={count === 0} onClick={() => setCount(count - 1)}>
          Remove one
        </button>
        <button className="button" type="button" disabled={count === 0} onClick={beat}>
          Change something
        </button>
      </div>
      {count > 0 && (
        <ul className="modules">
          {names.map((name) => (
            <li key={name}>
              <iframe title={name} name={name} src={`${location.pathname}${location.search}#/module`} loading="eager" />
              <p className="quiet">
                set → seen: p50 {percentile(samples[name] ?? [], 0.5)} · p95 {percentile(samples[name] ?? [], 0.95)}
              </p>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

/** What is in such a frame. */
export function Module() {
  const state = useStore(store)
  const open = shownTasks(state).filter(([, { done }]) => !done).length
  useEffect(() => {
    document.documentElement.classList.add('framed')
    const { seen, close } = answerProbes()
    const undo = store.subscribe(
      ({ pulse }) => pulse.at,
      (at) => seen('store', at),
    )
    return () => {
      undo()
      close()
    }
  }, [])
  return (
    <main className="module">
      <h1>{state.filters.project === 'all' ? 'All projects' : state.filters.project}</h1>
      <span>{open} open</span>
      <span className="quiet">change {state.pulse.count}</span>
    </main>
  )
}
