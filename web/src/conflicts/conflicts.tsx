// Two replicas side by side, and the wire between them: cut it, slow it down, have it say everything twice.
import { useEffect, useRef, useState } from 'react'
import { useStore } from 'tabmesh/react'
import { store } from '../state.ts'
import { isOfWire, sides, type FromReplica, type Side, type ToReplica } from './wire.ts'

const delays = [0, 300, 2000]
const titles: Record<Side, string> = { left: 'Replica on the left', right: 'Replica on the right' }

interface Wire {
  readonly cut: boolean
  readonly delayMs: number
  readonly doubles: boolean
}

export function Conflicts() {
  const [wire, setWire] = useState<Wire>({ cut: false, delayMs: 0, doubles: false })
  const current = useRef(wire)
  const frames = useRef<Partial<Record<Side, HTMLIFrameElement | null>>>({})
  const [shows, setShows] = useState<Partial<Record<Side, string>>>({})
  const [count, setCount] = useState({ passed: 0, lost: 0 })
  const theme = useStore(store, ({ theme }) => theme)
  const post = (side: Side, message: ToReplica): void => frames.current[side]?.contentWindow?.postMessage(message, location.origin)

  useEffect(() => {
    const hear = ({ data, origin, source }: MessageEvent): void => {
      const from = sides.find((side) => frames.current[side]?.contentWindow === source)
      if (origin !== location.origin || !from || !isOfWire<FromReplica>(data)) return
      if (data.wire === 'shows') return setShows((before) => ({ ...before, [from]: data.state }))
      const { cut, delayMs, doubles } = current.current
      setCount(({ passed, lost }) => (cut ? { passed, lost: lost + 1 } : { passed: passed + 1, lost }))
      if (cut) return
      const to: Side = from === 'left' ? 'right' : 'left'
      for (let i = 0; i < (doubles ? 2 : 1); i++) {
        if (delayMs > 0) setTimeout(() => post(to, data), delayMs * (1 + i))
        else post(to, data)
      }
    }
    addEventListener('message', hear)
    return () => removeEventListener('message', hear)
  }, [])

  useEffect(() => sides.forEach((side) => post(side, { wire: 'theme', theme })), [theme, shows])

  function change(next: Partial<Wire>): void {
    const mended = wire.cut && next.cut === false
    current.current = { ...wire, ...next }
    setWire(current.current)
    // They would find out by themselves, within half a minute.
    if (mended) sides.forEach((side) => post(side, { wire: 'mended' }))
  }

  const known = sides.every((side) => shows[side] !== undefined)
  const equal = known && shows.left === shows.right
  return (
    <>
      <form className="filters card" aria-label="The wire" onSubmit={(event) => event.preventDefault()}>
        <button className={wire.cut ? 'button primary' : 'button'} type="button" onClick={() => change({ cut: !wire.cut })}>
          {wire.cut ? 'Mend the wire' : 'Cut the wire'}
        </button>
        <fieldset>
          <legend>Delay</legend>
          {delays.map((value) => (
            <label key={value} className="chip">
              <input type="radio" name="delay" checked={value === wire.delayMs} onChange={() => change({ delayMs: value })} />
              <span>{value === 0 ? 'none' : value < 1000 ? `${value} ms` : `${value / 1000} s`}</span>
            </label>
          ))}
        </fieldset>
        <label className="seed">
          <input type="checkbox" checked={wire.doubles} onChange={(event) => change({ doubles: event.target.checked })} /> Everything twice
        </label>
        <output id="equal" className={equal ? 'self leads' : 'self'} aria-label="Whether the two are equal">
          {!known ? 'starting …' : equal ? 'both show the same' : 'they differ'}
        </output>
      </form>
      <div className="halves">
        {sides.map((side) => (
          <section key={side} className="card" aria-label={titles[side]}>
            <h2>{titles[side]}</h2>
            <iframe title={titles[side]} src={`${location.pathname}#/replica/${side}`} ref={(frame) => void (frames.current[side] = frame)} />
          </section>
        ))}
      </div>
      <p className="quiet">
        {count.passed} frames have passed, {count.lost} were lost. Cut the wire, change both sides, mend it: fields of the card both stay, of two colours the later one, of two berths the earlier one, votes add up, and of two plans somebody has to choose.
      </p>
    </>
  )
}
