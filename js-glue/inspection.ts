// What tools look at, and apps need not.
import type { Core } from './core.ts'
import type { JsonObject } from './json-tree.ts'
import { idOf, type Lists } from './keyed-list.ts'
import type { Layers } from './layers.ts'
import type { Inspection, Path } from './types.ts'

export interface InspectionParts {
  readonly core: Core
  readonly lists: Lists
  readonly state: () => JsonObject
  readonly layers: () => Promise<Layers>
  readonly view: (state: JsonObject | undefined) => void
  readonly isShared: (key: string) => boolean
}

export function createInspection({ core, lists, state, layers, view, isShared }: InspectionParts): Inspection {
  /** As the core names the place; of what is inside an array that merges whole, the array. */
  function placeOf(path: Path): string[] {
    const keys: string[] = []
    let at: unknown = state()
    for (const key of path) {
      const field = keys.length === 1 ? lists[keys[0]!] : undefined
      const id = Array.isArray(at) ? (field === undefined ? undefined : idOf((at as unknown[])[Number(key)], field)) : String(key)
      if (id === undefined) break
      keys.push(id)
      at = (at as Record<string | number, unknown> | null | undefined)?.[key]
    }
    return keys
  }

  return {
    lastWriteOf(path) {
      const [tab, time] = core.lastWrite(placeOf(path)) ?? []
      return tab === undefined ? undefined : { tab, time: time! }
    },
    view: (shown) => view(shown as JsonObject | undefined),
    isShared,
    layers: async () => (await layers()).list(),
    syncNow: async () => (await layers()).syncNow(),
  }
}
