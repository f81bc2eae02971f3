// The twin of all platform parts in memory, with faults: several tabs of one origin in one process.
import { TabmeshError } from '../errors.ts'
import type { BytePacker, Channel, ChannelKind, Journal, LifecycleListener, Lock, LockHandlers, Platform, WindowPeer, WindowPortHandlers } from '../platform.ts'
import { recordShelfOn, type RecordsInMemory } from './memory-records.ts'
import { apply, emptyDisk, journalOn, type Change, type Disk, type DiskAccess } from './journal-log.ts'

export interface MemoryFaults {
  /** Whether a message on its way to a tab is lost. */
  lose?: (kind: ChannelKind) => boolean
  /** The ways to other tabs that there are; default all. */
  channels?: readonly ChannelKind[]
  /** False: there are no locks. */
  locks?: boolean
  /** False: nothing can be put on the shelf. */
  shelf?: boolean
  /** Whether it arrives twice. */
  double?: () => boolean
  /** Milliseconds until it arrives. */
  delay?: () => number
  /** Whether a transaction of the tab with this label is aborted; the error it is aborted with. */
  abort?: (label: string) => Error | undefined
  /** The error with which opening the database fails. */
  openError?: () => Error | undefined
  /** Milliseconds that opening the database takes; Infinity: it never answers. */
  openMs?: number
}

/** What passes for time and chance; by default the real ones. */
export interface MemoryTime {
  now(): number
  /** Calls once, later, in a task of its own; returns the undo. */
  after(ms: number, act: () => void): () => void
  random(count: number): Uint8Array
}

const realTime: MemoryTime = {
  now: () => Date.now(),
  after(ms, act) {
    const timer = setTimeout(act, Math.min(ms, 0x7fffffff))
    return () => clearTimeout(timer)
  },
  random: (count) => crypto.getRandomValues(new Uint8Array(count)),
}

export interface MemoryTab {
  /** What `bridges` of another tab names it by; its origin is `https://` and its label with a dash. */
  readonly window: { postMessage(): void }
  readonly platform: Platform
  /** Gone without a word: a crash. */
  kill(): void
  /** Stopped without a word, with all that it holds; `go` lets it run again. */
  stop(): void
  go(): void
  suspend(): void
  resume(): void
  setVisible(visible: boolean): void
  /** Moves this tab's wall clock. */
  shiftClock(ms: number): void
}

export interface MemoryOrigin {
  openTab(): MemoryTab
  readonly faults: MemoryFaults
  /** Every frame that was sent, oldest first. */
  readonly sent: Uint8Array[]
  /** What localStorage is to pages. */
  readonly shelf: Map<string, string>
  /** The browser clears the databases away. */
  evict(): void
  /** Every record that was stored, by store name. */
  stored(name: string): Uint8Array[]
}

interface Tab {
  readonly label: string
  readonly window: { postMessage(): void }
  dead: boolean
  /** What waits while the tab is stopped. */
  held: (() => void)[] | undefined
}

/** One end of what may be a connection of two windows. */
interface Side extends WindowPortHandlers {
  readonly tab: Tab
  readonly name: string
  readonly peer: WindowPeer
  readonly nonce: string
  other: Side | undefined
}

interface Waiter {
  readonly tab: Tab
  readonly handlers: LockHandlers
  left: boolean
}

/** Now, or when the tab goes on, or never. */
function enter(tab: Tab, act: () => void): void {
  if (tab.dead) return
  if (tab.held) tab.held.push(act)
  else act()
}

const originOf = ({ label }: Tab): string => `https://${label.replace(' ', '-')}`

/** Of all in this process: generations are unlike each other also on two devices. */
let generations = 0

export function createMemoryOrigin(faults: MemoryFaults = {}, time: MemoryTime = realTime): MemoryOrigin {
  const disks = new Map<string, Disk>()
  const recordsBy = new Map<string, RecordsInMemory>()
  const channels = new Set<{ kind: ChannelKind; name: string; tab: Tab; receive: (frame: Uint8Array) => void }>()
  const queues = new Map<string, Waiter[]>()
  const sides = new Set<Side>()
  const shown = new Map<Tab, { name: string; instance: string; reachable: boolean; knocked: boolean; onKnocked: () => void }>()
  const sent: Uint8Array[] = []
  const shelf = new Map<string, string>()
  const connections = new Set<{ readonly tab: Tab; readonly onLost: () => void; lost: boolean }>()
  let tabs = 0

  const newGeneration = (): string => String(++generations)
  const disk = (name: string): Disk => {
    let found = disks.get(name)
    if (!found) disks.set(name, (found = emptyDisk(newGeneration())))
    return found
  }

  const recordsOf = (name: string | undefined): RecordsInMemory => {
    const found = (name !== undefined && recordsBy.get(name)) || new Map<string, never>()
    if (name !== undefined) recordsBy.set(name, found)
    return found
  }

  /** Later, in a task of its own, in the order of the calls; not when the tab has died meanwhile. */
  const task = (tab: Tab, act: () => void, ms = 0): void => {
    time.after(ms, () => enter(tab, act))
  }

  function openChannel(tab: Tab, kind: ChannelKind, name: string, receive: (frame: Uint8Array) => void, packer: BytePacker): Channel | undefined {
    if (faults.channels?.includes(kind) === false) return undefined
    const own = { kind, name, tab, receive }
    channels.add(own)
    return {
      post(frame) {
        if (!channels.has(own)) return
        sent.push(frame)
        for (const other of channels) {
          if (other.tab === tab || other.kind !== kind || other.name !== name || faults.lose?.(kind)) continue
          for (let copies = faults.double?.() ? 2 : 1; copies > 0; copies--) {
            const copy = kind === 'storage-event' ? packer.unpack(packer.pack(frame))! : frame.slice()
            task(other.tab, () => channels.has(other) && other.receive(copy), faults.delay?.())
          }
        }
      },
      close: () => void channels.delete(own),
    }
  }

  function connectWindow(tab: Tab, name: string, peer: WindowPeer, nonce: string, { connected, receive }: WindowPortHandlers): () => void {
    const side: Side = { tab, name, peer, nonce, connected, receive, other: undefined }
    sides.add(side)
    const isPeer = (one: Side, of: Side): boolean => one.peer.window === of.tab.window && one.peer.origin === originOf(of.tab) && one.name === of.name
    const other = [...sides].find((one) => isPeer(side, one) && isPeer(one, side))
    if (other) {
      for (const [one, of] of [[side, other], [other, side]] as const) { // prettier-ignore
        one.other = of
        task(one.tab, () => sides.has(one) && one.connected([side.nonce, other.nonce].sort().join(':'), (message) => task(of.tab, () => sides.has(one) && of.other === one && sides.has(of) && of.receive(typeof message === 'number' ? message : message.slice()))))
      }
    }
    return () => void sides.delete(side)
  }

  function openLock(tab: Tab, name: string): Lock {
    const queue = queues.get(name) ?? []
    queues.set(name, queue)
    const grant = (): void => {
      const [first] = queue
      if (first) task(first.tab, () => queue[0] === first && first.handlers.granted())
    }
    const leave = (): void => {
      const at = queue.findIndex((waiter) => waiter.tab === tab)
      for (const waiter of at >= 0 ? queue.splice(at, 1) : []) waiter.left = true
      if (at === 0) grant()
    }
    leavesOf.set(tab, [...(leavesOf.get(tab) ?? []), leave])
    return {
      request(handlers, steals = false) {
        leave()
        const robbed = steals ? queue.shift() : undefined
        if (robbed) task(robbed.tab, () => robbed.left || robbed.handlers.lost())
        if (steals) queue.unshift({ tab, handlers, left: false })
        else queue.push({ tab, handlers, left: false })
        if (queue.length === 1 || steals) grant()
      },
      release: leave,
      show(instance, reachable, onKnocked) {
        if (!shown.has(tab)) shown.set(tab, { name, instance, reachable, knocked: false, onKnocked })
      },
      hide: () => void shown.delete(tab),
      roll() {
        const alive = [...shown].filter(([, entry]) => entry.name === name && !entry.knocked)
        const holder = queue[0] && (alive.find(([other]) => other === queue[0]!.tab)?.[1].instance ?? '')
        return Promise.resolve({ alive: alive.filter(([, { reachable }]) => reachable).map(([, { instance }]) => instance), holder })
      },
      knock(instance) {
        for (const [other, entry] of shown) {
          if (entry.name !== name || entry.instance !== instance) continue
          entry.knocked = true
          task(other, () => {
            entry.knocked = false
            if (shown.get(other) === entry) entry.onKnocked()
          })
        }
      },
    }
  }
  const leavesOf = new Map<Tab, (() => void)[]>()

  async function openJournal(tab: Tab, name: string, onLost: () => void): Promise<Journal> {
    if (faults.openMs) await new Promise<void>((resolve) => faults.openMs !== Infinity && time.after(faults.openMs!, resolve))
    const refused = faults.openError?.()
    if (refused) throw refused
    const connection = { tab, onLost, lost: false }
    connections.add(connection)
    const transact = <T>(act: (on: Disk) => T): Promise<T> =>
      new Promise((resolve, reject) => {
        const isOpen = connections.has(connection) // what was begun before it was closed is done
        task(tab, () => {
          const error = isOpen && !connection.lost ? faults.abort?.(tab.label) : new TabmeshError('storage-failed', 'The connection to the database was lost.')
          if (error) return reject(error)
          try {
            resolve(act(disk(name)))
          } catch (cause) {
            reject(cause)
          }
        })
      })
    const access: DiskAccess = {
      read: transact,
      write: (act) =>
        transact((on) => {
          const changes: Change[] = []
          const result = act(on, (change) => changes.push(change))
          for (const change of changes) apply(on, change)
          return result
        }),
    }
    return { ...journalOn(access, 'indexed-db', newGeneration), close: () => void connections.delete(connection) }
  }

  return {
    faults,
    sent,
    shelf,
    evict() {
      disks.clear()
      for (const connection of connections) {
        connection.lost = true
        task(connection.tab, connection.onLost)
      }
      connections.clear()
    },
    stored: (name) => [...disk(name).checkpoints, ...disk(name).records].map(({ bytes }) => bytes),
    openTab() {
      const label = `tab ${++tabs}`
      const tab: Tab = { dead: false, label, held: undefined, window: { postMessage: () => undefined } }
      const listeners = new Set<LifecycleListener>()
      const timers = new Set<() => void>()
      let visible = true
      let shift = 0
      return {
        window: tab.window,
        platform: {
          clock: {
            now: () => time.now() + shift,
            after(ms, act) {
              const cancel = time.after(Math.max(0, ms), () => (timers.delete(cancel), enter(tab, act)))
              timers.add(cancel)
              return () => (timers.delete(cancel), cancel())
            },
            soon: (act) => task(tab, act),
            later: (act, ms = 0) => task(tab, act, ms),
          },
          lifecycle: {
            active: () => Promise.resolve(),
            visible: () => visible,
            watch(listener) {
              listeners.add(listener)
              return () => listeners.delete(listener)
            },
          },
          shelf: {
            read: (key) => shelf.get(key) ?? null,
            write: (key, text) => faults.shelf !== false && (shelf.set(key, text), true),
            remove: (key) => void shelf.delete(key),
            keys: () => [...shelf.keys()],
          },
          random: (count) => time.random(count),
          claimLabel: () => Promise.resolve({ text: label, release: () => undefined }),
          openChannel: (kind, name, receive, packer) => openChannel(tab, kind, name, receive, packer),
          openJournal: (name, _durability, onLost) => openJournal(tab, name, onLost),
          versions: (name, _candidates) => Promise.resolve([...disks.keys()].flatMap((one) => (one === name ? [1] : one.startsWith(`${name}@`) ? [Number(one.slice(name.length + 1))] : []))),
          connectWindow: (name, peer, nonce, _clock, handlers) => connectWindow(tab, name, peer, nonce, handlers),
          openRecords: (name) => Promise.resolve(recordShelfOn(recordsOf(name))),
          eraseRecords: (name) => Promise.resolve(recordsOf(name).clear()),
          openLock: (name) => (faults.locks === false ? undefined : openLock(tab, name)),
        },
        kill() {
          tab.dead = true
          timers.forEach((cancel) => cancel())
          for (const channel of channels) if (channel.tab === tab) channels.delete(channel)
          shown.delete(tab)
          leavesOf.get(tab)?.forEach((leave) => leave())
        },
        stop: () => void (tab.held ??= []),
        go() {
          const held = tab.held ?? []
          tab.held = undefined
          held.forEach((act) => enter(tab, act))
        },
        suspend: () => listeners.forEach((listener) => listener.suspend()),
        resume: () => listeners.forEach((listener) => listener.resume()),
        setVisible(now) {
          visible = now
          listeners.forEach((listener) => listener.visibility(now))
        },
        shiftClock: (ms) => void (shift += ms),
      }
    },
  }
}
