// Concurrent values of a key: those that a resolver of the app chooses between, and those that wait for somebody.
import type { CoreConflict } from './core.ts'
import { TabmeshError } from './errors.ts'
import type { Conflict, Resolver, Write } from './types.ts'

/** A resolver that has not answered by then has failed. */
const resolverWaitMs = 2000
/** The core's number of the strategy `resolve`. */
const byResolver = 3

export interface ConflictsOptions {
  readonly self: string
  readonly resolverOf: (key: string) => Resolver | undefined
  /** What awaits a choice now. */
  readonly pending: () => readonly CoreConflict[]
  /** The term this tab leads; undefined while it does not. */
  readonly term: () => number | undefined
  readonly choose: (key: string, value: unknown) => Write
  readonly after: (ms: number, task: () => void) => () => void
  readonly onChange: (conflicts: readonly Conflict[]) => void
  readonly onError: (error: TabmeshError) => void
}

export interface Conflicts {
  list(): readonly Conflict[]
  resolve(id: string, choice: 'local' | 'remote' | { readonly value: unknown }): Write
  clear(): void
  /** The values or the leader have changed. */
  look(): void
}

export function createConflicts(options: ConflictsOptions): Conflicts {
  const resolving = new Set<string>()
  let shown = ''

  const toConflict = ({ id, key, base, values }: CoreConflict): Conflict => ({ id, path: [key], base, values: values.map(({ value, tab, time }) => ({ value, tab, time })) })
  const list = (): Conflict[] => options.pending().filter(({ strategy }) => strategy !== byResolver).map(toConflict)
  const latest = ({ values }: { values: CoreConflict['values'] }): unknown => values[values.length - 1]?.value

  // A tab that leads no more must not choose: its successor has been asked as well. Should both have chosen, their
  // choices are two concurrent values like any others.
  async function callResolver(conflict: CoreConflict, resolver: Resolver): Promise<void> {
    const term = options.term()
    let value: unknown
    try {
      const entries = toConflict(conflict).values
      const answer: unknown = resolver(entries.map((entry) => entry.value), { key: conflict.key, base: conflict.base, entries })
      value = answer instanceof Promise ? await within(answer, options.after) : answer
      if (!stillAwaits(conflict, term)) return
      options.choose(conflict.key, value)
    } catch (cause) {
      options.onError(new TabmeshError('resolver-failed', `The resolver of ${conflict.key} failed; the latest value stays.`, { cause }))
      if (stillAwaits(conflict, term)) options.choose(conflict.key, latest(conflict))
    }
  }

  function stillAwaits(conflict: CoreConflict, term: number | undefined): boolean {
    return options.term() === term && options.pending().some(({ id }) => id === conflict.id)
  }

  function lookForResolvers(): void {
    if (options.term() === undefined) return
    for (const conflict of options.pending()) {
      const resolver = options.resolverOf(conflict.key)
      if (conflict.strategy !== byResolver || !resolver || resolving.has(conflict.id)) continue
      resolving.add(conflict.id)
      void callResolver(conflict, resolver).finally(() => resolving.delete(conflict.id))
    }
  }

  return {
    list,
    resolve(id, choice) {
      const conflict = list().find((each) => each.id === id)
      if (!conflict) throw new TabmeshError('unknown-conflict', `There is no conflict ${id}: it was resolved, or has other values now. Look at list() again.`)
      const key = String(conflict.path[0])
      if (typeof choice === 'object') return options.choose(key, choice.value)
      const own = conflict.values.filter(({ tab }) => tab === options.self)
      const others = conflict.values.filter(({ tab }) => tab !== options.self)
      return options.choose(key, latest({ values: choice === 'local' && own.length > 0 ? own : others.length > 0 ? others : conflict.values }))
    },
    clear() {
      for (const conflict of list()) options.choose(String(conflict.path[0]), latest(conflict))
    },
    look() {
      const now = list()
      const ids = now.map(({ id }) => id).join()
      if (ids !== shown) options.onChange(now)
      shown = ids
      // A choice made while the core is being asked would change what it was asked about.
      queueMicrotask(lookForResolvers)
    },
  }
}

function within(answer: Promise<unknown>, after: ConflictsOptions['after']): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const cancel = after(resolverWaitMs, () => reject(new Error(`No answer within ${resolverWaitMs} ms.`)))
    answer.then(resolve, reject).finally(cancel)
  })
}
