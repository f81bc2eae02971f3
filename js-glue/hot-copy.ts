// The hot copy: what a store showed last, in localStorage, which answers in the task in which a store is made. The first
// frame is painted with it; it is shown, and never counts as written.
import { isPlainObject, type JsonObject } from './json-tree.ts'
import type { Shelf } from './platform.ts'

/** What all versions of a store keep on the shelf begins with this: names have no `@`. */
export const shelfOf = (name: string): string => `tabmesh:${name}@`
/** Changes when the store is erased: what pages that sleep through it put on the shelf later is nobody's. */
export const erasedKey = (name: string): string => `${shelfOf(name)}erased`
export const hotKey = (name: string, version: number): string => `${shelfOf(name)}${version}:hot`

/** Undefined where there is none, or it is damaged. */
export function readHotCopy(shelf: Shelf, name: string, version: number): JsonObject | undefined {
  try {
    const state: unknown = JSON.parse(shelf.read(hotKey(name, version)) ?? '')
    return isPlainObject(state) ? state : undefined
  } catch {
    return undefined
  }
}
