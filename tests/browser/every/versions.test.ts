// Two builds of an app at once: of one version of its schema, and of two.
import { describe, expect, test } from 'vitest'
import { chosenBrowser, type BrowserTab } from '../browsers/browser.ts'
import { eventually } from '../harness.ts'
import { useBrowser } from '../suite.ts'

const suite = useBrowser()

interface Build {
  readonly name: string
  readonly version?: number
  readonly state: object
  /** As in browsers that have no list of databases. */
  readonly unlisted?: boolean
}

/** A tab of a build; version 2 calls what version 1 calls `todos` `tasks`. */
async function open(build: Build): Promise<BrowserTab> {
  const page = await suite.browser.open(suite.server.url)
  await eventually(() => page.evaluate(() => 'tabmesh' in window), Boolean)
  await page.evaluate(async ({ unlisted = false, ...given }) => {
    window.seen = []
    if (unlisted) delete (IDBFactory.prototype as Partial<IDBFactory>).databases
    const migrations = [{ version: 2, up: ({ todos, ...rest }: { todos: object }) => ({ ...rest, tasks: todos }) }]
    const store = (window.store = window.tabmesh.createStore({ ...given, migrations: migrations.filter(({ version }) => version <= (given.version ?? 1)) }))
    store.on('upgrade-required', ({ version }) => window.seen.push(version))
    await store.ready
  }, build)
  return page
}

const stateOf = (page: BrowserTab): Promise<Record<string, unknown>> => page.evaluate(() => window.store.getState())

/** Begins to make 1,000 writes below a key, ten a transaction, or as many as it takes to be refused. */
function begin(page: BrowserTab, below: string, untilRefused = false): Promise<void> {
  return page.evaluate(
    ([key, goesOn]) => {
      const durable: string[] = []
      const writeAll = async (): Promise<string[]> => {
        const waits: Promise<unknown>[] = []
        for (let i = 0; goesOn || i < 1000; i++) {
          try {
            const write = window.store.set([key, `k${i}`], i)
            waits.push(
              write.durable.then(
                () => durable.push(`k${i}`),
                (error: unknown) => {
                  if ((error as { code?: string }).code !== 'upgrade-required') throw error
                },
              ),
            )
          } catch (error) {
            if ((error as { code?: string }).code !== 'upgrade-required') throw error
            break
          }
          if (i % 10 === 9) await waits.at(-1)
        }
        await Promise.all(waits)
        return durable
      }
      ;(window as { writing?: Promise<string[]> }).writing = writeAll()
    },
    [below, untilRefused] as const,
  )
}

/** The keys of those that became durable, when all have. */
const written = (page: BrowserTab): Promise<string[]> => page.evaluate(() => (window as { writing?: Promise<string[]> }).writing!)

async function writeBoth(pages: readonly [BrowserTab, string][]): Promise<number[]> {
  for (const [page, key] of pages) await begin(page, key)
  const counts: number[] = []
  for (const [page] of pages) counts.push((await written(page)).length)
  return counts
}

/** How many values a mesh's database has in each of its stores. */
function countsOf(page: BrowserTab, mesh: string): Promise<number[]> {
  return page.evaluate(
    (name) =>
      new Promise<number[]>((resolve, reject) => {
        const opening = indexedDB.open(`tabmesh:3:${name}`)
        opening.onerror = () => reject(opening.error)
        opening.onsuccess = () => {
          const transaction = opening.result.transaction(['records', 'checkpoints'])
          const counts = ['records', 'checkpoints'].map((store) => transaction.objectStore(store).count())
          transaction.oncomplete = () => {
            opening.result.close()
            resolve(counts.map((count) => count.result))
          }
        }
      }),
    mesh,
  )
}

describe(`two builds in ${chosenBrowser()}`, () => {
  test('of one version: 1,000 writes each, what both know is equal, and what the older does not know is kept', async () => {
    const name = 'builds'
    const [older, newer] = [await open({ name, state: { both: {} } }), await open({ name, state: { both: {}, added: { flag: true } } })]
    await newer.evaluate(() => window.store.set(['added', 'own'], 'kept').durable)
    expect(await writeBoth([[older, 'both'], [newer, 'added']])).toEqual([1000, 1000]) // prettier-ignore
    await older.evaluate(() => window.store.setState({ both: { ...window.store.getState().both, last: 'older' } }).durable)
    const wanted = await eventually(() => stateOf(newer), ({ both }) => (both as { last?: string }).last === 'older')
    await eventually(() => stateOf(older), (state) => JSON.stringify(Object.entries(state.both as object).sort()) === JSON.stringify(Object.entries(wanted.both as object).sort()))
    await older.close()
    await newer.close()
    const again = await open({ name, state: { both: {}, added: {} } })
    const { both, added } = await stateOf(again)
    expect(Object.keys(both as object)).toHaveLength(1001)
    expect(added).toMatchObject({ own: 'kept', k0: 0, k999: 999 })
    await again.close()
  })

  test('of two versions: what the older had made durable is migrated, and its tabs write no more', async () => {
    const name = 'migrated'
    const older = await open({ name, state: { todos: {} } })
    await begin(older, 'todos', true)
    await eventually(() => stateOf(older), ({ todos }) => Object.keys(todos as object).length >= 1000)
    const newer = await open({ name, version: 2, state: { tasks: {} } })
    const durable = await written(older)
    const { tasks, ...rest } = (await stateOf(newer)) as { tasks: Record<string, number> }
    expect(rest).toEqual({})
    expect(durable.filter((key) => !(key in tasks))).toEqual([])
    expect(await older.evaluate(() => window.seen)).toEqual([2])
    expect(await older.evaluate(() => window.store.status.readOnly)).toBe(true)
    const before = await countsOf(older, name)
    expect(await writeBoth([[newer, 'tasks']])).toEqual([1000])
    expect(await countsOf(older, name)).toEqual(before)
    const late = await open({ name, state: { todos: {} } })
    expect(await eventually(() => late.evaluate(() => window.seen), (seen) => seen.length > 0)).toEqual([2])
    for (const page of [older, newer, late]) await page.close()
  })

  test('where databases cannot be listed, the older ones are found all the same, and none is made', async () => {
    const name = 'unlisted'
    const older = await open({ name, version: 2, state: { tasks: {} } })
    await older.evaluate(() => window.store.set(['tasks', 'a'], 1).durable)
    await older.close()
    const newer = await open({ name, version: 5, state: {}, unlisted: true })
    expect(await stateOf(newer)).toEqual({ tasks: { a: 1 } })
    await newer.close()
    const listing = await open({ name: 'other', state: {} })
    const names = await listing.evaluate(async () => (await indexedDB.databases()).flatMap(({ name: one = '', version = 0 }) => (version > 0 ? [one] : [])))
    expect(names.filter((one) => one.includes('unlisted')).sort()).toEqual(['tabmesh:3:unlisted@2', 'tabmesh:3:unlisted@5'])
    await listing.close()
  })

  test('twelve tabs of the newer version at one instant migrate once', async () => {
    const name = 'once'
    const older = await open({ name, state: { todos: {} } })
    await older.evaluate(() => window.store.set(['todos', 'a'], 1).durable)
    await older.close()
    const page = await open({ name: 'other', state: {} })
    const outcome = await page.evaluate(async (mesh) => {
      let runs = 0
      const step = { version: 2, up: ({ todos }: { todos: object }) => (runs++, { tasks: todos }) }
      // Frames are pages to each other.
      const frames = await Promise.all(
        Array.from({ length: 12 }, async () => {
          const frame = document.createElement('iframe')
          frame.src = location.href
          document.body.append(frame)
          while (!(frame.contentWindow && 'tabmesh' in frame.contentWindow)) await new Promise((resolve) => setTimeout(resolve, 20))
          return frame.contentWindow as unknown as typeof window
        }),
      )
      const stores = await Promise.all(frames.map((frame) => frame.tabmesh.openStore({ name: mesh, version: 2, migrations: [step], state: { tasks: {} } })))
      return { runs, states: stores.map((store) => store.getState()) }
    }, name)
    expect(outcome).toEqual({ runs: 1, states: Array<object>(12).fill({ tasks: { a: 1 } }) })
    await page.close()
  })
})
