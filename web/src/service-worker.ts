// The demo starts offline: all of its files, by their revisions, which the build puts in.
import { cachedFile, openStore, serveOffline, type OfflineFile } from 'tabmesh/service-worker'
import { boardOptions } from './options.ts'

declare const FILES: readonly OfflineFile[]

serveOffline(FILES, { reconcile: async () => openStore({ ...boardOptions('light'), wasm: await cachedFile(FILES.find(({ url }) => url.endsWith('.wasm'))!.url) }) })
