// ?STORE: tells the server what is there; then writes 20 times a second, each write under a key of its own, and tells of each that is durable, and of leading.
import * as tabmesh from '/dist/index.js'

const { Blob, URL, Worker, fetch, location, performance } = globalThis
const name = location.search.slice(1)
const store = await tabmesh.openStore({ name, state: { writes: {} } })

/** The answer may ask for work that shows which process runs this page. */
async function tell(message) {
  const response = await fetch('/tell', { method: 'POST', body: JSON.stringify({ store: name, tab: store.tab.id, ...message }), keepalive: true })
  if ((await response.text()) !== 'work') return
  const until = performance.now() + 500
  while (performance.now() < until);
  await tell({ worked: true })
}
const say = (message) => tell(message).catch(() => undefined)

await say({ opened: { persistence: store.status.persistence, writes: store.getState().writes } })
store.leader.run(() => void say({ leadsAt: performance.timeOrigin + performance.now() }))

let n = 0
// A worker's timers run in tabs that nobody looks at, too.
const ticker = new Worker(URL.createObjectURL(new Blob(['setInterval(() => postMessage(0), 50)'])))
ticker.onmessage = () => {
  const value = ++n
  const key = `${store.tab.id.slice(0, 8)}-${value}`
  store.set(['writes', key], value).durable.then(
    () => say({ durable: [key, value] }),
    () => undefined,
  )
}
