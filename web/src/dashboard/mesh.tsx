// Beside the board: who is here, how far the last change has come, how fast, and every frame.
import { useEffect, useReducer, useRef, useState } from 'react'
import { useTabs } from 'tabmesh/react'
import type { DebugEvent, Write } from 'tabmesh'
import { Chart } from '../parts/chart.tsx'
import { useRedraw } from '../parts/use-redraw.ts'
import { beat, onChange, onDebug, store } from '../state.ts'

const shownFrames = 60
const shownSamples = 60

export function Mesh() {
  return (
    <>
      <Tabs />
      <LastChange />
      <Frames />
    </>
  )
}

function since(ms: number): string {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000))
  return seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`
}

function Tabs() {
  const tabs = useTabs(store)
  const [, redraw] = useReducer((n: number) => n + 1, 0)
  useEffect(() => {
    const timer = setInterval(redraw, 5000)
    return () => clearInterval(timer)
  }, [])
  return (
    <section className="card">
      <h2>
        Tabs <span className="count">{tabs.length}</span>
      </h2>
      <ul id="tabs" className="tabs">
        {tabs.map(({ id, label, isLeader, visible, connectedAt }) => (
          <li key={id} className={[visible && 'visible', isLeader && 'leads'].filter(Boolean).join(' ')}>
            <i title={visible ? 'visible' : 'hidden'} />
            <b>{id === store.tab.id ? 'this tab' : label}</b>
            <small>
              {visible ? 'visible' : 'hidden'} · {since(connectedAt)}
            </small>
          </li>
        ))}
      </ul>
    </section>
  )
}

const levels = [
  ['applied', 'in this tab'],
  ['shared', 'another tab has it'],
  ['durable', 'stored on disk'],
] as const

/** Follows each write of this tab through its levels. */
function LastChange() {
  const reached = useRef<Partial<Record<(typeof levels)[number][0], number>>>({})
  const samples = useRef<number[]>([])
  const alone = useRef(false)
  const redraw = useRedraw()

  useEffect(
    () =>
      onChange((write: Write) => {
        const started = performance.now()
        const own: typeof reached.current = (reached.current = {})
        alone.current = store.tabs.length < 2
        const isAlone = alone.current
        for (const [level] of levels) {
          write[level].then(
            () => {
              own[level] = performance.now() - started
              if (level === 'shared' && !isAlone) samples.current = [...samples.current, own[level]].slice(-shownSamples)
              redraw()
            },
            () => undefined,
          )
        }
        redraw()
      }),
    [redraw],
  )

  return (
    <>
      <section className="card">
        <h2>Last change of this tab</h2>
        <ol className="levels">
          {levels.map(([level, meaning]) => (
            <li key={level} className={reached.current[level] === undefined ? '' : 'reached'}>
              <span>
                <b>{level}</b> {level === 'shared' && alone.current ? 'no other tab: as durable' : meaning}
              </span>
              <time>{reached.current[level] === undefined ? '' : level === 'applied' ? 'at once' : `${reached.current[level].toFixed(1)} ms`}</time>
            </li>
          ))}
        </ol>
      </section>
      <section className="card">
        <h2>Time until another tab has it</h2>
        <Chart label="Time until another tab has a change" unit="ms" samples={samples.current} most={shownSamples} top={2} />
        <p id="figures" className="quiet">
          {figures(samples.current)}
        </p>
        <Stir />
      </section>
    </>
  )
}

function figures(samples: readonly number[]): string {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (part: number): string => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!.toFixed(1)
  return sorted.length ? `set → acknowledged: p50 ${at(0.5)} ms · p95 ${at(0.95)} ms · ${sorted.length} changes` : 'Open another tab and change something.'
}

function Stir() {
  const [busy, setBusy] = useState(false)
  async function stir(): Promise<void> {
    setBusy(true)
    for (let i = 0; i < 60; i++) {
      beat()
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    setBusy(false)
  }
  return (
    <button id="stir" className="button" type="button" disabled={busy} onClick={() => void stir()}>
      Make 60 changes
    </button>
  )
}

interface Shown {
  readonly key: number
  readonly direction: 'in' | 'out' | 'disk'
  readonly kind: string
  readonly bytes: number
  readonly at: number
}

let frames = 0

function shownOf(event: DebugEvent): Shown | undefined {
  if (event.type === 'slow') return undefined
  const { at, bytes } = event
  return event.type === 'frame' ? { key: ++frames, direction: event.direction, kind: event.kind, bytes, at } : { key: ++frames, direction: 'disk', kind: `${event.records} record${event.records === 1 ? '' : 's'}`, bytes, at }
}

const timeOf = (at: number): string => `${new Date(at).toTimeString().slice(0, 8)}.${String(new Date(at).getMilliseconds()).padStart(3, '0')}`
const arrows = { in: '← in', out: '→ out', disk: '↓ disk' }

function Frames() {
  const rows = useRef<Shown[]>([])
  const [paused, setPaused] = useState(false)
  const redraw = useRedraw()
  useEffect(
    () =>
      onDebug((event) => {
        const shown = paused ? undefined : shownOf(event)
        if (shown) rows.current = [shown, ...rows.current].slice(0, shownFrames)
        redraw()
      }),
    [paused, redraw],
  )
  const { framesIn, framesOut, bytesIn, bytesOut } = store.stats()
  return (
    <section className="card">
      <h2>
        Frames
        <button className="button small" type="button" onClick={() => setPaused(!paused)}>
          {paused ? 'Go on' : 'Pause'}
        </button>
      </h2>
      <div className="log" tabIndex={0} role="region" aria-label="Log of frames">
        <table>
          <thead>
            <tr>
              <th>time</th>
              <th>
                <span className="hidden">direction</span>
              </th>
              <th>kind</th>
              <th>bytes</th>
            </tr>
          </thead>
          <tbody id="frames">
            {rows.current.map(({ key, direction, kind, bytes, at }) => (
              <tr key={key} className={direction}>
                <td>{timeOf(at)}</td>
                <td>{arrows[direction]}</td>
                <td>{kind}</td>
                <td>{bytes.toLocaleString('en')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="quiet">
        {framesOut} frames out ({(bytesOut / 1024).toFixed(1)} KiB), {framesIn} in ({(bytesIn / 1024).toFixed(1)} KiB)
      </p>
    </section>
  )
}
