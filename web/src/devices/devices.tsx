// The same board on several devices: who is in the room, and how long a change takes to the relay, and to another device and back.
import { useEffect, useRef, useState } from 'react'
import { useTabs } from 'tabmesh/react'
import { Chart } from '../parts/chart.tsx'
import { Columns } from '../parts/columns.tsx'
import { relayUrl, store } from '../state.ts'

const rounds = 60
const pauseMs = 100
const answerMs = 3000

export function Devices() {
  return (
    <Columns label="Devices" beside={<How />} besideLabel="How to see it">
      <Room />
      <Times />
    </Columns>
  )
}

function How() {
  return (
    <section className="card">
      <h2>How to see it</h2>
      <p className="quiet first">
        Open this address in another browser, or in a private window: that is another device. Only the tab that leads is connected, to <code>{relayUrl}</code>. Cut the network, change the board on both, and connect again.
      </p>
    </section>
  )
}

const words = { off: 'no relay', connecting: 'connecting …', online: 'connected', offline: 'not connected: tried again within a minute', refused: 'refused by the relay' }

function Room() {
  const [relay, setRelay] = useState(store.status.relay)
  useEffect(() => store.on('status', (status) => setRelay(status.relay)), [])
  const tabs = useTabs(store)
  const others = tabs.filter(({ device }) => device !== undefined)
  const own = tabs.length - others.length
  return (
    <section className="card">
      <h2>
        In this room <span className="count">{others.length + 1}</span>
        <output id="relay" className={relay === 'online' ? 'self leads' : 'self'} aria-label="The relay">
          {words[relay]}
        </output>
      </h2>
      <ul id="devices" className="tabs">
        <li className={relay === 'online' ? 'visible' : ''}>
          <i />
          <b>this device</b>
          <small>{own === 1 ? '1 tab' : `${own} tabs`}</small>
        </li>
        {others.map(({ id, label, connectedAt }) => (
          <li key={id} className="visible">
            <i />
            <b>{label}</b>
            <small>since {new Date(connectedAt).toLocaleTimeString('en-GB')}</small>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** In every page, whichever view it shows: another device asks. */
export function AnswerDevices() {
  useEffect(
    () =>
      store.subscribe(
        ({ echo }) => echo,
        ({ by, n, answers }) => {
          const isOfThisDevice = store.tabs.some((tab) => tab.id === by && tab.device === undefined)
          if (n > 0 && !isOfThisDevice && store.leader.isLeader && answers[store.tab.id] !== n) store.set(['echo', 'answers', store.tab.id], n)
        },
      ),
    [],
  )
  return null
}

interface Round {
  readonly relayed: number
  readonly back: number | undefined
}

async function measure(n: number): Promise<Round> {
  const started = performance.now()
  const write = store.set(['echo'], { by: store.tab.id, n, answers: {} })
  const answered = new Promise<number | undefined>((resolve) => {
    const undo = store.subscribe(
      ({ echo }) => (echo.n === n ? Object.keys(echo.answers).length : 0),
      (count) => count > 0 && end(performance.now() - started),
    )
    const timer = setTimeout(() => end(undefined), answerMs)
    const end = (ms: number | undefined): void => {
      clearTimeout(timer)
      undo()
      resolve(ms)
    }
  })
  await write.relayed
  const relayed = performance.now() - started
  return { relayed, back: await answered }
}

function Times() {
  const [list, setList] = useState<readonly Round[]>([])
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const over = useRef(false)
  useEffect(() => {
    over.current = false
    return () => void (over.current = true)
  }, [])

  async function run(): Promise<void> {
    setBusy(true)
    setProblem('')
    setList([])
    try {
      for (let n = 1; n <= rounds && !over.current; n++) {
        const round = await measure(Date.now())
        setList((before) => [...before, round])
        if (round.back === undefined) {
          setProblem('No other device has answered.')
          break
        }
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
    } catch (error) {
      setProblem((error as Error).message)
    }
    setBusy(false)
  }

  const back = list.flatMap((round) => round.back ?? [])
  return (
    <section className="card">
      <h2>
        How long a change takes
        <button className="button small" type="button" disabled={busy} onClick={() => void run()}>
          Measure
        </button>
      </h2>
      <Chart label="Time to another device and back" unit="ms" samples={back} most={rounds} top={2} />
      <p id="device-times" className="quiet">
        {list.length === 0 ? 'To the relay, and to another device and back.' : `relayed: ${figures(list.map(({ relayed }) => relayed))} · to another device and back: ${figures(back)}`}
      </p>
      <p role="status">{problem}</p>
    </section>
  )
}

function figures(samples: readonly number[]): string {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (part: number): string => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!.toFixed(1)
  return sorted.length ? `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, of ${sorted.length}` : 'nothing'
}
