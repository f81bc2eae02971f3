// 1,000 sockets in 100 rooms: a write of one -> heard by the nine others of its room, by the relay with its Redis, against a bare broadcast, in one run. Servers are
// processes of their own; the load and Redis share the machine with them.
import { spawn, type ChildProcess } from 'node:child_process'
import { readFile, writeFile, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { createCore, loadModule, type Core } from '../../js-glue/core.ts'
import { createAssembler, dotOf, encodeMessage, type FromRelay } from '../../js-glue/relay/protocol.ts'
import { freePort, startRedis } from '../node/relay/servers.ts'
import type { Row } from './frames.ts'

const sockets = 1000
const rooms = 100
const seconds = 10
/** Of all sockets together. */
const writesPerSecond = 500

interface Server {
  readonly port: number
  readonly child: ChildProcess
}

async function start(script: string, env: Record<string, string> = {}): Promise<Server> {
  const child = spawn(process.execPath, [script], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => {
      const [, found] = /"listening".*"port":(\d+)/.exec(data.toString()) ?? []
      if (found) resolve(Number(found))
    })
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code}`)))
  })
  return { port, child }
}

/** Bytes of memory, and seconds of processor time so far (proc(5)). */
async function usage({ child }: Server): Promise<{ memory: number; cpu: number }> {
  const [status, stat] = await Promise.all([readFile(`/proc/${child.pid}/status`, 'utf8'), readFile(`/proc/${child.pid}/stat`, 'utf8')])
  const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13).map(Number) as [number, number]
  return { memory: Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024, cpu: (user + system) / 100 }
}

interface Load {
  /** Sends the write, and calls when another has it, with its key. */
  connect(port: number, index: number, heard: (key: string) => void): Promise<(frame: Uint8Array) => void>
}

const opened = (socket: WebSocket): Promise<void> => new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
const keyOf = (frame: Uint8Array): string => {
  const { instance, seq } = dotOf(frame)!
  return `${instance}:${seq}`
}

const bare: Load = {
  async connect(port, index, heard) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/room-${index % rooms}`, { perMessageDeflate: false })
    socket.on('message', (data: Buffer) => heard(keyOf(data)))
    await opened(socket)
    return (frame) => socket.send(frame)
  },
}

const relayed = (core: Core): Load => ({
  async connect(port, index, heard) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false })
    const assembler = createAssembler<FromRelay>(() => 64 << 20)
    let join!: () => void
    const joined = new Promise<void>((resolve) => (join = resolve))
    socket.on('message', (data: Buffer) => {
      const message = assembler.add(data)
      if (typeof message !== 'object') return
      if (message.header.type === 'welcome') join()
      if (message.header.type === 'frames') for (const frame of message.parts) heard(keyOf(frame))
    })
    await opened(socket)
    const send = (...given: Parameters<typeof encodeMessage>): void => encodeMessage(...given).forEach((frame) => socket.send(frame))
    send({ type: 'join', protocol: 1, room: `room-${index % rooms}`, mesh: 'bench~room', device: `device-${index}`, label: 'bench', term: 1, token: 'bench' }, [core.greeting()])
    await joined
    let number = 0
    return (frame) => send({ type: 'append', number: ++number }, [frame])
  },
})

async function measure(name: string, server: Server, load: Load, module: Awaited<ReturnType<typeof loadModule>>): Promise<Row> {
  const idle = await usage(server)
  const sentAt = new Map<string, number>()
  const times: number[] = []
  const heard = (key: string): void => {
    const at = sentAt.get(key)
    if (at !== undefined) times.push(performance.now() - at)
  }
  const sends: ((frame: Uint8Array) => void)[] = []
  for (let from = 0; from < sockets; from += 50) sends.push(...(await Promise.all(Array.from({ length: 50 }, (_, i) => load.connect(server.port, from + i, heard)))))
  await new Promise((resolve) => setTimeout(resolve, 2000))
  const connected = await usage(server)
  // One writer a socket, made when it is needed.
  const writers = new Map<number, Core>()
  const writerOf = (index: number): Core => {
    const made = writers.get(index) ?? createCore(module, { name: 'bench~room', instance: crypto.getRandomValues(new Uint8Array(16)), label: '', connectedAt: 0, visible: false, mayLead: false, defaultStrategy: 'merge', strategies: {}, lists: {} })
    if (!writers.has(index)) {
      writers.set(index, made)
      made.open({}, Date.now())
      made.replica.restored(true, Date.now())
      made.discard()
    }
    return made
  }
  for (let i = 0; i < 200; i++) writerOf((i * 7) % sockets)
  const indices = [...writers.keys()]
  const started = performance.now()
  const before = await usage(server)
  let sent = 0
  while (performance.now() - started < seconds * 1000) {
    const due = Math.floor(((performance.now() - started) / 1000) * writesPerSecond)
    for (; sent < due; sent++) {
      const index = indices[sent % indices.length]!
      const core = writerOf(index)
      core.localSet([[['seen', `k${index % 10}`], { at: sent, by: index }]], Date.now())
      const [frame] = core.takeRecords()
      core.discard()
      sentAt.set(keyOf(frame!), performance.now())
      sends[index]!(frame!)
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const after = await usage(server)
  times.sort((a, b) => a - b)
  const at = (part: number): number => times[Math.floor(times.length * part)]!
  writers.forEach((core) => core.free())
  server.child.kill()
  return { name, writes: sent, heard: times.length / sent, 'p50 ms': at(0.5), 'p95 ms': at(0.95), 'p99 ms': at(0.99), 'KB a socket': (connected.memory - idle.memory) / sockets / 1024, 'CPU %': (100 * (after.cpu - before.cpu)) / (seconds + 1) }
}

export async function relay(): Promise<Row[]> {
  const module = await loadModule(await readFile(new URL('../../js-glue/generated/tabmesh.wasm', import.meta.url)))
  const core = createCore(module, { name: 'bench~room', instance: crypto.getRandomValues(new Uint8Array(16)), label: '', connectedAt: 0, visible: false, mayLead: false, defaultStrategy: 'merge', strategies: {}, lists: {} })
  core.open({}, Date.now())
  const redis = await startRedis()
  try {
    const rows = [await measure('bare broadcast', await start('tests/bench/broadcast.js'), bare, module)]
    const folder = await mkdtemp(join(tmpdir(), 'tabmesh-bench-'))
    await writeFile(join(folder, 'authenticate.mjs'), "export default (token) => ({ user: token, rooms: '*' })\n")
    const port = await freePort()
    const server = await start('dist/relay-command.js', { PORT: String(port), REDIS_URL: redis.url, AUTHENTICATE: join(folder, 'authenticate.mjs') })
    rows.push(await measure('relay and Redis', server, relayed(core), module))
    return rows.map((row) => ({ ...row, 'p50 ratio': Number(row['p50 ms']) / Number(rows[0]!['p50 ms']) }))
  } finally {
    await redis.close()
  }
}
