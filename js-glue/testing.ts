// The public names of `tabmesh/testing`: tabs in one process, with a clock that is moved by hand, faults, and a seed.
import { loadModule } from './core.ts'
import { startEngine } from './engine.ts'
import { createStoreOn } from './open.ts'
import { createMemoryOrigin, type MemoryFaults, type MemoryTab } from './platform/memory.ts'
import type { State, Store, StoreOptions } from './types.ts'

/** Chances are from 0 to 1. All may be changed while the tabs run; what a tab finds when it opens a store is asked then. */
export interface TestFaults {
  /** The chance that a message to one tab is lost. */
  lose?: number
  /** The chance that it arrives twice. */
  double?: number
  /** It takes up to so many milliseconds, and others may overtake it. */
  delayMs?: number
  /** The chance that a transaction of the database is aborted. */
  abort?: number
  /** Nothing more can be stored, as on a full disk. */
  full?: boolean
  /** No database can be opened. */
  noDatabase?: boolean
  noLocks?: boolean
  noBroadcastChannel?: boolean
  noStorageEvents?: boolean
}

/** `kill`: a crash; `stop` and `go`: frozen without a word; `suspend` and `resume`: the back/forward cache, or a freeze by the browser. */
export interface TestTab extends Pick<MemoryTab, 'kill' | 'stop' | 'go' | 'suspend' | 'resume' | 'setVisible' | 'shiftClock'> {
  /** As `createStore` of `tabmesh`, in this tab. */
  createStore<S extends State>(options: StoreOptions<S>): Store<S>
  /** The same, and moves the clock until it is hydrated. */
  openStore<S extends State>(options: StoreOptions<S>): Promise<Store<S>>
}

export interface TestMesh {
  /** A new tab of the one origin. */
  readonly openTab: () => TestTab
  readonly faults: TestFaults
  /** Milliseconds since 1970. It stands still but for `advance`, `settle` and `openStore`. */
  readonly now: () => number
  /** Moves the clock, and does what falls due on the way, in its order. */
  readonly advance: (ms: number) => Promise<void>
  /**
   * Moves the clock until all tabs that run show the same of each store, and everything is stored where it can be. Rejects when that is not so after `ms` (default 120,000) of it, and names the tabs
   * that differ.
   */
  readonly settle: (ms?: number) => Promise<void>
  /** The browser clears the databases away, under open tabs. */
  readonly evict: () => void
}

export interface TestMeshOptions {
  /** Decides on chances, and on the ids of tabs: two runs of one seed are the same. Default 1. */
  readonly seed?: number
  readonly faults?: TestFaults
  /** What the clock shows first; default 2026-01-01. */
  readonly start?: number
  /** Where the module is; default beside this file. */
  readonly wasm?: StoreOptions<State>['wasm']
}

/** mulberry32, by Tommy Ettinger: small, and good enough for chances. */
function chanceOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

/** Objects by their keys: tabs may have them in another order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, part]) => [key, sorted(part)]))
}

/** The real ones: a test runner may replace them later. */
const { setTimeout: realTimeout, setImmediate: realImmediate } = globalThis as { setTimeout: typeof setTimeout; setImmediate?: (task: () => void) => unknown }

/** Everything that promises have made ready has been done then. */
const promisesDone = (): Promise<void> => new Promise((resolve) => {
    if (realImmediate) realImmediate(resolve)
    else realTimeout(resolve)
  })

/**
 * An origin in memory, for tests of apps: its tabs run the same code as in a browser, on channels, locks and a database that are made of objects. Resolves when the module is loaded.
 * Runs under Vitest, Jest and node:test, in Node and jsdom; a runner's fake timers do not touch it.
 */
export async function createTestMesh({ seed = 1, faults = {}, start = Date.UTC(2026, 0), wasm = new URL('./tabmesh.wasm', import.meta.url) }: TestMeshOptions = {}): Promise<TestMesh> {
  await loadModule(wasm)
  const chance = chanceOf(seed)
  const happens = (odds = 0): boolean => odds > 0 && chance() < odds
  let now = start
  let order = 0
  const timers = new Set<{ readonly at: number; readonly order: number; readonly act: () => void }>()

  const of: MemoryFaults = {
    lose: () => happens(faults.lose),
    double: () => happens(faults.double),
    delay: () => (faults.delayMs ? chance() * faults.delayMs : 0),
    abort: () => (faults.full ? new DOMException('The disk is full.', 'QuotaExceededError') : happens(faults.abort) ? new DOMException('Aborted by the test.', 'AbortError') : undefined),
    openError: () => (faults.noDatabase ? new DOMException('Refused by the test.', 'UnknownError') : undefined),
    get channels() {
      return (['broadcast-channel', 'storage-event'] as const).filter((kind) => !(kind === 'broadcast-channel' ? faults.noBroadcastChannel : faults.noStorageEvents))
    },
    get locks() {
      return !faults.noLocks
    },
  }
  const origin = createMemoryOrigin(of, {
    now: () => now,
    after(ms, act) {
      const timer = { at: now + ms, order: order++, act }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    random: (count) => Uint8Array.from({ length: count }, () => chance() * 256),
  })
  const open = new Map<MemoryTab, Set<Store<State>>>()
  const stopped = new Set<MemoryTab>()

  /** The next thing that falls due until then; false when there is none. */
  async function step(until: number): Promise<boolean> {
    await promisesDone()
    let next: { readonly at: number; readonly order: number; readonly act: () => void } | undefined
    for (const timer of timers) if (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer
    if (!next || next.at > until) return false
    timers.delete(next)
    now = Math.max(now, next.at)
    next.act()
    return true
  }

  async function advance(ms: number): Promise<void> {
    const end = now + ms
    while (await step(end));
    now = end
  }

  /** Who differs, by store; empty when nobody does. */
  function differing(): string[] {
    const shown = new Map<string, string>()
    const found: string[] = []
    for (const [tab, stores] of open) {
      if (stopped.has(tab)) continue
      for (const store of stores) {
        const name = names.get(store)!
        if (!ready.has(store)) {
          found.push(`${name} is not ready yet in some tab`)
          continue
        }
        const { tab: { label }, status } = store
        if (store.tabs.length === 0) continue // it has ended
        const text = JSON.stringify(sorted(store.exportState()))
        if ((shown.get(name) ?? text) !== text) found.push(`${name} of ${label}: ${text.slice(0, 200)}`)
        if (status.pendingDurable > 0 && !faults.full && !faults.noDatabase) found.push(`${name} of ${label} has ${status.pendingDurable} writes to store`)
        shown.set(name, text)
      }
    }
    return found
  }
  const names = new WeakMap<Store<State>, string>()
  const ready = new WeakSet<Store<State>>()

  async function settle(ms = 120_000): Promise<void> {
    const end = now + ms
    for (;;) {
      await advance(Math.min(100, end - now))
      const found = differing()
      if (found.length === 0) return
      if (now >= end) throw new Error(`After ${ms} ms of the mesh's clock the tabs differ still:\n${found.join('\n')}`)
    }
  }

  function openTab(): TestTab {
    const tab = origin.openTab()
    const stores = new Set<Store<State>>()
    open.set(tab, stores)
    function createStore<S extends State>(options: StoreOptions<S>): Store<S> {
      const store = createStoreOn(tab, () => Promise.resolve({ startEngine, platform: tab.platform }), { wasm, ...options }, tab.platform.shelf)
      const kept = store as unknown as Store<State>
      names.set(kept, `${options.name}@${options.version ?? 1}`)
      stores.add(kept)
      kept.ready.then(() => ready.add(kept), () => stores.delete(kept))
      return store
    }
    return {
      createStore,
      async openStore(options) {
        const store = createStore(options)
        let isReady = false
        const ready = store.ready.finally(() => (isReady = true))
        ready.catch(() => undefined)
        while (!isReady && (await step(Infinity)));
        await ready
        return store
      },
      kill() {
        open.delete(tab)
        tab.kill()
      },
      stop() {
        stopped.add(tab)
        tab.stop()
      },
      go() {
        stopped.delete(tab)
        tab.go()
      },
      suspend() {
        stopped.add(tab)
        tab.suspend()
      },
      resume() {
        stopped.delete(tab)
        tab.resume()
      },
      setVisible: (visible) => tab.setVisible(visible),
      shiftClock: (ms) => tab.shiftClock(ms),
    }
  }

  return { openTab, faults, now: () => now, advance, settle, evict: () => origin.evict() }
}
