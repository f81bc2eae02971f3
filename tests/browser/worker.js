// A store in a worker, dedicated or shared: runs what a page posts, and answers by the port that comes with it.
import { openStore } from '/dist/index.js'

let store
const serve = async ({ data: { open, set, call }, ports: [port] }) => {
  try {
    if (open) store ??= await openStore(open)
    if (set) await store.set(...set).durable
    if (call) store.leader.handle('who', () => store.tab.id)
    port.postMessage({ id: store.tab.id, state: store.getState(), status: store.status, tabs: store.tabs.length, term: store.leader.term })
  } catch (error) {
    port.postMessage({ error: String(error) })
  }
}
if ('onconnect' in globalThis) globalThis.onconnect = ({ ports: [port] }) => (port.onmessage = serve)
else globalThis.onmessage = serve
