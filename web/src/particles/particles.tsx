// The view of the particles: the picture, what steers them, and how it goes.
import { useEffect, useRef, useState } from 'react'
import { useLeader, useStore } from 'tabmesh/react'
import { Chart } from '../parts/chart.tsx'
import { Columns } from '../parts/columns.tsx'
import { changed, store } from '../state.ts'
import { createScene, type ParticleScene } from './scene.ts'
import { counts, recordType, watch, type Figures } from './simulation.ts'

const shownRecords = 120
const lookMs = 2000

export function Particles() {
  return (
    <Columns
      label="Particles"
      beside={
        <>
          <Plots />
          <section className="card">
            <h2>What you see</h2>
            <p className="quiet first">The tab that leads moves the particles in WebAssembly memory, four at a time, and its graphics card is given that memory as it is. Other tabs draw what it sends, 6 bytes a particle. Close the tab that leads: another goes on.</p>
          </section>
        </>
      }
      besideLabel="How it goes"
    >
      <Stage />
      <Controls />
    </Columns>
  )
}

function Stage() {
  const canvas = useRef<HTMLCanvasElement>(null)
  const scene = useRef<ParticleScene>(undefined)
  const [figures, setFigures] = useState<Figures>()
  const [drawn, setDrawn] = useState(0)
  const [trouble, setTrouble] = useState('')
  const theme = useStore(store, ({ theme }) => theme)

  useEffect(() => {
    let pictures = 0
    try {
      scene.current = createScene(canvas.current!, !matchMedia('(prefers-reduced-motion: reduce)').matches)
    } catch {
      setTrouble('This browser has no WebGL: the particles move, but cannot be drawn here.')
    }
    const resized = new ResizeObserver(() => scene.current?.resize())
    resized.observe(canvas.current!)
    const unwatch = watch({
      picture(picture) {
        pictures++
        scene.current?.draw(picture)
      },
      figures: setFigures,
      failed: setTrouble,
    })
    const timer = setInterval(() => {
      setDrawn(pictures)
      pictures = 0
    }, 1000)
    return () => {
      clearInterval(timer)
      unwatch()
      resized.disconnect()
      scene.current?.close()
      scene.current = undefined
    }
  }, [])

  useEffect(() => {
    const style = getComputedStyle(document.documentElement)
    const [near, far, ground] = ['--accent', '--quiet', '--card'].map((name) => style.getPropertyValue(name)) as [string, string, string]
    scene.current?.paint(near, far, ground)
  }, [theme])

  const { isLeader } = useLeader(store)
  const rows = [
    ['this tab', isLeader ? 'computes' : 'draws what is sent'],
    ['pictures here', `${drawn} a second`],
    ['steps', figures ? `${figures.fps.toFixed(0)} a second` : '–'],
    ['time of a step', figures ? `${figures.stepMs.toFixed(2)} ms` : '–'],
    ['sent', figures ? `${(figures.sentBytes / 1e6).toFixed(1)} MB/s` : '–'],
    ['memory taken', figures ? `${(figures.memoryBytes / 1e6).toFixed(1)} MB` : '–'],
  ] as const
  return (
    <section className="card stage">
      <canvas ref={canvas} role="img" aria-label="Particles that move in a box" />
      {trouble && (
        <p className="empty" role="status">
          {trouble}
        </p>
      )}
      <dl className="figures">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

function Controls() {
  const { running, count, seed } = useStore(store, ({ particles }) => particles)
  return (
    <form className="filters card" aria-label="What steers the particles, shared by all tabs" onSubmit={(event) => event.preventDefault()}>
      <button className="button primary" type="button" onClick={() => changed(store.set(['particles', 'running'], !running))}>
        {running ? 'Stop' : 'Start'}
      </button>
      <fieldset>
        <legend>Particles</legend>
        {counts.map((value) => (
          <label key={value} className="chip">
            <input type="radio" name="count" checked={value === count} onChange={() => changed(store.set(['particles', 'count'], value))} />
            <span>{value.toLocaleString('en')}</span>
          </label>
        ))}
      </fieldset>
      <label className="seed">
        Seed <input className="field" type="number" min={0} max={999999} value={seed} onChange={(event) => changed(store.set(['particles', 'seed'], Math.max(0, Math.trunc(event.target.valueAsNumber) || 0)))} />
      </label>
    </form>
  )
}

/** What the leader has recorded, from IndexedDB: the same in every tab. */
function Plots() {
  const [records, setRecords] = useState<readonly { readonly fps: number; readonly ms: number }[]>([])
  useEffect(() => {
    let over = false
    async function look(): Promise<void> {
      await store.ready
      await store.compute.ready
      const found = await store.compute.query({ type: recordType, limit: shownRecords })
      if (!over) setRecords(found.reverse().map(({ performance: { fps = 0, latency = 0 } }) => ({ fps, ms: latency })))
    }
    const quietly = (): void => void look().catch(() => undefined) // the picture says what is missing
    quietly()
    const timer = setInterval(quietly, lookMs)
    return () => {
      over = true
      clearInterval(timer)
    }
  }, [])
  const [fps, ms] = [records.map((record) => record.fps), records.map((record) => record.ms)]
  return (
    <>
      <section className="card">
        <h2>Steps a second</h2>
        <Chart label="Steps a second" unit="/s" samples={fps} most={shownRecords} top={60} />
      </section>
      <section className="card">
        <h2>Time of a step</h2>
        <Chart label="Time of a step" unit="ms" samples={ms} most={shownRecords} top={1} />
      </section>
    </>
  )
}
