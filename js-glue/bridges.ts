// Bridges to stores of other origins: some keys of either in a replica that both sides have, for as long as they are connected. Nothing else of a mesh crosses.
import { hexOf, type Core } from './core.ts'
import { equals, type JsonObject, type TreeEdit } from './json-tree.ts'
import type { BridgeMessage, Platform } from './platform.ts'
import type { Bridge } from './types.ts'

/** When what both sides have at the start was written, in milliseconds: what they never had in common, then what they had. Any later write wins. */
const unknownMs = 1
const agreedMs = 2

export interface BridgesOptions {
  readonly name: string
  readonly bridges: readonly Bridge[]
  readonly platform: Platform
  /** A replica that nobody knows of. */
  readonly createCore: (mesh: string) => Core
  readonly initial: JsonObject
  readonly state: () => JsonObject
  readonly isShared: (key: string) => boolean
  /** Writes what came over a bridge. */
  readonly write: (edits: readonly TreeEdit[]) => void
  readonly onError: (error: Error) => void
}

export interface Bridges {
  open(): void
  /** The state is another one. */
  tell(): void
  close(): void
}

export function createBridges({ name, bridges, platform, createCore, initial, state, isShared, write, onError }: BridgesOptions): Bridges {
  const all = bridges.map(createBridge)
  return {
    open: () => all.forEach((bridge) => bridge.open()),
    tell: () => all.forEach((bridge) => bridge.tell()),
    close: () => all.forEach((bridge) => bridge.close()),
  }

  function createBridge({ window, origin, include }: Bridge): Bridges {
    const { clock } = platform
    const keys = include.filter(isShared)
    /** What both sides have had, for certain; kept while they are apart. */
    const agreed = new Map<string, unknown>()
    /** What the replica was told; of what the other side has not acknowledged, the number of the last frame that has it. */
    let told = new Map<string, unknown>()
    let unacknowledged = new Map<string, number>()
    let sent = 0
    let received = 0
    let core: Core | undefined
    let send: (message: BridgeMessage) => void = () => undefined
    let disconnect: (() => void) | undefined
    let cancelTick: (() => void) | undefined

    /** The values at `ms`, and what that wants done. */
    function set(values: readonly (readonly [string, unknown])[], ms: number): void {
      const before = sent
      for (const [key, value] of values) told.set(key, value)
      try {
        if (values.length > 0) core?.localSet(values.map(([key, value]): TreeEdit => (value === undefined ? [[key]] : [[key], value])), ms)
      } catch (cause) {
        onError(cause as Error)
      }
      perform()
      for (const [key] of values) {
        if (sent > before) unacknowledged.set(key, sent)
        else agree(key)
      }
    }

    function agree(key: string): void {
      if (!unacknowledged.has(key)) agreed.set(key, told.get(key))
    }

    function perform(): void {
      cancelTick?.()
      const of = core
      if (!of) return
      const edits = of.takeChanges().filter(([path]) => keys.includes(path[0]!))
      for (const frame of of.takeFrames()) {
        sent++
        send(frame)
      }
      of.takeRecords()
      of.takeLock()
      of.takeEvents()
      const at = of.wakeAt()
      if (at > 0) cancelTick = clock.after(at - clock.now(), () => (of.replica.tick(clock.now()), perform()))
      if (edits.length > 0) write(edits) // of which `tell` hears
    }

    function tell(): void {
      if (!core) return
      const now = state()
      const changed = keys.filter((key) => (told.has(key) ? now[key] !== told.get(key) : !equals(now[key], initial[key])))
      if (changed.length > 0) set(changed.map((key) => [key, now[key]]), clock.now()) // prettier-ignore
    }

    function leave(): void {
      cancelTick?.()
      core?.free()
      core = undefined
    }

    function connected(mesh: string, post: (message: BridgeMessage) => void): void {
      leave()
      const doubtful = unacknowledged // as new as what is written now
      send = post
      sent = received = 0
      told = new Map()
      unacknowledged = new Map()
      core = createCore(`bridge:${mesh}`)
      core.open({}, unknownMs)
      core.replica.restored(true, unknownMs)
      const now = state()
      const news = keys.filter((key) => !agreed.has(key) && !doubtful.has(key) && !equals(now[key], initial[key]))
      const gone = [...doubtful.keys()].filter((key) => now[key] === undefined && agreed.get(key) === undefined)
      set([...news.map((key) => [key, now[key]] as const), ...gone.map((key) => [key, null] as const)], unknownMs) // what is removed must have been there
      set([...agreed].filter(([, value]) => value !== undefined), agreedMs) // prettier-ignore
      set([...doubtful.keys()].filter((key) => !told.has(key) && now[key] !== undefined).map((key) => [key, now[key]] as const), clock.now())
      tell()
    }

    function receive(message: BridgeMessage): void {
      if (typeof message === 'number') {
        for (const [key, at] of unacknowledged) {
          if (at > message) continue
          unacknowledged.delete(key)
          agree(key)
        }
        return
      }
      send(++received)
      core?.receive(message, clock.now())
      perform()
    }

    return {
      open() {
        disconnect ??= platform.connectWindow(name, { window, origin }, hexOf(platform.random(16)), clock, { connected, receive })
      },
      tell,
      close() {
        disconnect?.()
        disconnect = undefined
        leave()
      },
    }
  }
}
