// set -> seen in frames of this page, against the bare ways of the browser: one after another, in one run.
import { useEffect, useRef, useState } from 'react'
import { createProber, isSeen, ways, type WayName } from '../parts/probe.ts'
import { beat } from '../state.ts'

const frameCounts = [1, 3, 10, 20]
const rounds = 60
const settleMs = 30
/** The bounds of the histogram, in milliseconds; the last class has no end. */
const bounds = [0.5, 1, 2, 4, 8, 16, 32]

type Samples = Partial<Record<WayName, readonly number[]>>

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export function Latency() {
  const [count, setCount] = useState(3)
  const [samples, setSamples] = useState<Samples>({})
  const [round, setRound] = useState(0)
  const frames = useRef<(HTMLIFrameElement | null)[]>([])
  const collected = useRef<Partial<Record<WayName, number[]>>>({})
  const stopped = useRef(false)

  useEffect(() => {
    stopped.current = false
    const hear = ({ data, origin }: MessageEvent): void => {
      if (origin === location.origin && isSeen(data)) (collected.current[data.way] ??= []).push(data.ms)
    }
    addEventListener('message', hear)
    return () => {
      stopped.current = true
      removeEventListener('message', hear)
    }
  }, [])

  async function measure(): Promise<void> {
    collected.current = {}
    const prober = createProber(() => frames.current.flatMap((frame) => frame?.contentWindow ?? []))
    for (let n = 1; n <= rounds && !stopped.current; n++) {
      for (const way of ways) {
        if (way === 'store') beat()
        else prober.send(way)
        await pause(settleMs)
      }
      setRound(n)
      if (n % 10 === 0) setSamples(Object.fromEntries(ways.map((way) => [way, [...(collected.current[way] ?? [])]])))
    }
    prober.close()
    setRound(0)
  }

  return (
    <div className="columns">
      <section className="board" aria-label="Latency">
        <form className="filters card" aria-label="What is measured" onSubmit={(event) => event.preventDefault()}>
          <button className="button primary" type="button" disabled={round > 0} onClick={() => void measure()}>
            {round > 0 ? `Round ${round} of ${rounds}` : 'Measure'}
          </button>
          <fieldset disabled={round > 0}>
            <legend>Frames</legend>
            {frameCounts.map((value) => (
              <label key={value} className="chip">
                <input type="radio" name="frames" checked={value === count} onChange={() => (setCount(value), setSamples({}))} />
                <span>{value}</span>
              </label>
            ))}
          </fieldset>
        </form>
        {ways.map((way) => (
          <Way key={way} way={way} samples={samples[way] ?? []} />
        ))}
      </section>
      <aside className="mesh" aria-label="Frames">
        <section className="card">
          <h2>Frames</h2>
          <p className="quiet first">Each has a store of its own. A way is used, and each frame says when it has seen it: all of them run in turn, on one thread.</p>
          <ul className="modules">
            {Array.from({ length: count }, (_, i) => (
              <li key={i}>
                <iframe title={`Frame ${i + 1}`} name={`frame-${i + 1}`} src={`${location.pathname}${location.search}#/module`} ref={(frame) => void (frames.current[i] = frame)} />
              </li>
            ))}
          </ul>
        </section>
      </aside>
    </div>
  )
}

const titles: Record<WayName, string> = { store: 'tabmesh: set → seen', BroadcastChannel: 'A bare BroadcastChannel', postMessage: 'postMessage to each', 'storage event': 'A storage event' }

function Way({ way, samples }: { way: WayName; samples: readonly number[] }) {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (part: number): string => `${sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!.toFixed(1)} ms`
  const classes = [...bounds, Infinity].map((to, i) => sorted.filter((ms) => ms <= to && ms > (bounds[i - 1] ?? -Infinity)).length)
  const most = Math.max(1, ...classes)
  const label = sorted.length === 0 ? 'nothing yet' : `p50 ${at(0.5)}, p95 ${at(0.95)}, most ${at(1)}, of ${sorted.length}`
  return (
    <section className="card way">
      <h2>{titles[way]}</h2>
      <p className="quiet first" data-way={way}>
        {label}
      </p>
      <div className="histogram" role="img" aria-label={`${titles[way]}: ${label}`}>
        {classes.map((count, i) => (
          <div key={i}>
            <i style={{ '--part': `${(100 * count) / most}%` } as React.CSSProperties} />
            <small>{i < bounds.length ? `≤ ${bounds[i]}` : 'more'}</small>
          </div>
        ))}
      </div>
    </section>
  )
}
