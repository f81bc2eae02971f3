// A service worker with a store.
import { openStore } from '/dist/service-worker.js'
import { serveWith } from './worker-store.js'

const serve = serveWith(openStore)
globalThis.onmessage = (event) => event.waitUntil(serve(event))
globalThis.oninstall = () => globalThis.skipWaiting()
