// What becomes of changes when the browser gives this site no more room: its quota is really used up, by a database beside.
import { useEffect, useRef, useState } from 'react'
import { createStore } from 'tabmesh'
import { sizeOf } from './size-of.ts'

const fillerName = 'demo-filler'
const copyName = 'demo-full'
/** More than that would take minutes, and the room that others need. */
const mostBytes = 512e6
const largest = 8 << 20
const smallest = 4 << 10

function openFiller(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(fillerName)
    request.onupgradeneeded = () => void request.result.createObjectStore('filler', { autoIncrement: true })
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error!)
  })
}

const deleteFiller = (): Promise<void> =>
  new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(fillerName)
    request.onsuccess = request.onerror = request.onblocked = () => resolve()
  })

/** False where there is no room for it. */
function put(database: IDBDatabase, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  return new Promise((resolve) => {
    const transaction = database.transaction('filler', 'readwrite')
    transaction.oncomplete = () => resolve(true)
    transaction.onabort = () => resolve(false)
    transaction.objectStore('filler').add(bytes.buffer)
  })
}

/** What cannot be compressed. */
function noise(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes
}

export function Full() {
  const [steps, setSteps] = useState<readonly string[]>([])
  const [filled, setFilled] = useState<number>()
  const over = useRef(false)
  useEffect(() => {
    void deleteFiller() // of a page that was closed meanwhile
    return () => void (over.current = true)
  }, [])

  async function run(): Promise<void> {
    setSteps([])
    const add = (what: string): void => setSteps((before) => [...before, what])
    over.current = false
    setFilled(0)
    const copy = createStore({ name: copyName, state: { written: 0 }, leader: false, persist: { hotCopy: false } })
    copy.on('error', () => undefined) // it is shown here
    const told = new Promise<void>((resolve) => copy.on('storage-full', () => resolve()))
    const filler = await openFiller()
    try {
      await copy.ready
      await copy.setState({ written: 1 }).durable
      add('A store of its own: a change is durable.')
      let bytes = 0
      // What the browser tells of the room that there is, is no more than a guess: one has to try.
      for (let size = largest; size >= smallest && bytes < mostBytes && !over.current; ) {
        if (await put(filler, noise(size))) setFilled((bytes += size))
        else size >>= 1
      }
      if (over.current) return
      if (bytes >= mostBytes) {
        add(`${sizeOf(bytes)} of noise are stored, and there is still room: too much to fill for a demonstration. They are taken away again. In a window without history, before it opens this page: simulate a quota of 50 MB in the developer tools (Chromium: Application, Storage), and try again.`)
        return
      }
      add(`${sizeOf(bytes)} of noise are stored: nothing more goes in.`)
      let durable = false
      const large = Array.from(noise(32 << 10), (byte) => byte.toString(16)).join('')
      const write = copy.setState({ written: 2, filler: large } as { written: number })
      void write.durable.then(() => (durable = true)).catch(() => undefined)
      await told
      add(`A change is made: it is in memory and shared, ${durable ? 'durable' : 'not durable'}, and the store says that the disk is full; ${copy.status.pendingDurable} waits.`)
      filler.close()
      await deleteFiller()
      add('The noise is taken away.')
      await write.durable
      add('The change is durable: the store has tried again by itself.')
    } catch (error) {
      add((error as Error).message)
    } finally {
      filler.close()
      await deleteFiller()
      await copy.destroy().catch(() => undefined)
      setFilled(undefined)
    }
  }

  return (
    <section className="card">
      <h2>
        Fill the disk
        {filled === undefined ? (
          <button className="button small" type="button" onClick={() => void run().catch((error: unknown) => setSteps([(error as Error).message]))}>
            Fill it
          </button>
        ) : (
          <button className="button small" type="button" onClick={() => (over.current = true)}>
            Stop
          </button>
        )}
      </h2>
      {filled !== undefined && filled > 0 && <p className="quiet first">{sizeOf(filled)} of noise</p>}
      {steps.length === 0 ? (
        <p className="quiet first">The room that the browser gives this site is used up, a store of its own is written to, and the room is given back.</p>
      ) : (
        <ol className="steps" id="full">
          {steps.map((what) => (
            <li key={what}>{what}</li>
          ))}
        </ol>
      )}
    </section>
  )
}
