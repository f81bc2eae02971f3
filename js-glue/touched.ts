// Which places of the state this tab has changed since the last frame.
import { isPlainObject, type JsonObject, type TreeEdit } from './json-tree.ts'
import { valueAt, type Lists } from './keyed-list.ts'
import type { StrategyName } from './types.ts'

/** The place that a write at this path takes: the whole key, where its strategy does. */
export const placeOf = (path: readonly string[], lists: Lists, strategyOf: (key: string) => StrategyName): readonly string[] =>
  lists[path[0]!] !== undefined || strategyOf(path[0]!) === 'merge' ? path : [path[0]!]

type Trie = Map<string, Trie | true>

/** A set of paths that keeps only the topmost: what lies below a changed place is told with it. */
export interface TouchedPaths {
  add(path: readonly string[]): void
  /** Something was added to the number there. */
  increment(path: readonly string[], by: number): void
  clear(): void
  /** Forgets what it has at, above and below a place. */
  drop(path: readonly string[]): void
  /** What it has of a top-level key becomes another's. */
  give(key: string, to: TouchedPaths): void
  /** Whether it has anything of a top-level key. */
  has(key: string): boolean
  /** The top-level keys that it has something of. */
  keys(): string[]
  readonly empty: boolean
  readonly trie: Trie
  readonly sums: ReadonlyMap<string, { readonly path: readonly string[]; readonly by: number }>
}

export function createTouchedPaths(): TouchedPaths {
  let trie: Trie = new Map()
  const sums = new Map<string, { path: readonly string[]; by: number }>()

  return {
    add(path) {
      for (const [name, sum] of sums) if (path.every((key, i) => sum.path[i] === key)) sums.delete(name)
      let at = trie
      for (let i = 0; i < path.length - 1; i++) {
        const below = at.get(path[i]!)
        if (below === true) return
        if (below === undefined) at.set(path[i]!, (at = new Map()))
        else at = below
      }
      at.set(path[path.length - 1]!, true)
    },
    increment(path, by) {
      let at: Trie | true | undefined = trie
      for (const key of path) at = at === true ? at : at?.get(key)
      if (at === true) return // the value there is told whole
      const name = JSON.stringify(path)
      sums.set(name, { path, by: (sums.get(name)?.by ?? 0) + by })
    },
    clear() {
      trie = new Map()
      sums.clear()
    },
    drop(path) {
      for (const [name, sum] of sums) if (sum.path.every((key, i) => i >= path.length || key === path[i])) sums.delete(name)
      let at: Trie | true | undefined = trie
      for (const key of path.slice(0, -1)) {
        const below: Trie | true | undefined = at.get(key)
        if (below === undefined) return
        if (below !== true) at = below
        else return void at.delete(key)
      }
      at.delete(path[path.length - 1]!)
    },
    give(key, to) {
      const hand = (below: Trie | true | undefined, path: readonly string[]): void => {
        if (below === true) to.add(path)
        else below?.forEach((further, at) => hand(further, [...path, at]))
      }
      hand(trie.get(key), [key])
      trie.delete(key)
      for (const [name, { path, by }] of sums) {
        if (path[0] !== key) continue
        to.increment(path, by)
        sums.delete(name)
      }
    },
    has: (key) => trie.has(key) || [...sums.values()].some(({ path }) => path[0] === key),
    keys: () => [...new Set([...trie.keys(), ...[...sums.values()].map(({ path }) => path[0]!)])],
    get empty() {
      return trie.size === 0 && sums.size === 0
    },
    get trie() {
      return trie
    },
    sums,
  }
}

/** The changes as edits with the values that `state` has there now. */
export function editsOf(touched: TouchedPaths, state: JsonObject, replaced: ReadonlySet<string>, lists: Lists): TreeEdit[] {
  const edits: TreeEdit[] = []
  const collect = (trie: Trie, path: readonly string[]): void => {
    for (const [key, below] of trie) {
      const here = [...path, key]
      const member = valueAt(state, here, lists)
      const opens = isPlainObject(member) || (here.length === 1 && Array.isArray(member) && lists[key] !== undefined)
      if (below !== true && opens) collect(below, here)
      else if (member === undefined) edits.push([here])
      else if (here.length === 1 && replaced.has(key)) edits.push([here, member, 1])
      else edits.push([here, member])
    }
  }
  collect(touched.trie, [])
  for (const { path, by } of touched.sums.values()) edits.push([path, by, 2])
  return edits
}
