// A dedicated or a shared worker with a store.
import { openStore } from '/dist/index.js'
import { serveWith } from './worker-store.js'

const serve = serveWith(openStore)
if ('onconnect' in globalThis) globalThis.onconnect = ({ ports: [port] }) => (port.onmessage = serve)
else globalThis.onmessage = serve
