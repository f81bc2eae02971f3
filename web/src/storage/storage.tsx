// The layers in which the state is kept, and what becomes of one that is damaged.
import { useEffect, useState } from 'react'
import { createStore, type Layer } from 'tabmesh'
import { Columns } from '../parts/columns.tsx'
import { store } from '../state.ts'
import { Full } from './full.tsx'
import { sizeOf } from './size-of.ts'

const lookMs = 5000
const titles: Record<Layer['name'], string> = { memory: 'Memory', 'hot-copy': 'Hot copy, in localStorage', 'indexed-db': 'Journal, in IndexedDB', file: 'Journal, in files' }


function ageOf(ms: number | undefined): string {
  if (ms === undefined) return '–'
  return ms < 60_000 ? `${Math.round(ms / 1000)} s` : ms < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`
}

export function Storage() {
  return (
    <Columns label="Layers" beside={<Quota />} besideLabel="The disk">
      <LayersCard />
      <Damage />
      <Full />
    </Columns>
  )
}

function LayerTable({ layers, name }: { layers: readonly Layer[]; name: string }) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={name}>
      <table className="table">
        <thead>
          <tr>
            <th>layer</th>
            <th>version</th>
            <th>newest write</th>
            <th>differences</th>
            <th>made of</th>
            <th>size</th>
          </tr>
        </thead>
        <tbody>
          {layers.map(({ name, digest, ageMs, differences, checkpoints, records, damaged, bytes }) => (
            <tr key={name}>
              <td>
                <b>{titles[name]}</b>
              </td>
              <td>{digest === undefined ? 'none: it is only shown' : <code>{digest.slice(0, 8)}</code>}</td>
              <td>{ageOf(ageMs)}</td>
              <td>{differences}</td>
              <td>
                {records === undefined ? '' : `${checkpoints} checkpoints, ${records} records`}
                {damaged ? `, ${damaged} damaged` : ''}
              </td>
              <td>{sizeOf(bytes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function LayersCard() {
  const [layers, setLayers] = useState<readonly Layer[]>([])
  const [outcome, setOutcome] = useState('')
  useEffect(() => {
    let over = false
    const look = (): void =>
      void store.ready
        .then(() => store.inspect().layers())
        .then((found) => !over && setLayers(found))
        .catch(() => undefined) // the next look
    look()
    const timer = setInterval(look, lookMs)
    return () => {
      over = true
      clearInterval(timer)
    }
  }, [])

  async function syncNow(): Promise<void> {
    try {
      const { mended, layers } = await store.inspect().syncNow()
      setLayers(layers)
      setOutcome(mended.length === 0 ? 'All layers are the same.' : `Mended: ${mended.map((name) => titles[name]).join(', ')}.`)
    } catch (error) {
      setOutcome((error as Error).message)
    }
  }

  return (
    <section className="card">
      <h2>
        Layers of this board
        <button className="button small" type="button" onClick={() => void syncNow()}>
          Bring all to the same
        </button>
      </h2>
      <LayerTable layers={layers} name="Layers of this board" />
      <p className="quiet" role="status">
        {outcome}
      </p>
    </section>
  )
}

interface Step {
  readonly what: string
  readonly layers?: readonly Layer[]
}

const copyName = 'demo-copy'

/** The copy's journal, as anybody with developer tools could change it. */
async function turnBytesRound(): Promise<number> {
  const { name } = (await indexedDB.databases()).find(({ name }) => name?.endsWith(`:${copyName}`))!
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name!)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error!)
  })
  try {
    const transaction = database.transaction('records', 'readwrite')
    let count = 0
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve
      transaction.onabort = () => reject(transaction.error!)
      const cursor = transaction.objectStore('records').openCursor()
      cursor.onsuccess = () => {
        const at = cursor.result
        if (!at) return
        count++
        at.update(new Uint8Array(at.value as ArrayBuffer).reverse().buffer)
        at.continue()
      }
    })
    return count
  } finally {
    database.close()
  }
}

/** A store of its own with a copy of the board: what is damaged here hurts nobody. */
function Damage() {
  const [steps, setSteps] = useState<readonly Step[]>([])
  const [busy, setBusy] = useState(false)

  async function run(): Promise<void> {
    setBusy(true)
    setSteps([])
    const add = (what: string, layers?: readonly Layer[]): void => setSteps((before) => [...before, layers ? { what, layers } : { what }])
    const copy = createStore({ name: copyName, state: {}, leader: false, persist: { hotCopy: false } })
    copy.on('error', () => undefined) // it is shown here
    try {
      await copy.ready
      const { tasks, notes, filters } = store.getState()
      await copy.setState({ tasks, notes, filters }, true).durable
      add('A copy of the board is stored.', await copy.inspect().layers())
      const count = await turnBytesRound()
      add(`All bytes of ${count === 1 ? 'its record' : `its ${count} records`} are turned round, behind its back.`, await copy.inspect().layers())
      const { mended, layers } = await copy.inspect().syncNow()
      add(mended.includes('indexed-db') ? 'It is found out: what the journal lacks is stored again, and whoever opens it now has everything.' : 'Nothing was amiss.', layers)
    } catch (error) {
      add((error as Error).message)
    } finally {
      await copy.destroy().catch(() => undefined)
      setBusy(false)
    }
  }

  return (
    <section className="card">
      <h2>
        Damage a copy
        <button className="button small" type="button" disabled={busy} onClick={() => void run()}>
          Do it
        </button>
      </h2>
      {steps.length === 0 ? (
        <p className="quiet first">The board is copied into a store of its own, its records are changed by hand, and it mends itself. The copy is erased afterwards.</p>
      ) : (
        <ol className="steps">
          {steps.map(({ what, layers }) => (
            <li key={what}>
              {what}
              {layers && <LayerTable layers={layers} name={what} />}
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}

function Quota() {
  const [estimate, setEstimate] = useState<StorageEstimate>()
  useEffect(() => {
    const { storage } = navigator as { storage?: Partial<StorageManager> }
    storage?.estimate?.().then(setEstimate, () => undefined)
  }, [])
  const { usage = 0, quota = 0 } = estimate ?? {}
  return (
    <section className="card">
      <h2>The disk</h2>
      {quota === 0 ? (
        <p className="quiet first">This browser does not say how much room there is.</p>
      ) : (
        <dl className="bars">
          <div>
            <dt>{sizeOf(usage)} used</dt>
            <dd>of {sizeOf(quota)}</dd>
            <dd className="bar" style={{ '--part': `${Math.min(100, (100 * usage) / quota)}%` } as React.CSSProperties} />
          </div>
        </dl>
      )}
      <p className="quiet">When the disk is full, changes stay in the open tabs, and are stored as soon as there is room. The status says so.</p>
    </section>
  )
}
