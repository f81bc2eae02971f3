// A store in a worker of any kind: runs what a page posts, and answers by the port that comes with it.
let store
/** A handler, given the package's entry for such a worker. */
export const serveWith = (openStore) => async ({ data: { open, set, call }, ports: [port] }) => {
  try {
    if (open) store ??= await openStore(open)
    if (set) await store.set(...set).durable
    if (call) store.leader.handle('who', () => store.tab.id)
    port.postMessage({ id: store.tab.id, state: store.getState(), status: store.status, tabs: store.tabs.length, term: store.leader.term })
  } catch (error) {
    port.postMessage({ error: String(error) })
  }
}
