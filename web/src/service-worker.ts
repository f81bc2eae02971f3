// The demo starts offline: all of its files, by their revisions, which the build puts in.
import { openStore, serveOffline, type OfflineFile } from 'tabmesh/service-worker'
import { boardOptions } from './options.ts'

declare const FILES: readonly OfflineFile[]

serveOffline(FILES, { reconcile: () => openStore({ ...boardOptions('light'), wasm: new URL(FILES.find(({ url }) => url.endsWith('.wasm'))!.url, location.href) }) })
