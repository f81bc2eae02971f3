// What a store's events tell, as values that change when what they say does: for hooks and composables.
import type { Conflict, Leader, State, Store, StoreEvents, TabInfo } from '../types.ts'

export interface View<T> {
  readonly events: readonly (keyof StoreEvents<State>)[]
  readonly read: (store: Store<State>) => T
  readonly same: (a: T, b: T) => boolean
  /** What a server renders. */
  readonly first: T
}

export type LeaderInfo = Pick<Leader, 'isLeader' | 'id' | 'term' | 'guarantee'>

export const leaderView: View<LeaderInfo> = {
  events: ['leader', 'status'], // the guarantee is the storage's
  read: ({ leader: { isLeader, id, term, guarantee } }) => ({ isLeader, id, term, guarantee }),
  same: (a, b) => a.id === b.id && a.term === b.term && a.isLeader === b.isLeader && a.guarantee === b.guarantee,
  first: { isLeader: false, id: undefined, term: 0, guarantee: 'advisory' },
}

export const tabsView: View<readonly TabInfo[]> = {
  events: ['tabs'],
  read: (store) => store.tabs,
  same: (a, b) => a.length === b.length && a.every(({ id, label, isLeader, visible }, i) => b[i]!.id === id && b[i]!.label === label && b[i]!.isLeader === isLeader && b[i]!.visible === visible),
  first: [],
}

export const conflictsView: View<readonly Conflict[]> = {
  events: ['conflict'],
  read: (store) => store.conflicts.list(),
  same: (a, b) => a.length === b.length && a.every(({ id, values }, i) => b[i]!.id === id && b[i]!.values.length === values.length),
  first: [],
}

/** Follows a view: `changed` is called after every event. `get` returns the same value while it says the same. */
export function follow<S extends State, T>(of: Store<S>, { events, read, same }: View<T>): { readonly get: () => T; readonly subscribe: (changed: () => void) => () => void } {
  const store = of as unknown as Store<State>
  let value = read(store)
  const renew = (): void => {
    const next = read(store)
    if (!same(value, next)) value = next
  }
  return {
    get: () => value,
    subscribe: (changed) => {
      renew() // what has happened since it was asked for
      const undo = events.map((event) =>
        store.on(event, () => {
          renew()
          changed()
        }),
      )
      return () => undo.forEach((each) => each())
    },
  }
}
