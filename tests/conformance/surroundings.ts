// What the conformance suites run on: the memory twin in Node, or frames of a page in a browser.
import type { Platform } from '../../js-glue/platform.ts'

export interface Tab {
  readonly platform: Platform
  /** Gone without a word. */
  kill(): void
}

export interface Surroundings {
  /** A tab of the one origin. */
  readonly openTab: () => Promise<Tab>
}

/** A promise about a platform part, shown by what it does. Rejects when it is broken. */
export interface Case {
  readonly name: string
  readonly run: (surroundings: Surroundings) => Promise<void>
}

let stores = 0
/** The name of a store that no other case uses. */
export const newName = (): string => `conformance-${Date.now().toString(36)}-${++stores}`

export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what)
}

export function equal(got: unknown, wanted: unknown, what: string): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)]
  check(a === b, `${what}: ${a}, not ${b}`)
}

/** Resolves when it holds. */
export async function until(holds: () => boolean, what: string, ms = 5000): Promise<void> {
  const end = Date.now() + ms
  while (!holds()) {
    check(Date.now() < end, `${what} did not come within ${ms} ms`)
    await pause(1)
  }
}

/** Long enough for what is on its way to come, where something must not come. */
export const pause = (ms = 100): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The code of the TabmeshError that it rejects with; undefined where it resolves. */
export async function refusal(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
    return undefined
  } catch (error) {
    return (error as { code?: unknown }).code ?? String(error)
  }
}

export const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list)
export const numbers = (list: readonly Uint8Array[]): number[][] => list.map((one) => [...one])
