// Which places of the state this tab has changed since the last frame.
import { isPlainObject, type JsonObject, type TreeEdit } from './json-tree.ts'

type Trie = Map<string, Trie | true>

/** A set of paths that keeps only the topmost: what lies below a changed place is told with it. */
export interface TouchedPaths {
  add(path: readonly string[]): void
  /** The changes as edits with the values that `state` has there now. */
  edits(state: JsonObject, replaced: ReadonlySet<string>): TreeEdit[]
  clear(): void
  readonly empty: boolean
}

export function createTouchedPaths(): TouchedPaths {
  let root: Trie = new Map()

  const collect = (trie: Trie, value: unknown, path: readonly string[], edits: TreeEdit[], replaced: ReadonlySet<string>): void => {
    for (const [key, below] of trie) {
      const here = [...path, key]
      const there = isPlainObject(value) && Object.hasOwn(value, key)
      const member = there ? value[key] : undefined
      if (below !== true && there && isPlainObject(member)) collect(below, member, here, edits, replaced)
      else if (!there) edits.push([here])
      else if (here.length === 1 && replaced.has(key)) edits.push([here, member, 1])
      else edits.push([here, member])
    }
  }

  return {
    add(path) {
      let trie = root
      for (let i = 0; i < path.length - 1; i++) {
        const below = trie.get(path[i]!)
        if (below === true) return
        if (below === undefined) trie.set(path[i]!, (trie = new Map()))
        else trie = below
      }
      trie.set(path[path.length - 1]!, true)
    },
    edits(state, replaced) {
      const edits: TreeEdit[] = []
      collect(root, state, [], edits, replaced)
      return edits
    },
    clear() {
      root = new Map()
    },
    get empty() {
      return root.size === 0
    },
  }
}
