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

/**
 * Connects a store to the browser's Redux DevTools, if they are there: changes of this tab are actions `set`, those of others `remote`, with the keys, and the tab that they are from.
 * Jumping shows an earlier state in this tab alone until the next change; nothing of it is written, here or elsewhere. Returns the undo.
 */
export function connectDevTools<S extends State>(store: Store<S>, { name }: DevToolsOptions = {}): () => void {
  const extension = (globalThis as { __REDUX_DEVTOOLS_EXTENSION__?: Extension }).__REDUX_DEVTOOLS_EXTENSION__
  if (!extension) return () => undefined
  const connection = extension.connect({ ...(name === undefined ? {} : { name }), features: { pause: true, export: true, import: 'custom', jump: true, persist: false, skip: false, reorder: false, dispatch: false, lock: false, test: false } })
  let told = store.getState() as Record<string, unknown>
  let pending = false
  let source: string | undefined
  let viewing = false
  let ended = false

  function view(state: object | undefined): void {
    viewing = true
    try {
      store.inspect().view(state)
    } finally {
      viewing = false
    }
  }

  /** Once a task: who wrote is told after what was written. */
  function tell(): void {
    if (ended) return
    const now = store.getState() as Record<string, unknown>
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
      case 'ROLLBACK':
        return view(JSON.parse(state ?? '{}') as object)
      case 'IMPORT_STATE': {
        const last = payload.nextLiftedState?.computedStates?.at(-1)?.state
        return last === undefined ? undefined : view(last as object)
      }
      case 'RESET':
      case 'COMMIT':
        view(undefined)
        told = store.getState() as Record<string, unknown>
        connection.init(told)
    }
  }

  connection.init(told)
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
        // before the core is loaded, or no state: nothing is shown
      }
    }),
  ]
  return () => {
    ended = true
    for (const each of undo) each?.()
  }
}
