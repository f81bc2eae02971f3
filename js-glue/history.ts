// Undo and redo of this tab's own writes. What another tab has written since is left alone.
import { equals, isPlainObject, type JsonObject, type TreeEdit } from './json-tree.ts'
import { idOf, valueAt, type Lists } from './keyed-list.ts'

/** What one write did at one place; `undefined` for nothing. */
interface Step {
  readonly path: readonly string[]
  readonly before: unknown
  readonly after: unknown
}

/** A write of this tab: it has turned `before` into `after` at these places, or added to a number. */
export type Written = { readonly before: JsonObject; readonly after: JsonObject; readonly paths: readonly (readonly string[])[] } | { readonly path: readonly string[]; readonly by: number }

/** Steps, or a sum that was added. */
type Entry = { readonly steps: readonly Step[] } | { readonly path: readonly string[]; readonly by: number }

/** The writes that take an entry back, and the entry that takes those back. */
export interface Reversal {
  readonly edits: readonly TreeEdit[]
  readonly increment?: { readonly path: readonly string[]; readonly by: number }
}

export interface History {
  /** Cheap: what was written is looked at by the next `settle`, or when it is needed. */
  wrote(written: Written): void
  /** Looks at what was written. */
  settle(): void
  /** Another tab's writes have turned `before` into `after`: what they changed is no longer this tab's. */
  overwritten(before: JsonObject, after: JsonObject): void
  /** Takes the newest entry off and has it reversed; what `perform` writes is the other direction's newest. False when there is none. */
  take(direction: 'undo' | 'redo', state: JsonObject, perform: (reversal: Reversal) => void): boolean
  can(direction: 'undo' | 'redo'): boolean
  clear(): void
}

const entriesMax = 100
/** Writes not looked at yet: each holds the states before and after. */
const freshMax = 8

export function createHistory(lists: Lists): History {
  const stacks: Record<'undo' | 'redo', Entry[]> = { undo: [], redo: [] }
  const fresh: Written[] = []
  let target: 'undo' | 'redo' | undefined

  function push(entry: Entry): void {
    const stack = stacks[target ?? 'undo']
    stack.push(entry)
    if (stack.length > entriesMax) stack.shift()
    if (target === undefined) stacks.redo = []
  }

  function settle(): void {
    for (const written of fresh.splice(0)) {
      if ('by' in written) {
        push(written)
        continue
      }
      const { before, after, paths } = written
      const steps = paths.map((path) => stepAt(topmostNew(before, path, lists), before, after, lists))
      if (steps.length > 0) push({ steps })
    }
  }

  return {
    wrote(written) {
      if (fresh.push(written) === freshMax) settle()
    },
    settle,
    overwritten(before, after) {
      settle()
      for (const stack of [stacks.undo, stacks.redo]) {
        stack.forEach((entry, index) => {
          if (!('steps' in entry)) return
          if (entry.steps.every(({ path }) => valueAt(before, path, lists) === valueAt(after, path, lists))) return
          stack[index] = { steps: entry.steps.flatMap((step) => narrow(step, valueAt(before, step.path, lists), valueAt(after, step.path, lists), lists)) }
        })
      }
    },
    take(direction, state, perform) {
      settle()
      for (;;) {
        const entry = stacks[direction].pop()
        if (!entry) return false
        const edits = 'steps' in entry ? entry.steps.flatMap((step) => reverse(step, state, lists)).reverse() : []
        if ('steps' in entry && edits.length === 0) continue // all of it is others' by now
        target = direction === 'undo' ? 'redo' : 'undo'
        try {
          perform('steps' in entry ? { edits } : { edits, increment: { path: entry.path, by: -entry.by } })
        } finally {
          settle()
          target = undefined
        }
        return true
      }
    },
    can(direction) {
      settle()
      return stacks[direction].length > 0
    },
    clear() {
      fresh.length = 0
      stacks.undo = []
      stacks.redo = []
    },
  }
}

/** The place itself, or the topmost object that had to be made for it. */
function topmostNew(before: JsonObject, path: readonly string[], lists: Lists): readonly string[] {
  const made = path.findIndex((_, i) => valueAt(before, path.slice(0, i + 1), lists) === undefined)
  return made < 0 ? path : path.slice(0, made + 1)
}

function stepAt(path: readonly string[], before: JsonObject, after: JsonObject, lists: Lists): Step {
  return { path, before: valueAt(before, path, lists), after: valueAt(after, path, lists) }
}

const keysOf = (value: unknown): string[] => (isPlainObject(value) ? Object.keys(value) : [])
const memberOf = (value: unknown, key: string): unknown => (isPlainObject(value) && Object.hasOwn(value, key) ? value[key] : undefined)

/** What is left of a step when another tab has changed its place from `was` to `is`. */
function narrow(step: Step, was: unknown, is: unknown, lists: Lists): Step[] {
  if (was === is || equals(was, is)) return [step]
  const isList = step.path.length === 1 && Object.hasOwn(lists, step.path[0]!)
  if (isList && Array.isArray(is)) return [step] // taken back item by item
  if (!isPlainObject(step.after) || !isPlainObject(is)) return []
  const keys = new Set([...keysOf(step.before), ...keysOf(step.after)])
  return [...keys].flatMap((key) => narrow({ path: [...step.path, key], before: memberOf(step.before, key), after: memberOf(step.after, key) }, memberOf(was, key), memberOf(is, key), lists))
}

/** The edits that take a step back where its place still holds what it wrote. */
function reverse(step: Step, state: JsonObject, lists: Lists): TreeEdit[] {
  const now = valueAt(state, step.path, lists)
  const edit = (value: unknown): TreeEdit => (value === undefined ? [step.path] : [step.path, value])
  if (equals(now, step.before)) return []
  if (now === step.after || equals(now, step.after)) return [edit(step.before)]
  const field = step.path.length === 1 ? lists[step.path[0]!] : undefined
  if (field !== undefined && Array.isArray(now)) return [edit(reverseList(step, now, field))]
  if (!isPlainObject(step.after) || !isPlainObject(now)) return []
  const keys = new Set([...keysOf(step.before), ...keysOf(step.after)])
  return [...keys].flatMap((key) => reverse({ path: [...step.path, key], before: memberOf(step.before, key), after: memberOf(step.after, key) }, state, lists))
}

/** Items that the step added go, those it removed come back, those it changed are as before; the rest is the others'. */
function reverseList(step: Step, now: readonly unknown[], field: string): unknown[] {
  const before = (Array.isArray(step.before) ? step.before : []) as unknown[]
  const after = new Map((Array.isArray(step.after) ? (step.after as unknown[]) : []).map((item) => [idOf(item, field), item]))
  const had = new Map(before.map((item) => [idOf(item, field), item]))
  const list = now
    .filter((item) => had.has(idOf(item, field)) || !after.has(idOf(item, field)))
    .map((item) => {
      const id = idOf(item, field)
      return after.has(id) && equals(item, after.get(id)) ? had.get(id) : item
    })
  before.forEach((item, index) => {
    const id = idOf(item, field)
    if (!after.has(id) && !list.some((other) => idOf(other, field) === id)) list.splice(index, 0, item)
  })
  return list
}
