// store.compute before its chunk is there: `ready` begins to load it, and everything else says what to wait for.
import { TabmeshError } from '../errors.ts'
import type { OpenCompute } from './compute.ts'
import type { Compute } from './types.ts'

export interface LaterCompute {
  readonly compute: Compute
  /** Undefined until it is there. */
  usage(): ReturnType<Compute['usage']> | undefined
  close(): void
}

export function computeLater(open: () => Promise<OpenCompute>): LaterCompute {
  let opened: OpenCompute | undefined
  let opening: Promise<void> | undefined
  let closed = false

  /** One that failed is tried again by the next who asks. */
  function ready(): Promise<void> {
    return (opening ??= open().then(
      (now) => {
        opened = now
        if (closed) now.close()
      },
      (cause: unknown) => {
        opening = undefined
        throw cause
      },
    ))
  }

  const has = (name: string | symbol): name is keyof Compute => typeof name === 'string'
  return {
    compute: new Proxy({} as Compute, {
      get(_, name) {
        if (name === 'ready') return ready()
        if (!has(name) || name === ('then' as string)) return undefined // it is no promise
        if (closed) throw new TabmeshError('closed', 'The store is closed.')
        if (!opened) throw new TabmeshError('not-ready', 'Wait for store.compute.ready first: what computes is loaded when it is asked for.')
        return opened.compute[name as Exclude<keyof Compute, 'ready'>]
      },
    }),
    usage: () => opened?.compute.usage(),
    close() {
      closed = true
      opened?.close()
    },
  }
}
