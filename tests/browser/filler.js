// A page that writes much when it is told to, and tells how far it has come; `?tab` is its name.
/* global crypto, document, fetch, location, setTimeout */
import { openStore } from '/dist/index.js'

const tab = location.search.slice(1)
const store = await openStore({ name: 'full', state: { log: {} } })
const seen = []
let durable = 0
store.on('storage-full', () => seen.push('storage-full'))
store.on('error', ({ error }) => seen.push(error.code))

/** What does not compress: 50,000 bytes, 75,000 as UTF-8. */
const text = () => Array.from(crypto.getRandomValues(new Uint16Array(25_000)), (word) => String.fromCharCode(0x3400 + (word % 0x4000))).join('')

async function write(episode, count) {
  for (let i = 0; i < count; i++) {
    store.set(['log', `${episode}-${i}`], text()).durable.then(
      () => durable++,
      (error) => seen.push(String(error)),
    )
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

for (;;) {
  const said = { tab, durable, seen, status: store.status, keys: Object.keys(store.getState().log) }
  const order = await fetch('/tell', { method: 'POST', body: JSON.stringify(said) }).then(
    (response) => response.text(),
    () => '',
  )
  document.title = `${durable} durable`
  if (order) void write(...JSON.parse(order))
  await new Promise((resolve) => setTimeout(resolve, 100))
}
