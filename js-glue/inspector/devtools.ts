// The Redux DevTools: each change as an action; going back in time shows the past in this tab, and writes nothing.
import type { State, Store } from '../types.ts'

export interface DevToolsOptions {
  /** What the extension calls the store; default the page's title. */
  readonly name?: string
}

/** As the extension documents it: github.com/reduxjs/redux-devtools, extension/docs/API. */
interface Connection {
  init(state: unknown): void
  send(action: { readonly type: string; readonly [member: string]: unknown }, state: unknown): void
  subscribe(listener: (message: Message) => void): (() => void) | undefined
}
interface Message {
  readonly type: string
  readonly state?: string
  readonly payload?: { readonly type?: string; readonly nextLiftedState?: { readonly computedStates?: readonly { readonly state: unknown }[] } }
}
interface Extension {
  connect(options: object): Connection
}
type Members = Readonly<Record<string, unknown>>

/**
 * Connects a store, once it is ready, to the browser's Redux DevTools, if they are there: changes of this tab are actions `set`, those of others `remote`, with the keys, and the tab that they are from.
 * Keys that are not shared are not told. Jumping shows an earlier state in this tab alone until the next change; nothing of it is written, here or elsewhere. Returns the undo.
 */
export function connectDevTools<S extends State>(store: Store<S>, { name }: DevToolsOptions = {}): () => void {
  const extension = (globalThis as { __REDUX_DEVTOOLS_EXTENSION__?: Extension }).__REDUX_DEVTOOLS_EXTENSION__
  let end: (() => void) | undefined
  let ended = !extension
  const connect = (): void => {
    if (!ended) end = connected(store, extension!, name)
  }
  store.ready.then(connect, () => undefined)
  return () => {
    ended = true
    end?.()
  }
}

function connected<S extends State>(store: Store<S>, extension: Extension, name: string | undefined): () => void {
  const connection = extension.connect({ ...(name === undefined ? {} : { name }), features: { pause: true, export: true, import: 'custom', jump: true, persist: false, skip: false, reorder: false, dispatch: false, lock: false, test: false } })
  const inspection = store.inspect()
  const shared = (): Members => Object.fromEntries(Object.entries(store.getState()).filter(([key]) => inspection.isShared(key)))
  let told = shared()
  let pending = false
  let source: string | undefined
  let viewing = false // what is told to listeners now is no change
  let ended = false

  function view(state: object | undefined): void {
    viewing = true
    try {
      inspection.view(state)
    } finally {
      viewing = false
    }
  }

  function begin(): void {
    told = shared()
    connection.init(told)
  }

  /** Once a task: who wrote is told after what was written. */
  function tell(): void {
    if (ended) return
    const now = shared()
    const keys = Object.keys({ ...told, ...now }).filter((key) => told[key] !== now[key])
    const from = source
    told = now
    pending = false
    source = undefined
    if (keys.length > 0) connection.send(from === undefined ? { type: 'set', keys } : { type: 'remote', keys, from }, now)
  }

  function travel({ type, state, payload }: Message): void {
    if (type !== 'DISPATCH') return
    switch (payload?.type) {
      case 'JUMP_TO_ACTION':
      case 'JUMP_TO_STATE':
        return view(JSON.parse(state ?? '{}') as object)
      case 'IMPORT_STATE': {
        const last = payload.nextLiftedState?.computedStates?.at(-1)?.state
        return last === undefined ? undefined : view(last as object)
      }
      // What is so stays: there is nothing to go back to by writing.
      case 'RESET':
      case 'ROLLBACK':
      case 'COMMIT':
        view(undefined)
        begin()
    }
  }

  begin()
  const undo = [
    store.subscribe(() => {
      if (viewing || pending) return
      pending = true
      queueMicrotask(tell)
    }),
    store.on('remote-update', (update) => (source = update.source ?? '')),
    connection.subscribe((message) => {
      try {
        travel(message)
      } catch {
        // no state of this store: nothing is shown
      }
    }),
  ]
  return () => {
    ended = true
    for (const each of undo) each?.()
    view(undefined)
  }
}
