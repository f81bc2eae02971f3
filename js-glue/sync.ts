// The half of the store that is loaded later: sends what was written here, merges what others wrote, takes writes back.
import { applyEdits, warm } from './edits.ts'
import { TabmeshError } from './errors.ts'
import { createHistory } from './history.ts'
import { diffTrees, isPlainObject, type JsonObject, type TreeEdit } from './json-tree.ts'
import { editsOf, placeOf } from './touched.ts'
import { onto, type OwnWrite } from './unstored.ts'
import type { Pace } from './pace.ts'
import type { MirrorParts } from './store.ts'
import type { StoreHistory, Write } from './types.ts'

/** The half of the engine that the store needs. */
export interface Committer {
  /** Stamps edits; returns the write's number. Throws TabmeshError, and then nothing has changed. */
  commit(edits: readonly TreeEdit[]): number
  /** Asks the other tabs to acknowledge the newest write. */
  askShared(): void
  /** Somebody waits until all is stored. */
  hurry(): void
  /** Somebody waits until it is relayed. */
  askRelayed(): void
  /** Does something when nobody waits: after what was just sent has arrived, or at once in a stream of changes. */
  later(task: () => void): void
}

export interface Sync {
  /** From now on writes are stamped; those made before are stamped now. */
  connect(committer: Committer): void
  /**
   * As applyRemote, for a core that has begun anew: `edits` lead to its state from `initial`. Then makes writes of its
   * predecessor again: `repeat` commits one on that state, and returns what the core shows besides.
   */
  rebase(initial: JsonObject, edits: readonly TreeEdit[], writes: readonly OwnWrite[], repeat: (write: OwnWrite, edits: readonly TreeEdit[], on: JsonObject) => readonly TreeEdit[] | undefined): string[]
  /** Merges what others wrote under what this tab has not sent yet. Returns the top-level keys concerned. */
  applyRemote(edits: readonly TreeEdit[]): string[]
  /** Sends what has been written so far, now. */
  flush(): void
  /** The same before others are heard, unless it keeps its pace. */
  flushUnseen(): void
  /** While held, what is written waits here. */
  hold(held: boolean): void
  /** Writes a key anew, also where it shows that value already: the choice between concurrent ones. */
  choose(key: string, value: unknown): Write
  /** Writes what came over a bridge; undo leaves it alone. */
  take(edits: readonly TreeEdit[]): void
  /** The state without what is withheld. */
  told(): JsonObject
  readonly history: StoreHistory
}

/** `paceOf`: what slows sending down, if anything does. */
export function createSync(mirror: MirrorParts, paceOf: (flush: () => void) => Pace | undefined = () => undefined): Sync {
  const { lists, touched, withheld, replaced, ledger, toWarm } = mirror
  const isShared = (key: string): boolean => mirror.isShared(key)
  const history = createHistory(lists)
  let committer: Committer | undefined
  let held = false
  const pace = paceOf(flush)

  function keepWarm(): void {
    if (toWarm.size === 0) return
    committer?.later(() => {
      toWarm.forEach(warm)
      toWarm.clear()
    })
  }

  const pendingEdits = (): TreeEdit[] => editsOf(touched, mirror.state, replaced, lists)
  /** What is shown of this tab's own and is not sent, or not yet. */
  const ownEdits = (): TreeEdit[] => [...localEdits(), ...pendingEdits()]
  const localEdits = (): TreeEdit[] => [...excludedEdits(), ...editsOf(withheld, mirror.state, replaced, lists)]
  const excludedEdits = (): TreeEdit[] => {
    const { sent, state } = mirror
    const keys = [...new Set([...Object.keys(sent), ...Object.keys(state)])].filter((key) => !isShared(key) && sent[key] !== state[key])
    return keys.map((key) => (Object.hasOwn(state, key) ? [[key], state[key]] : [[key]]))
  }

  function flush(): void {
    if (!committer || held || touched.empty) return
    pace?.left()
    const edits = pendingEdits()
    touched.clear()
    replaced.clear()
    try {
      const seq = committer.commit(edits)
      mirror.sent = withheld.empty ? mirror.state : applyEdits(mirror.sent, edits, lists, toWarm)
      if (ledger.seal(seq)) committer.askShared()
      history.settle()
      keepWarm()
    } catch (cause) {
      const error = cause instanceof TabmeshError ? cause : new TabmeshError('malformed-json', 'A write was refused.', { cause })
      ledger.refuse(error)
      // What the core refused no other tab will see: take it back here too.
      mirror.publish(applyEdits(mirror.sent, localEdits(), lists))
      if (withheld.empty) mirror.sent = mirror.state
      mirror.onError(error)
    }
  }

  /**
   * What was written before others are heard has not seen what they say. Where that makes no difference, for what is written later is also later by its stamp, it keeps its pace:
   * else tabs that hear each other would hurry each other.
   */
  function flushUnseen(): void {
    const isAlone = ([path, value]: TreeEdit): boolean => {
      const strategy = Object.hasOwn(lists, path[0]!) ? 'merge' : mirror.strategyOf(path[0]!)
      // Of an object or a keyed list, what others add to it meanwhile would be taken out of it.
      return strategy === 'last-write-wins' || (strategy === 'merge' && value !== undefined && !isPlainObject(value) && (path.length > 1 || !Object.hasOwn(lists, path[0]!)))
    }
    if (!pace || !pendingEdits().every(isAlone)) flush()
  }

  /** Of a key that comes whole, what did not change keeps its identity. */
  function keepParts(edit: TreeEdit): TreeEdit {
    const [[key, ...below], value] = edit
    return below.length > 0 || typeof value !== 'object' || Object.hasOwn(lists, key!) ? edit : [[key!], mirror.adoptKey(key!, value, mirror.sent[key!])]
  }

  /** What equals what a hot copy has shown keeps its identity. */
  function keepIdentity(next: JsonObject, shown: JsonObject): JsonObject {
    const keys = Object.keys(next)
    const kept = Object.fromEntries(keys.map((key) => [key, isShared(key) ? mirror.adoptKey(key, next[key], shown[key]) : next[key]]))
    return keys.length === Object.keys(shown).length && keys.every((key) => kept[key] === shown[key]) ? shown : kept
  }

  function undo(direction: 'undo' | 'redo'): boolean {
    return history.take(direction, mirror.state, ({ edits, increment }) => {
      if (increment) mirror.increment(increment.path, increment.by)
      else mirror.change(edits, edits)
    })
  }

  return {
    connect(connected) {
      committer = connected
      mirror.connect({
        flush: () => (pace && !touched.empty ? pace.wrote() : flush()),
        flushNow: flush,
        written: (written) => history.wrote(written),
        awaited(level, sealed) {
          if (!sealed) pace?.hurry()
          connected.hurry() // alone, shared means durable
          if (level === 'relayed') connected.askRelayed()
          else if (level === 'shared' && sealed) connected.askShared()
        },
      })
      flush()
    },

    applyRemote(edits) {
      flushUnseen()
      const wanted = edits.filter(([path]) => isShared(path[0]!)).map(keepParts)
      const { sent, state } = mirror
      const base = applyEdits(sent, wanted, lists, toWarm)
      if (base === sent && !mirror.isHot) return []
      if (committer) for (const [path] of wanted) withheld.drop(path) // the later change of the two
      // Before the core is connected nothing has been sent: what this tab wrote stays on top.
      let next: JsonObject = sent === state ? base : applyEdits(base, ownEdits(), lists)
      if (mirror.isHot) next = keepIdentity(next, state)
      mirror.isHot = false
      mirror.sent = base
      if (next !== state) {
        history.overwritten(state, next)
        mirror.publish(next)
      }
      if (touched.empty && withheld.empty) mirror.sent = mirror.state
      keepWarm()
      return [...new Set(wanted.map(([path]) => path[0]!))]
    },

    rebase(initial, edits, writes, repeat) {
      const { sent, state } = mirror
      const waiting = ownEdits()
      const steps: TreeEdit[] = []
      diffTrees(Object.fromEntries(Object.entries(sent).filter(([key]) => isShared(key))), applyEdits(initial, edits, lists), [], steps)
      let base = applyEdits(sent, steps, lists, toWarm)
      const beside = new Set<string>()
      for (const write of writes) {
        const again = onto(base, write, lists, (key) => mirror.strategyOf(key), beside)
        const shown = again.length > 0 && repeat(write, again, base)
        if (shown) base = applyEdits(base, [...again, ...shown], lists, toWarm)
      }
      const next = applyEdits(base, waiting, lists)
      mirror.sent = base
      if (next === state) return []
      history.overwritten(state, next)
      mirror.publish(next)
      if (touched.empty && withheld.empty) mirror.sent = mirror.state
      keepWarm()
      return Object.keys({ ...state, ...next }).filter((key) => state[key] !== next[key])
    },

    flush,
    flushUnseen,
    hold(now) {
      held = now
      flush()
    },

    take(edits) {
      for (const [path] of edits) {
        withheld.drop(path)
        touched.add(Object.hasOwn(lists, path[0]!) ? [path[0]!] : placeOf(path, lists, (key) => mirror.strategyOf(key)))
      }
      mirror.written(applyEdits(mirror.state, edits, lists, toWarm), true)
    },

    choose(key, value) {
      mirror.touch([key])
      const write = mirror.written(applyEdits(mirror.state, [value === undefined ? [[key]] : [[key], mirror.adoptKey(key, value, mirror.state[key])]], lists, toWarm), true)
      flush() // what awaits a choice is asked of the core
      return write
    },

    told: () => (withheld.empty ? mirror.state : applyEdits(mirror.sent, [...excludedEdits(), ...pendingEdits()], lists)),

    history: {
      undo: () => undo('undo'),
      redo: () => undo('redo'),
      get canUndo() {
        return history.can('undo')
      },
      get canRedo() {
        return history.can('redo')
      },
      clear: () => history.clear(),
    },
  }
}
