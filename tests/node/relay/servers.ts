// Real Redis and real relays on loopback, for suites.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { WebSocket as NodeWebSocket } from 'ws'
import { loadModule } from '../../../js-glue/core.ts'
import { startRelay, type Relay, type RelayOptions } from '../../../js-glue/relay.ts'

await loadModule(await readFile(new URL('../../../js-glue/generated/tabmesh.wasm', import.meta.url)))

// Node has one from 22 on.
;(globalThis as { WebSocket?: unknown }).WebSocket ??= NodeWebSocket

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export interface Redis {
  readonly port: number
  readonly url: string
  /** SIGKILL, and resolves when it is gone. */
  kill(): Promise<void>
  /** SIGSTOP and SIGCONT. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
  /** Starts it again, on the same port and folder. */
  start(): Promise<void>
  command(...words: string[]): Promise<unknown>
  close(): Promise<void>
}

/** `appendOnly`: each command is in the file before it is answered, as far as a kill of the process goes. */
export async function startRedis({ appendOnly = false, replicaOf }: { appendOnly?: boolean; replicaOf?: Redis } = {}): Promise<Redis> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'tabmesh-redis-'))
  const url = `redis://127.0.0.1:${port}`
  let process: ChildProcess
  const client = createClient({ url, disableOfflineQueue: true, socket: { reconnectStrategy: () => 20 } })
  client.on('error', () => undefined)

  async function start(): Promise<void> {
    const replica = replicaOf ? ['--replicaof', '127.0.0.1', String(replicaOf.port)] : []
    process = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', appendOnly ? 'yes' : 'no', '--repl-diskless-sync-delay', '0', ...replica], { stdio: 'ignore' })
    process.on('error', (error) => console.error(error))
    for (let left = 200; left > 0; left--) {
      const answered = await (client.isOpen ? client.ping() : client.connect().then(() => client.ping())).then(
        () => true,
        () => false,
      )
      if (answered) return
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    throw new Error('redis-server did not answer within 5 s')
  }
  async function kill(): Promise<void> {
    if (process.exitCode !== null || process.signalCode !== null) return
    const gone = new Promise((resolve) => process.once('exit', resolve))
    process.kill('SIGKILL')
    await gone
  }
  await start()
  return {
    port,
    url,
    kill,
    signal: (name) => void process.kill(name),
    start,
    command: (...words) => client.sendCommand(words),
    async close() {
      client.destroy()
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Everybody may enter; what the token says is who they are. */
export const anybody: RelayOptions['authenticate'] = (token) => ({ user: token, rooms: '*' })

export function relayOn(redis: { readonly url: string }, options: Partial<RelayOptions> = {}): Promise<Relay> {
  return startRelay({ redis: redis.url, authenticate: anybody, ...options })
}
