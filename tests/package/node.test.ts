// `tabmesh/node` as it is built: threads that share a store, and processes that are killed.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type * as TabmeshNode from '../../js-glue/node.ts'

const root = new URL('../../', import.meta.url).pathname
const built = pathToFileURL(join(root, 'dist', 'node.js')).href
let directory = ''
let tabmesh: typeof TabmeshNode
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tabmesh-node-'))
  tabmesh = (await import(/* @vite-ignore */ built)) as typeof TabmeshNode
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

let scripts = 0
/** A module file that begins with the imports. */
function script(body: string): string {
  const path = join(directory, `script-${++scripts}.mjs`)
  writeFileSync(path, `import { createStore, openStore } from ${JSON.stringify(built)}\nconst directory = ${JSON.stringify(directory)}\n${body}`)
  return path
}

async function until(holds: () => boolean | Promise<boolean>, what: string, ms = 20_000): Promise<void> {
  for (const end = Date.now() + ms; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 10))) {
    if (Date.now() > end) throw new Error(`${what} did not come within ${ms} ms`)
  }
}

/** Ends, or fails with what it printed. */
async function ended(child: ChildProcess): Promise<string> {
  let text = ''
  child.stdout?.on('data', (chunk) => (text += String(chunk)))
  child.stderr?.on('data', (chunk) => (text += String(chunk)))
  const code = await new Promise<number | null>((resolve) => child.on('exit', resolve))
  if (code !== 0) throw new Error(`exit ${code}: ${text}`)
  return text
}

test('threads share a store at once, one of them leads, and it is there for the next process', async () => {
  const file = script(`
    import { parentPort, workerData } from 'node:worker_threads'
    const store = await openStore({ directory, name: 'threads', state: { by: {}, n: 0 } })
    parentPort.on('message', async (word) => {
      if (word === 'count') for (let i = 0; i < 50; i++) store.increment(['n'])
      if (word === 'transact') for (let i = 0; i < 10; i++) await store.transaction((state) => ({ turns: (state.turns ?? 0) + 1 }))
      if (word === 'close') await store.close()
      else if (word !== 'look') await store.flush()
      parentPort.postMessage({ word, state: store.getState(), leads: store.leader.isLeader, status: store.status })
      if (word === 'close') process.exit()
    })
    store.set(['by', workerData], true)
    parentPort.postMessage({ word: 'open' })
  `)
  type Answer = { word: string; state: { by: Record<string, boolean>; n: number; turns?: number }; leads: boolean; status: TabmeshNode.Status }
  const workers = ['a', 'b', 'c'].map((name) => new Worker(file, { workerData: name }))
  const ask = (worker: Worker, word: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const listener = (answer: Answer): void => {
        if (answer.word !== word) return
        worker.off('message', listener)
        resolve(answer)
      }
      worker.on('message', listener)
      worker.on('error', reject)
      if (word !== 'open') worker.postMessage(word)
    })
  const all = (word: string): Promise<Answer[]> => Promise.all(workers.map((worker) => ask(worker, word)))
  await all('open')
  await all('count')
  await all('transact')
  await until(async () => (await all('look')).every(({ state }) => state.n === 150 && state.turns === 30 && Object.keys(state.by).length === 3), 'one state in all threads')
  await until(async () => (await all('look')).filter(({ leads }) => leads).length === 1, 'one leader')
  expect((await all('look'))[0]!.status).toMatchObject({ persistence: 'file', channel: 'broadcast-channel', safeToClose: true })
  await all('close')
  const found = await ended(spawn(process.execPath, [script(`
    const store = await openStore({ directory, name: 'threads', state: {} })
    console.log(JSON.stringify(store.getState()))
    await store.close()
  `)]))
  expect(JSON.parse(found)).toEqual({ by: { a: true, b: true, c: true }, n: 150, turns: 30 })
})

test('of three processes that write, and are killed at any moment, nothing acknowledged is missing', async () => {
  const writer = script(`
    const store = await openStore({ directory, name: 'killed', state: {} })
    const own = process.argv[2]
    for (let i = 0; ; i++) {
      await store.set([own, 'k' + i], i).durable
      process.send(own + ' k' + i)
    }
  `)
  const acknowledged: string[] = []
  for (let round = 0; round < 6; round++) {
    const children = ['a', 'b', 'c'].map((name) => spawn(process.execPath, [writer, `${name}${round}`], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
    const before = acknowledged.length
    for (const child of children) child.on('message', (word) => void acknowledged.push(word as string))
    await until(() => acknowledged.length >= before + 30 + round * 17, 'writes')
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(children.map((child) => new Promise((resolve) => child.on('exit', resolve))))
  }
  const store = await tabmesh.openStore({ directory, name: 'killed', state: {} })
  const state: Readonly<Record<string, Readonly<Record<string, number>>>> = store.getState()
  const missing = acknowledged.filter((word) => {
    const [own, key] = word.split(' ') as [string, string]
    return state[own]?.[key] === undefined
  })
  await store.close()
  expect(missing).toEqual([])
  expect(acknowledged.length).toBeGreaterThan(400)
})

test('transactions of processes count up one by one, and one that is killed counts or does not', async () => {
  const counter = script(`
    const store = await openStore({ directory, name: 'counted', state: { n: 0 } })
    for (let i = 0; i < Number(process.argv[2]); i++) {
      const { status } = await store.transaction(({ n }) => ({ n: n + 1 }))
      process.send(status)
    }
    await store.close()
    process.disconnect()
  `)
  const statuses: string[] = []
  const spawned = [20, 20, 1000].map((times) => spawn(process.execPath, [counter, String(times)], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] }))
  for (const child of spawned) child.on('message', (status) => void statuses.push(status as string))
  const [a, b, killed] = spawned as [ChildProcess, ChildProcess, ChildProcess]
  const gone = new Promise((resolve) => killed.on('exit', resolve))
  await Promise.all([ended(a), ended(b), until(() => statuses.length > 30, 'transactions').then(() => killed.kill('SIGKILL')), gone])
  const store = await tabmesh.openStore({ directory, name: 'counted', state: { n: 0 } })
  const { n } = store.getState()
  await store.close()
  expect(new Set(statuses)).toEqual(new Set(['committed']))
  expect(n - statuses.length).toBeOneOf([0, 1]) // the last one of who was killed
})

test('a store of one name in another directory is another store; of one directory in one process it is shared', async () => {
  const options = { name: 'same', state: { x: 0 } }
  const one = tabmesh.createStore({ ...options, directory: join(directory, 'one') })
  const also = tabmesh.createStore({ ...options, directory: join(directory, 'one') })
  const other = tabmesh.createStore({ ...options, directory: join(directory, 'two') })
  await Promise.all([one.ready, also.ready, other.ready])
  await one.setState({ x: 1 }).durable
  expect(also.getState()).toBe(one.getState())
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect([other.getState().x, other.tabs.length]).toEqual([0, 1])
  await Promise.all([one.close(), also.close(), other.close()])
})

test('a process ends by itself while its store is open', async () => {
  await ended(spawn(process.execPath, [script(`
    const store = await openStore({ directory, name: 'ends', state: { x: 0 } })
    await store.setState({ x: 1 }).durable
  `)]))
})

test('says what a directory must be', () => {
  expect(() => tabmesh.createStore({ name: 'x', state: {}, directory: '' })).toThrow('directory must be the path of a directory')
})
