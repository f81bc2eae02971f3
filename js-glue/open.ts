// Makes stores: checks the options, makes the mirror at once, and loads the rest later.
import type { Engine, EngineParts } from './engine.ts'
import { TabmeshError } from './errors.ts'
import type { JsonObject } from './json-tree.ts'
import { readHotCopy } from './hot-copy.ts'
import { channelKinds, type ChannelKind, type Shelf } from './platform.ts'
import { createMirror } from './store.ts'
import type { Lists } from './keyed-list.ts'
import type { CallHandler, Conflict, CustomChannel, DeepReadonly, Leader, Outcome, Resolver, Stats, State, Status, Store, StoreEvents, StoreOptions, Strategy, StrategyName, TabInfo, TransactionOptions, Write } from './types.ts'

const namePattern = /^[A-Za-z0-9._:-]{1,64}$/
const strategyNames: readonly string[] = ['merge', 'last-write-wins', 'first-write-wins', 'prompt']

/** A store and how many handles to it are open: two calls with one name in one page share it. */
interface Shared {
  readonly store: Store<State>
  users: number
}

const stores = new WeakMap<object, Map<string, Shared>>()

/** The store, when it is hydrated. */
export async function hydrated<S extends State>(store: Store<S>): Promise<Store<S>> {
  await store.ready
  return store
}

/**
 * Makes a store, or another handle to the one of that name: `page` stands for the page that shares its stores, `shelf` has its hot copies, `load` loads the rest.
 * Throws TypeError for options that make no sense.
 */
export function createStoreOn<S extends State>(page: object, load: () => Promise<EngineParts>, options: StoreOptions<S>, shelf?: Shelf): Store<S> {
  check(options)
  const ofPage = stores.get(page) ?? new Map<string, Shared>()
  stores.set(page, ofPage)
  const key = `${meshNameOf(options)}@${options.version ?? 1}`
  let shared = ofPage.get(key)
  if (!shared) {
    shared = { store: makeStore(load, options, shelf, () => {
        if (ofPage.get(key) === shared) ofPage.delete(key)
      }) as unknown as Store<State>, users: 0 }
    ofPage.set(key, shared)
  }
  return handleTo<S>(shared, options.signal)
}

/** What is shared by a relay is another mesh: by room, for what is on the device belongs to who may enter it. */
const meshNameOf = ({ name, relay }: Pick<StoreOptions<State>, 'name' | 'relay'>): string => (relay ? `${name}~${relay.room ?? name}` : name)

function check<S extends State>(options: StoreOptions<S>): void {
  if (typeof options?.name !== 'string' || !namePattern.test(options.name)) throw new TypeError(`name must be 1 to 64 of A-Z a-z 0-9 . _ : -, not ${JSON.stringify(options?.name)}`)
  const { conflicts = 'merge', lists = {}, channels = [] } = options
  const { version = 1, migrations = [] } = options
  if ([version, ...migrations.map((step) => step.version - 1)].some((one) => one <= 0 || one !== one >> 0)) throw new TypeError('version must be a whole number from 1 on, and of a migration from 2 on')
  const { bridges = [], relay } = options
  if (relay && !(/^wss?:\/\//.test(relay.url) && typeof relay.token === 'function' && namePattern.test(relay.room ?? options.name))) throw new TypeError('relay needs url (wss://…), token(), and a room that is a name')
  for (const { window, origin, include } of bridges) {
    if (bridges.filter((one) => one.window === window && one.origin === origin).length > 1) throw new TypeError(`two bridges lead to one window of ${origin}: put their keys into one`)
    if (!(window as unknown) || !/^https?:\/\/[^/*]+$/.test(origin) || !Array.isArray(include)) throw new TypeError(`a bridge needs a window, its exact origin, and include, not ${JSON.stringify({ origin, include })}`)
  }
  for (const ms of [options.throttleMs ?? 0, options.debounceMs ?? 0, options.slowMs ?? 0]) if (!(ms >= 0 && ms < Infinity)) throw new TypeError(`throttleMs, debounceMs and slowMs are milliseconds from 0 on, not ${String(ms)}`)
  for (const kind of channels) if (!(kind as CustomChannel)?.open && !channelKinds.includes(kind as ChannelKind)) throw new TypeError(`channels knows ${channelKinds.join(', ')} and { name, open }, not ${JSON.stringify(kind)}`)
  for (const strategy of isForAll(conflicts) ? [conflicts] : Object.values(conflicts)) {
    if (!strategyNames.includes(strategy as string) && !resolverOf(strategy)) throw new TypeError(`conflicts knows ${strategyNames.join(', ')} and { resolve(values, context) }, not ${JSON.stringify(strategy)}`)
  }
  for (const [key, field] of Object.entries(lists)) {
    if (typeof field !== 'string' || field === '' || field === '__proto__') throw new TypeError(`lists.${key} must name the field that holds an item's id, not ${JSON.stringify(field)}`)
    if (!isForAll(conflicts) && Object.hasOwn(conflicts, key)) throw new TypeError(`${key} is in lists and in conflicts: a keyed list merges item by item, so take it out of one of them`)
  }
}

const resolverOf = (strategy: unknown): Resolver | undefined => {
  const resolve = typeof strategy === 'object' && strategy !== null ? (strategy as { resolve?: unknown }).resolve : undefined
  return typeof resolve === 'function' ? (resolve as Resolver) : undefined
}

const isForAll = (conflicts: unknown): conflicts is Strategy => typeof conflicts === 'string' || resolverOf(conflicts) !== undefined

/** Without a prototype: keys such as "constructor" name nothing. */
function table<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  const result = Object.create(null) as Record<string, T>
  for (const [key, value] of entries) result[key] = value
  return result
}

/** A user's own handle: closing it twice counts once, and the last one closes the store. */
function handleTo<S extends State>(shared: Shared, signal: AbortSignal | undefined): Store<S> {
  shared.users++
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= --shared.users === 0 ? shared.store.close() : Promise.resolve()
    return closing
  }
  if (signal?.aborted) void close()
  else signal?.addEventListener('abort', () => void close(), { once: true })
  return Object.create(shared.store, {
    close: { value: close },
    [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]: { value: close },
  }) as Store<S>
}

function makeStore<S extends State>(load: () => Promise<EngineParts>, options: StoreOptions<S>, shelf: Shelf | undefined, onEnd: () => void): Store<S> {
  type Listeners = { [K in keyof StoreEvents<S>]?: Set<(detail: StoreEvents<S>[K]) => void> }
  const { conflicts = 'merge', persist = true, version = 1, migrations = [] } = options
  const name = meshNameOf(options)
  type Kept = Exclude<typeof persist, boolean>
  const hotCopy = persist && (persist as Kept).hotCopy !== false
  const nameOf = (strategy: Strategy): StrategyName => (typeof strategy === 'string' ? strategy : 'resolve')
  const given = (isForAll(conflicts) ? [] : Object.entries(conflicts)) as [string, Strategy][]
  const byKey = table(given.map(([key, strategy]) => [key, nameOf(strategy)]))
  const defaultStrategy = isForAll(conflicts) ? nameOf(conflicts) : 'merge'
  const strategyByKey = table(given)
  const lists: Lists = table(Object.entries(options.lists ?? {}) as [string, string][])
  const eventListeners: Listeners = {}
  const leaderTasks = new Map<object, { start: () => void; stop: () => void }>()
  const callHandlers = new Map<string, CallHandler>()
  let engine: Engine | undefined
  let closing: Promise<void> | undefined

  function emit<K extends keyof StoreEvents<S>>(event: K, detail: StoreEvents<S>[K]): void {
    if (event === 'leader') for (const task of leaderTasks.values()) task[(detail as { isLeader: boolean }).isLeader ? 'start' : 'stop']()
    for (const listener of [...(eventListeners[event] ?? [])]) {
      try {
        listener(detail)
      } catch (cause) {
        if (event !== 'error') emit('error', { error: new TabmeshError('listener-failed', `A listener of "${event}" threw.`, { cause }) })
      }
    }
    if (event === 'error' && !eventListeners.error?.size) console.error((detail as { error: Error }).error)
  }

  const mirror = createMirror({
    state: options.state as JsonObject,
    hot: hotCopy && shelf ? readHotCopy(shelf, name, version) : undefined,
    include: options.include,
    exclude: options.exclude,
    strategyOf: (key) => byKey[key] ?? defaultStrategy,
    lists,
    shouldSync: options.shouldSync as ((previous: JsonObject, next: JsonObject) => boolean) | undefined,
    onError: (error) => emit('error', { error }),
  })

  const starting = (async (): Promise<Engine> => {
    const { startEngine, platform, wasm } = await load()
    engine = await startEngine({
      name,
      relay: options.relay && { ...options.relay, room: options.relay.room ?? options.name },
      version,
      migrations,
      platform,
      mirror,
      defaultStrategy,
      strategies: byKey,
      resolverOf: (key) => resolverOf(strategyByKey[key] ?? conflicts),
      lists,
      pace: { throttleMs: options.throttleMs ?? 0, debounceMs: options.debounceMs ?? 0 },
      hotCopy,
      persist: persist && ((persist as Kept).durability ?? 'relaxed'),
      compressAbove: (persist as Kept).compressAbove ?? 10_000,
      channels: options.channels,
      bridges: options.bridges ?? [],
      mayLead: options.leader !== false,
      preferVisible: typeof options.leader === 'object' && options.leader.preferVisible,
      wasm: options.wasm ?? wasm!, // one of the two says it
      callHandlers,
      debugs: () => !!eventListeners.debug?.size,
      slowMs: options.slowMs ?? 10,
      onEnd(reason) {
        onEnd()
        rejectClosed(reason)
      },
      emit: emit as never,
    })
    return engine
  })()
  const ready = starting.then((started) => Promise.race([started.ready, closed]))
  let rejectClosed!: (error: Error) => void
  const closed = new Promise<never>((_, reject) => (rejectClosed = reject))
  closed.catch(() => undefined)
  ready.catch((error: unknown) => {
    if (!closing) emit('error', { error: error as Error })
  })

  function finish(how: 'close' | 'destroy'): Promise<void> {
    closing ??= (async () => {
      onEnd()
      for (const task of leaderTasks.values()) task.stop()
      leaderTasks.clear()
      await (await starting.catch(() => undefined))?.[how]()
      const error = new TabmeshError('closed', 'The store is closed.')
      mirror.close(error)
      rejectClosed(error)
    })()
    return closing
  }

  function started(): Engine {
    if (!engine) throw new TabmeshError('not-ready', 'What is stored has not been read yet: await store.ready.')
    return engine
  }

  const leaderNow = (): ReturnType<Engine['leader']> => engine?.leader() ?? { isLeader: false, id: undefined, term: 0, guarantee: 'advisory' }

  const leader: Leader = {
    get isLeader() {
      return leaderNow().isLeader
    },
    get id() {
      return leaderNow().id
    },
    get term() {
      return leaderNow().term
    },
    get guarantee() {
      return leaderNow().guarantee
    },
    run(task) {
      const key = {}
      let running: AbortController | undefined
      const entry = {
        start() {
          if (running) return
          running = new AbortController()
          try {
            task({ signal: running.signal, fence: leaderNow().term })
          } catch (cause) {
            emit('error', { error: new TabmeshError('listener-failed', 'A task of leader.run threw.', { cause }) })
          }
        },
        stop() {
          running?.abort()
          running = undefined
        },
      }
      leaderTasks.set(key, entry)
      if (leaderNow().isLeader) entry.start()
      return () => {
        entry.stop()
        leaderTasks.delete(key)
      }
    },
    handle(name, handler) {
      callHandlers.set(name, handler)
      return () => {
        if (callHandlers.get(name) === handler) callHandlers.delete(name)
      }
    },
    call: async (name, ...args) => (await starting).call(name, args),
    force: async () => (await starting).force(),
  }

  type Select = (state: DeepReadonly<S>) => unknown
  type SelectOptions = { equals?: (a: unknown, b: unknown) => boolean; fireImmediately?: boolean }

  function subscribe(first: unknown, second?: unknown, { equals = Object.is, fireImmediately = false }: SelectOptions = {}): () => void {
    if (second === undefined) return mirror.subscribe(first as (state: JsonObject, previous: JsonObject) => void)
    const select = first as Select
    const listener = second as (part: unknown, previous: unknown) => void
    let part = select(mirror.shown as DeepReadonly<S>)
    if (fireImmediately) listener(part, part)
    return mirror.subscribe((state) => {
      const next = select(state as DeepReadonly<S>)
      if (equals(part, next)) return
      const previous = part
      part = next
      listener(next, previous)
    })
  }

  async function transact(fn: (state: JsonObject) => unknown, { keys, id }: TransactionOptions = {}): Promise<Outcome<S>> {
    const status = await (await starting).transaction({ fn, keys, id })
    return { status, state: mirror.parts.state as DeepReadonly<S> }
  }

  const store: Store<S> = {
    getState: () => mirror.shown as DeepReadonly<S>,
    getInitialState: () => mirror.initial as DeepReadonly<S>,
    setState: (partial, replace = false) => mirror.setState(partial, replace),
    set: (path, value) => mirror.set(path, value),
    remove: (path) => mirror.set(path, undefined),
    increment: (path, by = 1) => mirror.increment(path, by),
    transaction: (fn, options) => transact((state) => fn(state as DeepReadonly<S>) ?? undefined, options),
    // null: the state of another version was not expected.
    compareAndSet: (expected, partial, options) => transact(() => (mirror.version === expected && mirror.shown === mirror.parts.state ? partial : null), options),
    subscribe: subscribe,
    ready,
    exportState: (options) => started().exportState(options?.version),
    get version() {
      return mirror.version
    },
    flush: (level = 'durable') => mirror.parts.ledger.level(level),
    get tab() {
      return engine?.tab ?? { id: '', label: '' }
    },
    get tabs(): readonly TabInfo[] {
      return engine?.tabs() ?? []
    },
    leader,
    conflicts: {
      list: (): readonly Conflict[] => engine?.conflicts.list() ?? [],
      resolve: (id, choice): Write => started().conflicts.resolve(id, choice),
      clear: () => engine?.conflicts.clear(),
      subscribe: (listener) => store.on('conflict', listener),
    },
    history: {
      undo: () => engine?.history.undo() ?? false,
      redo: () => engine?.history.redo() ?? false,
      get canUndo() {
        return engine?.history.canUndo ?? false
      },
      get canRedo() {
        return engine?.history.canRedo ?? false
      },
      clear: () => engine?.history.clear(),
    },
    get status(): Status {
      return engine?.status() ?? { persistence: persist === false ? 'none' : 'opening', channel: 'none', leadership: 'none', relay: options.relay ? 'connecting' : 'off', clockSkewMs: 0, readOnly: false, pendingDurable: mirror.parts.ledger.pendingDurable(), safeToClose: mirror.parts.ledger.pendingDurable() === 0 }
    },
    get compute() {
      return started().compute
    },
    inspect: () => started().inspection,
    stats: (): Stats => engine?.stats() ?? { writes: 0, framesIn: 0, bytesIn: 0, framesOut: 0, bytesOut: 0, dropped: 0, gaps: 0, divergences: 0, nodes: 0, textBytes: 0, poolBytes: 0, era: 0 },
    on(event, listener) {
      const listeners = ((eventListeners[event] as Set<typeof listener> | undefined) ??= new Set<typeof listener>() as never)
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    requestState: () => engine?.requestState(),
    broadcastState(keys) {
      mirror.release(keys)
      engine?.broadcastState()
    },
    close: () => finish('close'),
    [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]: () => finish('close'),
    destroy: () => finish('destroy'),
  }
  const { debug } = options
  if (debug) store.on('debug', debug === true ? (event) => console[event.type === 'slow' ? 'warn' : 'debug'](`[tabmesh:${store.tab.label}]`, options.name, event.type, event) : debug)
  return store
}
