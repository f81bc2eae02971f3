// The part that is loaded later: wires the core to the platform, in the order of the core's actions.
import { createBridges } from './bridges.ts'
import { createCalls } from './calls.ts'
import { createChannels, type Way } from './channels.ts'
import { computeLater } from './compute/later.ts'
import type { Compute } from './compute/types.ts'
import { createConflicts, type Conflicts } from './conflicts.ts'
import { createCore, hexOf, loadModule, type Core, type CoreEvent, type WasmPlace, type WasmSource } from './core.ts'
import { customWay } from './custom-channel.ts'
import { applyEdits } from './edits.ts'
import { createEras, type Proposed } from './eras.ts'
import { createHistogram } from './histogram.ts'
import { shelfOf } from './hot-copy.ts'
import { createInspection } from './inspection.ts'
import { TabmeshError } from './errors.ts'
import { adopt, copied, diffTrees, equals, type TreeEdit } from './json-tree.ts'
import type { Layers } from './layers.ts'
import { createJournalWriter, type Waiting } from './journal-writer.ts'
import { bytePackerOf } from './lz.ts'
import { channelKinds, type ChannelKind, type JournalContents, type Platform } from './platform.ts'
import { createPace, type PaceOptions } from './pace.ts'
import { valueAt, type Lists } from './keyed-list.ts'
import { createLeadership } from './leadership.ts'
import { createLeftWrites } from './left-writes.ts'
import { createShelved } from './shelved.ts'
import { createStorage } from './storage.ts'
import type { Mirror } from './store.ts'
import { createSync } from './sync.ts'
import { onto } from './unstored.ts'
import { createTransactions, type TransactionCall } from './transactions.ts'
import type { RelayClient } from './relay/client.ts'
import type { Bridge, CallHandler, CustomChannel, Inspection, Migration, RelayAccess, Resolver, Stats, Status, StoreEvents, StoreHistory, StrategyName, TabInfo } from './types.ts'
import { createUpkeep } from './upkeep.ts'
import { createVersions, meshOf } from './versions.ts'
import { createVisiblePreference } from './visible-preference.ts'

/** How long storage may take before the store is ready without it. */
const storageWaitMs = 3000
/** Between two questions whether another tab has a write that somebody waits for. */
const askSharedMs = 500
const closeWaitMs = 3000
/** Between two looks whether the era has ended. */
const laterEraMs = 100
/** Changes closer than this are a stream: the next follows before a timer would run. */
const streamMs = 8

export interface EngineOptions {
  readonly name: string
  readonly version: number
  readonly migrations: readonly Migration[]
  readonly platform: Platform
  readonly mirror: Mirror
  readonly defaultStrategy: StrategyName
  readonly strategies: Readonly<Record<string, StrategyName>>
  readonly resolverOf: (key: string) => Resolver | undefined
  readonly lists: Lists
  readonly pace: PaceOptions
  readonly persist: false | 'relaxed' | 'strict'
  /** Bytes from which on a checkpoint is compressed. */
  readonly compressAbove: number
  /** Whether a hot copy is kept. */
  readonly hotCopy: boolean
  readonly channels: readonly (ChannelKind | CustomChannel)[] | undefined
  readonly bridges: readonly Bridge[]
  readonly relay: (RelayAccess & { readonly room: string }) | undefined
  /** Connects to the relay though it never leads. */
  readonly courier?: boolean
  readonly mayLead: boolean
  /** Whether a visible tab is to take over from a hidden leader. */
  readonly preferVisible: boolean
  readonly wasm: WasmSource | WasmPlace
  readonly callHandlers: ReadonlyMap<string, CallHandler>
  /** Whether somebody listens to debug events. */
  readonly debugs: () => boolean
  readonly slowMs: number
  /** The engine has ended, by whoever's will; called once. */
  readonly onEnd: (reason: TabmeshError) => void
  readonly emit: <K extends keyof StoreEvents<never>>(event: K, detail: StoreEvents<Record<string, unknown>>[K]) => void
}

export interface Engine {
  readonly tab: { readonly id: string; readonly label: string }
  /** Resolves when the state is hydrated. */
  readonly ready: Promise<void>
  tabs(): TabInfo[]
  leader(): { isLeader: boolean; id: string | undefined; term: number; guarantee: 'fenced' | 'advisory' }
  status(): Status
  readonly compute: Compute
  stats(): Stats
  readonly inspection: Inspection
  readonly conflicts: Conflicts
  readonly history: StoreHistory
  exportState(version: number | undefined): Record<string, unknown>
  requestState(): void
  broadcastState(): void
  /** Both reject as those of Leader do. */
  call(name: string, args: readonly unknown[]): Promise<unknown>
  force(): Promise<void>
  /** Rejects as Store.transaction does. */
  transaction(call: TransactionCall): Promise<'committed' | 'conflict' | 'unknown'>
  close(): Promise<void>
  destroy(): Promise<void>
}

/** What is loaded after the first paint. */
export interface EngineParts {
  readonly startEngine: (options: EngineOptions) => Promise<Engine>
  readonly platform: Platform
  /** Where the module is, when the options do not say. */
  readonly wasm?: WasmPlace
}

const frameKinds = ['', 'ops', 'hello', 'delta', 'presence', 'position', 'ack', 'fragment', 'destroy', 'end', 'note']
const opsKind = 1
const deltaKind = 3
const fragmentKind = 7
/** As js-glue/relay/protocol.ts has it, which is loaded later. */
const courierTerm = -1

const upgradeRequired = (): TabmeshError => new TabmeshError('upgrade-required', 'A newer version of this app has taken over the data: load this tab again. It shows what it has, and writes no more.')
const erased = (): TabmeshError => new TabmeshError('destroyed', 'The store was erased while this tab was away.')

/** Failures to store in a row, until it is told. */
const failuresTold = 3

/** For a quota there is a name; of a full disk Chromium says this, and WebKit nothing. */
const isFull = (cause: unknown): boolean => (cause as Error | undefined)?.name === 'QuotaExceededError' || /NO_SPACE|Failed to write blobs/.test((cause as Error | undefined)?.message ?? '')

/** Loads the core and starts. Rejects where WebAssembly cannot be loaded; the mirror then works by itself. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { platform, mirror, emit } = options
  const { ledger } = mirror.parts
  const { clock } = platform
  const { throttleMs, debounceMs } = options.pace
  const sync = createSync(mirror.parts, (flush) => (throttleMs > 0 || debounceMs > 0 ? createPace(options.pace, clock, flush) : undefined))
  await platform.lifecycle.active()
  const claiming = platform.claimLabel()
  const module = await loadModule(options.wasm).catch(async (cause: unknown) => {
    ;(await claiming).release()
    throw cause
  })
  const tabLabel = await claiming
  const label = tabLabel.text
  const mesh = meshOf(options.name, options.version)

  const instance = platform.random(16)
  const id = hexOf(instance)
  const connectedAt = clock.now()
  const { mayLead, defaultStrategy, strategies, lists } = options
  const seen = createHistogram()
  const stored = createHistogram()
  const core: Core = createCore(module, { name: mesh, instance, label, connectedAt, visible: platform.lifecycle.visible(), mayLead, defaultStrategy, strategies, lists })
  const { replica } = core

  let cursor = 0
  let storageFull = false
  let failures = 0 // to store, in a row, of unknown reason
  let suspended = false
  let resuming = false
  let away = false // what the page says, also while this tab is still coming back
  let ending = false // what the core still wants done may end it once more
  let ended = false
  let durableSeq = 0
  let ends: JournalContents['ends'] = new Map() // as the journal was last read
  let proposed: Proposed | undefined
  let proposing = false // nothing else can be written
  let following = false // others into an era that no journal tells of
  let laterEra: (() => void) | undefined
  let read = false // the journal, ever
  let told = false // the core, that storage was read, or does not answer
  let lastLater = 0
  let cancelAskShared: (() => void) | undefined
  let hydrated = false
  let outdated: TabmeshError | undefined
  let newest = options.version
  let leading = { isLeader: false, id: undefined as string | undefined, term: 0 }
  let cancelWake: (() => void) | undefined
  let wakeAt = 0
  let becomeReady!: () => void
  const ready = new Promise<void>((resolve) => (becomeReady = resolve))

  const storage = createStorage({
    name: mesh,
    platform,
    persist: options.persist,
    position,
    ended: () => ended,
    merge(contents) {
      if (away && contents.era !== eras.era) return false // whoever comes back reads again
      merge(contents)
      return true
    },
    onUsable(usable) {
      if (!usable) writer.use(undefined)
      if (ended) return
      setStores(usable)
      perform()
    },
    found: (journal, of) => versions.found(journal, of),
    onSucceeded: succeeded,
    onRead(journal) {
      if (!outdated) {
        writer.use(journal)
        shelved.takeIn(journal)
      }
      versions.announce()
    },
    state: () => core.checkpoint(),
    onRefounded() {
      cursor = 0
      emit('error', { error: new TabmeshError('storage-cleared', 'The browser has cleared the stored state; the tabs that are open have stored again what they have of it.') })
      if (ended || !leading.isLeader) return
      replica.lockLost(clock.now()) // its term is not known there
      perform()
    },
    onErased: () => end(erased()),
    onLeftBehind: () => end(new TabmeshError('storage-cleared', 'The browser has cleared the stored state, and other tabs have begun another: reload this tab.')),
    onError: (error) => emit('error', { error }),
  })

  /** No era ends under a tab that cannot store what it writes, nor under a relay: other devices would know nothing of it. */
  function setStores(usable: boolean): void {
    replica.setStores(usable && !options.relay, clock.now())
  }

  const eras = createEras({ core, clock, mirror, sync, storesNothing: () => storage.absent, onLost: (error) => emit('error', { error }) })

  const upkeep = createUpkeep({
    core,
    clock,
    storage,
    position,
    compressAbove: options.compressAbove,
    term: ledTerm,
    merge,
    onReplaced() {
      if (ended) return
      replica.lockLost(clock.now())
      perform()
    },
  })

  /** The term that this tab leads; undefined while it does not, or must not act. */
  function ledTerm(): number | undefined {
    return leading.isLeader && hydrated && !suspended && !ended ? leading.term : undefined
  }

  function position(): { cursor: number; era: number } {
    return { cursor, era: eras.era }
  }

  const writer = createJournalWriter(clock, {
    durable(seq, records, bytes, waited) {
      if (ended) return
      waited.forEach(stored.add)
      storageFull = false
      failures = 0
      if (options.debugs()) emit('debug', { type: 'journal', records, bytes, at: clock.now() })
      durableSeq = seq
      eras.reached('durable', seq)
      shareAlone()
      emit('status', status())
    },
    failed(cause) {
      if (ended) return
      const full = isFull(cause)
      if (full && !storageFull) emit('storage-full', { cause })
      storageFull ||= full
      if (!storageFull && ++failures === failuresTold) emit('error', { error: new TabmeshError('storage-failed', 'What is written cannot be stored: is the disk full? It is tried again until it can.', { cause }) })
      emit('status', status())
    },
    stale: () => void storage.catchUp(),
    stalled() {
      if (ended) return
      emit('error', { error: new TabmeshError('storage-stalled', 'The database does not answer: another tab, which does not run, holds it up. What is written is shared, and is stored when that tab runs again or is closed.') })
    },
  })

  const conflicts = createConflicts({
    self: id,
    resolverOf: options.resolverOf,
    pending: () => core.conflicts(),
    term: () => (relay?.resolves === false ? undefined : ledTerm()),
    choose(key, value) {
      if (outdated) throw outdated
      return sync.choose(key, value)
    },
    after: (ms, task) => clock.after(ms, task),
    onChange: (list) => emit('conflict', list),
    onError: (error) => emit('error', { error }),
  })

  const transactions = createTransactions({
    async journal() {
      await ready
      if (ended) throw new TabmeshError('closed', 'The store is closed.')
      await storage.open()
      // Opened by a claim, it may not have been read yet: what it holds belongs to no known generation then.
      if ((!storage.journal || storage.generation === '') && !storage.absent && !(await storage.read())) {
        throw erased()
      }
      return storage.journal
    },
    position,
    now: () => clock.now(),
    after: (ms, task) => clock.after(ms, task),
    away: () => suspended && !ended,
    ended: () => ended,
    take(contents) {
      if (ended) throw new TabmeshError('closed', 'The store is closed.')
      if (contents.generation !== storage.generation) end(erased())
      if (contents.successor > 0) succeeded(contents.successor)
      if (outdated) throw outdated
      if (ended) throw erased()
      sync.flush()
      merge(contents)
      sync.flush()
      if (ended) throw new TabmeshError('closed', 'The store has ended.')
    },
    plan: (partial) => mirror.parts.plan(partial, sync.told()),
    state: () => sync.told(),
    isShared: (key) => mirror.parts.isShared(key),
    propose(edits) {
      const record = core.propose(edits, clock.now())
      const next = eras.propose(edits, mirror.parts.sent)
      if (record) {
        proposing = true
        sync.hold(true)
        proposed = next
      }
      perform()
      return record && { own: { record, seq: next.seq }, before: writer.unstored() }
    },
    // Once the era of a proposal has ended it is in the next one, or never will be.
    accept() {
      proposing = false
      if (proposed?.era === eras.era) {
        eras.accepted(proposed)
        replica.accept(clock.now())
        perform() // under what waits here
      }
      sync.hold(false)
    },
    withdraw() {
      proposing = false
      const empty = proposed?.era === eras.era ? core.withdraw(clock.now()) : undefined
      if (empty) {
        writer.push(empty, proposed!.seq)
        perform()
      }
      sync.hold(false)
    },
    passOver() {
      proposing = false
      replica.passOver()
      sync.hold(false)
    },
    stored(records) {
      if (proposed?.era === eras.era) writer.stored(records)
    },
    async has(seq) {
      const there = !away && (await storage.read())
      if (!there && !away) end(erased())
      // Whoever is away takes in nothing of another era, and reads again when it comes back.
      if (away || ended || !storage.journal) throw new TabmeshError('storage-failed', 'The journal could not be read.')
      return proposed?.era === eras.era ? core.hasOwn(seq) : proposed !== undefined && eras.wasKept(proposed)
    },
  })

  const calls = createCalls({
    id,
    handlers: options.callHandlers,
    after: (ms, task) => clock.after(ms, task, true),
    send(to, note) {
      if (ended || suspended) return // the next time it is asked
      core.sendNote(to, note, clock.now())
      perform()
    },
    leads: () => ledTerm() !== undefined,
    isAlive: (instance) => instance === id || core.peers().some((peer) => peer.id === instance),
    async begin(caller, number, settled) {
      const term = ledTerm()
      if (term === undefined) return undefined
      return storage.absent ? '' : storage.journal?.beginCall(term, eras.era, { caller, number, settled }, id)
    },
  })
  // ---- performing what the core wants, in the order of its fields ----

  // Readers and the channel come first: others wait for them. A listener may close the store at any point.
  function perform(): void {
    if (ended) return
    const changes = core.takeChanges()
    const keys = changes.length === 0 ? [] : eras.entering ? makeAgain(changes) : sync.applyRemote(changes)
    if (ended) return
    core.takeFrames().forEach(post)
    store(core.takeRecords())
    performLock()
    let source: string | undefined
    for (const event of core.takeEvents()) {
      if (event.type === 'remote') {
        source = event.from
        if (event.at !== undefined && keys.length > 0) measure(source, event.at)
      } else {
        handle(event)
      }
      if (ended) return
    }
    if (keys.length > 0) {
      emit('remote-update', { keys, source })
      if (ended) return
      upkeep.written(1)
    }
    wake(core.wakeAt())
  }

  function post(frame: Uint8Array): void {
    channels.post(frame)
    debugFrame('out', frame)
    passOn(frame)
  }

  /** To the other devices. What tabs say to each other is not for them. */
  function passOn(frame: Uint8Array): void {
    if (frame[3] === opsKind || frame[3] === deltaKind || frame[3] === fragmentKind) relay?.pass(frame)
  }

  function debugFrame(direction: 'in' | 'out', frame: Uint8Array): void {
    if (options.debugs()) emit('debug', { type: 'frame', direction, kind: frameKinds[frame[3] ?? 0] ?? 'unknown', bytes: frame.byteLength, at: clock.now() })
  }

  function store(records: readonly Uint8Array[]): void {
    if (options.persist === false) return
    records.forEach((record, at) => writer.push(record, core.seq() - records.length + 1 + at))
    if (suspended && records.length > 0) writer.flushNow() // written by the app's own pagehide handler: there is no later
  }

  /** Readers have been told of a write of another tab's. */
  function measure(from: string, writtenAt: number): void {
    const ms = clock.now() - writtenAt
    seen.add(ms)
    if (ms > options.slowMs && options.debugs()) emit('debug', { type: 'slow', from, ms, at: clock.now() })
  }

  function performLock(): void {
    const { action, term } = core.takeLock()
    if (action === 'claim') leadership.claim(term)
    else if (action === 'request' || action === 'steal' || action === 'release') leadership[action]()
    else if (action === 'incomplete') endShort()
  }

  function handle(event: CoreEvent): void {
    switch (event.type) {
      case 'ready':
        if (eras.entering) {
          makeAgain([])
          perform()
        }
        if (hydrated) break
        if (mirror.parts.isHot) sync.applyRemote([]) // nothing of it is stored
        sync.connect({
          commit(edits) {
            const number = eras.write(edits, mirror.parts.sent)
            perform()
            upkeep.written(1)
            return number
          },
          askShared,
          askRelayed: () => relay?.ask(),
          hurry: () => writer.hurry(),
          later: (task) => {
            const now = clock.now()
            if (now - lastLater < streamMs) clock.soon(task)
            else clock.later(task)
            lastLater = now
          },
        })
        hydrated = true
        relay?.look()
        lookAtLastWords()
        if (ended) return
        if (!suspended && !outdated) bridges.open()
        becomeReady()
        emit('status', status())
        laterEra?.()
        break
      case 'note':
        if (!relay?.note(event.from, event.value)) calls.take(event.from, event.value)
        break
      case 'tabs':
        shareAlone()
        calls.forget()
        tellTabs()
        leadership.watch()
        break
      case 'knock':
        leadership.knock(event.id)
        break
      case 'catch-up':
        if (options.persist !== false && hydrated) void storage.catchUp()
        break
      case 'later-era':
        if (event.era > eras.era) followTo(event.era)
        break
      case 'leader':
        if (leading.id !== undefined) preference?.changed()
        leading = { isLeader: event.self === 1, id: event.id, term: event.term }
        relay?.look()
        relay?.ask()
        emit('leader', leading)
        tellTabs()
        emit('status', status())
        if (leading.isLeader) {
          leadership.led()
          leadership.look()
          clock.soon(() => upkeep.look()) // what pages too short to look have left
        }
        conflicts.look()
        calls.look()
        break
      case 'conflicts':
        conflicts.look()
        break
      case 'strategy-mismatch':
        emit('error', { error: new TabmeshError('strategy-mismatch', `Another tab merges ${event.key} by another strategy, as another version of the app may. All tabs still agree; the later write wins there until all have the same version.`) })
        break
      case 'shared':
        eras.reached('shared', event.seq)
        break
      case 'divergence':
        emit('divergence', { source: event.from })
        break
      case 'identity-conflict':
        emit('identity-conflict', undefined)
        // It may neither write nor lead: others take its numbers for somebody else's.
        end(new TabmeshError('identity-conflict', "Another tab writes under this tab's identity: reload this tab."))
        break
      case 'dropped':
        emit('error', { error: new TabmeshError('dropped', `Bytes from another tab or from storage were dropped: ${event.reason}. Nothing is lost if their writer still has them.`) })
        break
      case 'destroyed':
        end(new TabmeshError('destroyed', 'The store was erased by another tab.'))
        break
      case 'remote':
        break
    }
  }

  /** Asks again until somebody has answered: question and answer may be lost. */
  function askShared(): void {
    cancelAskShared?.()
    cancelAskShared = undefined
    if (ended || suspended || !ledger.waitsFor('shared', true)) return
    cancelAskShared = clock.after(askSharedMs, askShared)
    tellPosition()
  }

  function tellPosition(): void {
    replica.askShared(clock.now())
    perform()
  }

  /** With no other tab, shared means durable. */
  function shareAlone(): void {
    if (core.peers().length === 0) eras.reached('shared', durableSeq)
  }

  // Every write puts the time off: the timer stays, and is set anew when it runs too early.
  function wake(at: number): void {
    if (at === 0 || (cancelWake && at < wakeAt)) {
      cancelWake?.()
      cancelWake = undefined
    }
    if (at === 0 || cancelWake) return
    wakeAt = at
    cancelWake = clock.after(at - clock.now(), tick, !hydrated)
  }

  function tick(): void {
    cancelWake = undefined
    if (ended || suspended) return
    const at = core.wakeAt()
    if (at > clock.now() && at > wakeAt) return wake(at)
    replica.tick(clock.now())
    perform()
  }

  /** Waits for a promise that does not reject, but not longer than that. */
  function atMost(wanted: Promise<void>, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(ms, resolve, true)
      void wanted.then(() => {
        cancel()
        resolve()
      })
    })
  }

  function leftLost(): void {
    emit('error', { error: new TabmeshError('write-lost', 'A page has left writes that it could not store, and nobody has looked after them in time.') })
  }

  function lookAtLastWords(): void {
    if (!ended && !outdated && storage.journal && storage.generation !== '') shelved.takeIn(storage.journal)
  }

  // ---- the channel ----

  const packer = bytePackerOf(module)
  const shelved = createShelved({
    name: options.name,
    version: options.version,
    instance: id,
    platform,
    packer,
    copies: options.hotCopy,
    leads: () => leading.isLeader,
    state: () => (hydrated && (read || storage.absent) && !ended && !outdated ? { shared: sharedState, textBytes: core.counters()[9] ?? 0 } : undefined),
    era: () => eras.era,
    writes: () => eras.unstored(),
    onLeft: (left) => makeLeft(left), // made below
    canMake: () => hydrated && !eras.entering && !following && !proposing && !suspended,
    restore(records) {
      const whole = records.filter((record) => core.restore(record, clock.now()) === 0)
      if (told && !ended) {
        replica.restored(false, clock.now())
        perform()
      }
      return whole
    },
    onLost: leftLost,
  })
  mirror.subscribe(() => shelved.changed())
  const sharedState = (): Record<string, unknown> => Object.fromEntries(Object.entries(sync.told()).filter(([key]) => mirror.parts.isShared(key)))

  const waysTo = (of: string): Way[] =>
    (options.channels ?? channelKinds).map((way) => (typeof way === 'string' ? { kind: way, open: (receive) => platform.openChannel(way, of, receive, packer) } : customWay(way, of, (error) => emit('error', { error }))))

  const channels = createChannels({
    ways: waysTo(mesh),
    clock,
    receive(frame) {
      if (ended) return
      debugFrame('in', frame)
      sync.flushUnseen()
      core.receive(frame, clock.now())
      passOn(frame)
      perform()
    },
    onChange(wider) {
      emit('status', status())
      if (wider && !ended) tellPosition() // who hears it now asks for what it lacks
    },
  })

  /** A replica that nobody knows of. */
  function scratch(of: string, its: Lists, strategyOf: (strategy: StrategyName) => StrategyName, instance = platform.random(16)): Core {
    const byKey = Object.fromEntries(Object.entries(strategies).map(([key, strategy]) => [key, strategyOf(strategy)]))
    return createCore(module, { name: of, instance, label: '', connectedAt: 0, visible: false, mayLead: false, defaultStrategy: strategyOf(defaultStrategy), strategies: byKey, lists: its })
  }

  const makeLeft = createLeftWrites({
    endOf: (era) => ends.get(era),
    replicaOf: (instance) => scratch(mesh, lists, (strategy) => strategy, instance),
    make(write, beside) {
      const again = onto(mirror.parts.sent, write, lists, (key) => mirror.parts.strategyOf(key), beside)
      if (again.length === 0) return
      eras.write(again, mirror.parts.sent)
      sync.applyRemote([...again, ...core.takeChanges()])
      perform()
    },
    onLost: leftLost,
  })

  const versions = createVersions({
    name: options.name,
    version: options.version,
    migrations: options.migrations,
    platform,
    ways: waysTo(`${options.name}@`),
    lists,
    createCore: (of, its) => scratch(of, its, (strategy) => strategy),
    adoptKey: (key, value) => (mirror.parts.isShared(key) ? mirror.parts.adoptKey(key, value, undefined) : undefined),
    onNewer(newer) {
      if (storage.absent) succeeded(newer)
      else void storage.catchUp()
    },
    onOutdated: succeeded,
    left: (older, era) => shelved.ofOlder(older, era),
    async stored() {
      writer.hurry()
      await ledger.level('durable').catch(() => undefined)
    },
    storesNothing: () => storage.absent,
    away: () => away,
    ended: () => ended,
    onError: (error) => emit('error', { error }),
  })

  /** A newer version of the app has the data now. */
  function succeeded(newer: number): void {
    if (ended || newer <= newest) return
    newest = newer
    if (!outdated) {
      outdated = upgradeRequired()
      mirror.refuse(outdated)
      writer.close()
      bridges.close()
      leadership.retire(outdated)
      if (ended) return
      emit('status', status())
    }
    emit('upgrade-required', { version: newer })
  }

  const whole = (strategy: StrategyName): StrategyName => (strategy === 'merge' ? 'merge' : 'last-write-wins')
  const bridges = createBridges({
    name: mesh,
    bridges: options.bridges,
    platform,
    createCore: (of) => scratch(of, lists, whole),
    initial: mirror.initial,
    state: () => sync.told(),
    isShared: (key) => mirror.parts.isShared(key),
    write: (edits) => sync.take(edits),
    onError: (error) => emit('error', { error }),
  })
  if (options.bridges.length > 0) mirror.subscribe(() => bridges.tell())

  function openChannels(): void {
    channels.open()
    versions.open()
    leadership.show()
  }

  const leadership = createLeadership({
    name: mesh,
    id,
    core,
    storage,
    channels,
    platform,
    mayLead,
    leader: () => leading.id,
    leads: () => leading.isLeader,
    suspended: () => suspended,
    ended: () => ended,
    perform,
  })
  /** Loaded when it is asked for. */
  const openLayers = async (): Promise<Layers> =>
    (await import('./layers.ts')).createLayers({
      core,
      now: () => clock.now(),
      era: () => eras.era,
      journal: () => storage.journal,
      generation: () => storage.generation,
      shown: sharedState,
      shownBy: (of) => applyEdits(mirror.sharedInitial(), of.takeChanges(), lists),
      hotCopy: () => shelved.hotCopy(),
      scratch() {
        const made = scratch(mesh, lists, (strategy) => strategy)
        made.open(mirror.sharedInitial(), clock.now())
        if (eras.era > 0) made.enterEra(eras.era, mirror.sharedInitial(), clock.now())
        return made
      },
      differences(a, b) {
        const edits: TreeEdit[] = []
        diffTrees(a, b, [], edits)
        return edits.filter(([path, value]) => !equals(valueAt(a, path, lists), value)).length // arrays are compared by what they hold
      },
      async settle() {
        sync.flush()
        await atMost(ledger.level('durable').catch(() => undefined), closeWaitMs)
        await storage.read()
      },
      merge,
      renewHotCopy: () => shelved.renewCopy(),
      pause: (ms) => new Promise((resolve) => clock.after(ms, resolve)),
    })
  const inspection = createInspection({ core, lists, state: () => mirror.parts.state, layers: openLayers, view: (state) => mirror.view(state), isShared: (key) => mirror.parts.isShared(key) })
  const later = computeLater(async () =>
    (await import('./compute/compute.ts')).openCompute({
      clock,
      random: (count) => platform.random(count),
      openRecords: () => platform.openRecords(options.persist === false ? undefined : options.name),
      compressAbove: options.compressAbove,
      json: (value, path) => copied(adopt(value, undefined, path)),
      slice: (keys) =>
        Object.fromEntries(
          keys.map((key) => {
            if (!mirror.parts.isShared(key)) throw new TypeError(`"${key}" is not shared, and stays in this tab: leave it out of the slice.`)
            return [key, copied(sharedState()[key] ?? null)]
          }),
        ),
    }),
  )
  let relay: RelayClient | undefined
  if (options.relay) {
    void import('./relay/device.ts').then(({ openRelay }) => {
      if (ended) return
      relay = openRelay({
        access: options.relay!,
        mesh,
        id,
        label,
        core,
        clock,
        device: () => storage.generation || id,
        term: () => (outdated ? undefined : options.courier ? (read && hydrated && leading.id === undefined && !suspended && !ended ? courierTerm : undefined) : ledTerm()),
        leader: () => leading.id,
        take: takeRelayed,
        send(to, note) {
          if (ended || suspended) return
          core.sendNote(to, note, clock.now())
          perform()
        },
        reached: (seq) => eras.reached('relayed', seq),
        waits: () => ledger.waitsFor('relayed'),
        belongsTo(user) {
          const key = `${shelfOf(options.name)}user` // goes with what it is about
          const known = platform.shelf.read(key)
          if (known === null && options.persist !== false) platform.shelf.write(key, user)
          return known === null || known === user || options.persist === false
        },
        onChange() {
          if (ended) return
          emit('status', status())
          tellTabs()
          conflicts.look()
        },
        onError: (error) => emit('error', { error }),
      })
      relay.look()
      relay.ask()
    }, (cause: unknown) => emit('error', { error: new TabmeshError('relay-failed', 'What connects to the relay could not be loaded: reload this page.', { cause }) }))
  }

  /** Others on this device have them by the journal, and the writes among them at once. */
  function takeRelayed(frames: readonly Uint8Array[]): void {
    if (ended || suspended) return
    sync.flushUnseen()
    const merged = frames.filter((frame) => core.restore(frame, clock.now()) === 0)
    replica.restored(false, clock.now())
    perform()
    if (ended) return
    for (const frame of merged) {
      if (options.persist !== false) writer.push(frame, 0)
      channels.post(frame[3] === opsKind ? frame : core.greeting())
    }
  }

  const preference = options.preferVisible && mayLead ? createVisiblePreference(clock, tabs, () => leadership.force()) : undefined

  // ---- storage ----

  /** Readers are told in this very task: a write that came in between would be told without it. */
  function merge(contents: JournalContents): void {
    if (contents.era !== eras.era) return enterEra(contents.era, contents)
    restore(contents)
    if (!told || ended) return // all of it is one reading until then
    replica.restored(false, clock.now())
    perform()
  }

  function restore(contents: JournalContents): void {
    const now = clock.now()
    read = true
    let short = false
    const isMerged = (bytes: Uint8Array): boolean => {
      const status = core.restore(bytes, now)
      short ||= status === undefined
      return status === 0
    }
    contents.checkpoints.some(isMerged) // the newest that is whole
    contents.records.forEach(isMerged)
    if (short) return endShort()
    ends = contents.ends
    cursor = Math.max(cursor, contents.cursor)
    upkeep.written(contents.records.length)
    relay?.look()
  }

  async function hydrate(): Promise<void> {
    const others = leadership.others()
    const reading = storage.readFirst().then(
      () => {
        if (storage.absent) versions.announce()
      },
      (cause: unknown) => {
        if (ended) return
        if (cause instanceof TabmeshError && cause.code === 'migration-failed') emit('error', { error: cause })
        else emit('error', { error: new TabmeshError('storage-failed', 'The stored state could not be read yet; it is left as it is, and read again.', { cause }) })
        storage.catchUpLater()
      },
    )
    await atMost(reading, storageWaitMs)
    if (ended) return
    const alone = (await others) === 0 || !channels.isOpen()
    if (ended) return
    told = true
    replica.restored(alone, clock.now())
    perform()
    leadership.look()
  }

  // ---- eras ----

  /** Others are in a later era: the journal has it, or else they have. */
  function followTo(later: number): void {
    if (!suspended && (storage.absent || (told && storage.generation === ''))) return enterEra(later, undefined)
    if (laterEra) return
    laterEra = () => (hydrated && options.persist !== false ? void storage.catchUp() : undefined)
    clock.after(laterEraMs, () => (laterEra = undefined))
    laterEra()
  }

  /** The core begins anew: with what the journal has, or with what others tell. */
  function enterEra(next: number, contents: JournalContents | undefined): void {
    if (hydrated) sync.flush()
    if (ended) return
    try {
      eras.enter(next, contents, hydrated, !read)
    } catch {
      return endShort()
    }
    if (contents) restore(contents)
    else if (hydrated) sync.hold((following = true))
    if (ended) return
    writer.beginEra(next, core.seq())
    if (told) replica.restored(hydrated && contents !== undefined, clock.now())
    perform()
    conflicts.look()
  }

  function makeAgain(changes: readonly TreeEdit[]): string[] {
    durableSeq = core.seq()
    const keys = eras.makeAgain(changes)
    if (following) sync.hold((following = false))
    if (hydrated) clock.soon(lookAtLastWords)
    askShared()
    return keys
  }

  // ---- the page's life ----

  /** Without what a relay has, too. */
  const own = (records: readonly Waiting[]): Waiting[] => records.filter(({ seq }) => seq > 0)

  function suspend(): void {
    away = true
    if (resuming && !ended) shelved.leave(own(writer.unstored()))
    if (suspended || ended) return
    transactions.suspend()
    sync.flush()
    if (storage.absent) eras.forget() // the others have heard of it all
    suspended = true
    replica.suspend(clock.now())
    perform()
    relay?.look()
    writer.flushNow()
    shelved.leave(options.persist === false || storage.absent ? [] : own(writer.unstored()))
    leadership.hide()
    channels.close()
    versions.close()
    bridges.close()
    upkeep.stop()
  }

  /** First the journal: if the store was erased meanwhile, nothing of this tab may leave it. */
  async function resume(): Promise<void> {
    away = false
    if (!suspended || ended || resuming) return
    resuming = true
    if (shelved.takeBack()) eras.taken()
    writer.use(undefined)
    versions.open()
    let behind = false
    try {
      if (!(await storage.read())) return end(erased())
    } catch {
      behind = true
    } finally {
      resuming = false
    }
    if (ended || away) return
    suspended = false
    openChannels()
    replica.restored(false, clock.now())
    perform()
    replica.resume(clock.now())
    perform()
    if (hydrated && !outdated) bridges.open()
    relay?.look()
    askShared()
    if (behind) void storage.catchUp()
    leadership.look()
  }

  const unwatch = platform.lifecycle.watch({
    suspend,
    resume: () => void resume(),
    visibility(visible) {
      if (ended) return
      if (!visible) sync.flush() // its timers are late from now on, and it may not run again
      replica.setVisible(visible, clock.now())
      perform()
      tellTabs()
    },
  })

  function endShort(): void {
    end(new TabmeshError('out-of-memory', 'There is no memory left for the state: reload this tab. What was stored is kept.'))
  }

  /** Others may lead once it resolves. */
  let left: Promise<void> | undefined

  function end(reason: TabmeshError): void {
    if (ended || ending) return
    ending = true
    if (reason.code === 'destroyed') {
      // Nothing of the old store may reach the new one.
      writer.close()
      channels.close()
    }
    suspend()
    ended = true
    transactions.end()
    calls.end(reason)
    relay?.end()
    preference?.end()
    later.close()
    cancelAskShared?.()
    unwatch()
    cancelWake?.()
    left = leadership.end(reason)
    writer.close()
    mirror.close(reason)
    storage.close()
    core.free()
    tabLabel.release()
    options.onEnd(reason)
    becomeReady() // who waits for it finds that the store has ended
    if (reason.code !== 'closed') emit('error', { error: reason })
  }

  // ---- what users see ----

  function tellTabs(): void {
    emit('tabs', [...tabs(), ...deviceTabs()])
    preference?.look()
  }

  function tabs(): TabInfo[] {
    if (ended) return []
    const self: TabInfo = { id, label, isLeader: leading.isLeader, visible: platform.lifecycle.visible(), connectedAt, lastSeen: clock.now() }
    return [self, ...core.peers().map((peer) => ({ ...peer, isLeader: peer.id === leading.id }))]
  }

  /** Of other devices, one each. */
  function deviceTabs(): TabInfo[] {
    const own = storage.generation || id
    const others = (relay?.devices ?? []).filter(({ device }) => device !== own)
    return others.map(({ connection, device, label, connectedAt }) => ({ id: connection, label, isLeader: false, visible: true, connectedAt, lastSeen: clock.now(), device }))
  }

  function status(): Status {
    const pendingDurable = ledger.pendingDurable()
    return {
      persistence: storage.persistence,
      channel: channels.kind ?? 'none',
      leadership: leading.isLeader ? 'leader' : leading.id ? 'follower' : 'none',
      relay: relay?.status ?? (options.relay ? 'connecting' : 'off'),
      clockSkewMs: Math.max(0, core.clockMs() - clock.now()),
      readOnly: outdated !== undefined,
      pendingDurable: options.persist === false ? 0 : pendingDurable,
      safeToClose: options.persist === false || pendingDurable === 0,
    }
  }

  try {
    core.open(mirror.sharedInitial(), clock.now())
  } catch (cause) {
    unwatch()
    storage.close()
    core.free()
    tabLabel.release()
    throw cause
  }
  openChannels()
  if (storage.absent || options.relay) setStores(false)
  perform()
  void hydrate()

  return {
    tab: { id, label },
    ready,
    tabs: () => [...tabs(), ...deviceTabs()],
    status,
    conflicts,
    transaction: (call) => transactions.run(call),
    call: (name, args) => calls.call(name, args),
    force: () => leadership.force(),
    history: sync.history,
    requestState() {
      if (ended || suspended) return // whoever comes back asks for all of it
      replica.resume(clock.now())
      perform()
      if (options.persist !== false && hydrated) void storage.catchUp()
    },
    broadcastState() {
      sync.flush()
      if (!ended && !suspended) tellPosition()
    },
    exportState: (version) => versions.exported(copied(sharedState()), version),
    leader: () => ({ ...leading, guarantee: ['none', 'opening'].includes(storage.persistence) ? 'advisory' : 'fenced' }),
    stats() {
      const [writes = 0, framesIn = 0, bytesIn = 0, framesOut = 0, bytesOut = 0, dropped = 0, gaps = 0, divergences = 0, nodes = 0, textBytes = 0, poolBytes = 0] = ended ? [] : core.counters()
      return { writes, framesIn, bytesIn, framesOut, bytesOut, dropped, gaps, divergences, nodes, textBytes, poolBytes, era: eras.era, seen: seen.summary(), stored: stored.summary(), compute: later.usage() }
    },
    inspection,
    compute: later.compute,
    async close() {
      if (ended) return
      if (ledger.pendingDurable() > 0) await atMost(ready, closeWaitMs)
      if (ended) return
      sync.flush()
      if (storage.persistence !== 'none') {
        await atMost(ledger.level('durable').catch(() => undefined), closeWaitMs)
      }
      end(new TabmeshError('closed', 'The store is closed.'))
      if (left) await atMost(left, closeWaitMs)
    },
    async destroy() {
      if (ended) return
      await atMost(storage.open(), closeWaitMs)
      if (ended) return
      writer.close()
      shelved.erase() // before anybody hears of it, and begins anew
      replica.destroy(clock.now())
      perform()
      channels.close() // a tab that opens now must not be told the old state
      try {
        if (!storage.journal && !storage.absent) throw new TabmeshError('storage-failed', 'The database cannot be opened now, so its contents could not be erased: call destroy() again after a reload.')
        await versions.eraseOthers()
        await storage.journal?.erase()
        const recordsErased = options.persist === false ? Promise.resolve() : platform.eraseRecords(options.name)
        await atMost(recordsErased.catch((error: unknown) => emit('error', { error: error as Error })), closeWaitMs)
      } finally {
        end(new TabmeshError('closed', 'The store is destroyed.'))
      }
    },
  }
}
