// What is loaded after the first paint: loads the core, and goes on with a new replica when an era ends.
import { loadModule } from './core.ts'
import { createEngine, type Engine, type EngineOptions, type Succession } from './engine.ts'
import { TabmeshError } from './errors.ts'
import type { Platform } from './platform.ts'
import { createSync } from './sync.ts'
import type { Stats } from './types.ts'

export interface EngineParts {
  readonly startEngine: (options: EngineOptions) => Promise<Engine>
  readonly platform: Platform
}

/** What a replica has counted stays when it goes. */
const counted = ['writes', 'framesIn', 'bytesIn', 'framesOut', 'bytesOut', 'dropped', 'gaps', 'divergences'] as const

/** Rejects where WebAssembly cannot be loaded; the mirror then works by itself. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  await options.platform.lifecycle.active()
  const module = await loadModule(options.wasm)
  const sync = createSync(options.mirror.parts, options.mirror.sharedInitial())
  const past = Object.fromEntries(counted.map((name) => [name, 0])) as Record<(typeof counted)[number], number>
  let engine = create(undefined)

  function create(before: Succession | undefined): Engine {
    return createEngine(options, module, sync, before, (succession) => {
      for (const name of counted) past[name] += succession.stats[name]
      engine = create(succession)
    })
  }

  /** That of the first replica whose era lasts until then. */
  async function ready(): Promise<void> {
    for (let waited: Engine | undefined; waited !== engine; ) {
      waited = engine
      await waited.ready
    }
  }

  /** The era may end while a replica is waiting to close. */
  async function finish(how: 'close' | 'destroy'): Promise<void> {
    for (let finished: Engine | undefined; finished !== engine; ) {
      finished = engine
      await finished[how]()
    }
  }

  return {
    get tab() {
      return engine.tab
    },
    ready: ready(),
    tabs: () => engine.tabs(),
    leader: () => engine.leader(),
    status: () => engine.status(),
    stats(): Stats {
      const stats = engine.stats()
      return { ...stats, ...Object.fromEntries(counted.map((name) => [name, stats[name] + past[name]])) }
    },
    get conflicts() {
      return engine.conflicts
    },
    history: sync.history,
    async transaction(call) {
      for (;;) {
        try {
          return await engine.transaction(call)
        } catch (error) {
          // Nothing was stored: the next replica tries.
          if (!(error instanceof TabmeshError) || error.code !== 'era-ended') throw error
        }
      }
    },
    close: () => finish('close'),
    destroy: () => finish('destroy'),
  }
}
