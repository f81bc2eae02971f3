// ?STORE: tells the server what is there; then writes 20 times a second, each write under a key of its own, and tells of each that is durable, of leading, and of
// what it wants done while it leads. An answer may ask for something (writers.ts).
import * as tabmesh from '/dist/index.js'

const { Blob, URL, Worker, XMLHttpRequest, clearInterval, fetch, location, navigator, performance, setInterval } = globalThis
const name = location.search.slice(1)
const store = tabmesh.createStore({ name, state: { writes: {} } })
const failures = [] // before it is ready nobody knows whose they are
let fail = (code) => failures.push(code)
store.on('error', ({ error }) => fail(error.code))
await store.ready
const seen = () => ({ persistence: store.status.persistence, isLeader: store.leader.isLeader, tabs: store.tabs.length, writes: store.getState().writes })

let isAsked = false
async function tell(message) {
  const response = await fetch('/tell', { method: 'POST', body: JSON.stringify({ store: name, tab: store.tab.id, ...message }) })
  const wanted = await response.text()
  if (wanted === '' || isAsked) return
  isAsked = true // until it is known to be done
  if (wanted === 'work') {
    write('work')
    // Told while the page works: Firefox sends a beacon only afterwards.
    const begun = JSON.stringify({ store: name, tab: store.tab.id, begun: true })
    if (navigator.userAgent.includes('Firefox')) {
      const request = new XMLHttpRequest()
      request.open('POST', '/tell', false)
      request.send(begun)
    } else {
      navigator.sendBeacon('/tell', begun)
    }
    const until = performance.now() + 500
    while (performance.now() < until);
  }
  await tell({ done: seen() }).finally(() => (isAsked = false))
}
const say = (message) => tell(message).catch(() => undefined)

let n = 0
function write(what) {
  const value = ++n
  const key = `${what}-${store.tab.id.slice(0, 8)}-${value}`
  store.set(['writes', key], value).durable.then(
    () => say({ durable: [key, value] }),
    () => undefined,
  )
}

fail = (code) => void say({ failed: code })
failures.forEach(fail)
await say({ opened: seen() })
store.leader.run(({ signal, fence }) => {
  void say({ leads: { at: performance.timeOrigin + performance.now() } })
  const timer = setInterval(() => void say({ effect: { fence } }), 100)
  signal.addEventListener('abort', () => clearInterval(timer))
})
// A worker's timers run in tabs that nobody looks at, too.
const ticker = new Worker(URL.createObjectURL(new Blob(['setInterval(() => postMessage(0), 50)'])))
ticker.onmessage = () => write('tick')
