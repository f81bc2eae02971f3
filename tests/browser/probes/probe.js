// What the probes use in their pages: primitives of the browser, and nothing of tabmesh.
/* global kit, indexedDB, document, DOMException, setTimeout */
globalThis.kit = {
  log: [],
  pause: (ms = 300) => new Promise((resolve) => setTimeout(resolve, ms)),
  /** Resolves to the name of the error, or to what the call returned. */
  async attempt(call) {
    try {
      return await call()
    } catch (error) {
      return error.name
    }
  },
  /** Opens the database with one store of automatic keys. */
  open(name) {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(name, 1)
      request.onupgradeneeded = () => request.result.createObjectStore('s', { autoIncrement: true })
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
  },
  asked: (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    }),
  done: (transaction) =>
    new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve('complete')
      transaction.onabort = () => reject(transaction.error ?? new DOMException('', 'AbortError'))
    }),
  async all(name) {
    const database = await kit.open(name)
    const values = await kit.asked(database.transaction('s').objectStore('s').getAll())
    database.close()
    return values
  },
  frame(attributes = {}) {
    const frame = document.createElement('iframe')
    Object.assign(frame, attributes)
    return new Promise((resolve) => {
      frame.onload = () => resolve(frame)
      document.documentElement.append(frame)
    })
  },
}
