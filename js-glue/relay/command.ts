#!/usr/bin/env node
// tabmesh-relay: a relay as a program. What it is told comes by the environment; its log goes to standard output, a JSON object a line.
import { pathToFileURL } from 'node:url'
import { startRelay } from './server.ts'
import type { Authenticate, RelayEvent } from './types.ts'

const usage = `tabmesh-relay: the same state on several devices, by WebSocket and Redis 7.

  REDIS_URL       redis://127.0.0.1:6379
  AUTHENTICATE    path of a module whose default export is authenticate(token, request):
                  { user, rooms, read?, write?, expiresAt? }, or nothing for a token that is not accepted
  PORT, HOST      8787, 127.0.0.1
  WORKSPACE       default
  ORIGINS         https://app.example,https://other.example; default all
  RETENTION_DAYS  how long a room is kept that nobody enters; default for ever

  GET /healthz, GET /metrics (Prometheus). TLS is the proxy's in front.
`

const { env } = process

function fail(message: string): never {
  process.stderr.write(`tabmesh-relay: ${message}\n`)
  process.exit(1)
}

async function load(path: string): Promise<Authenticate> {
  const { default: authenticate } = (await import(pathToFileURL(path).href)) as { default?: unknown }
  return typeof authenticate === 'function' ? (authenticate as Authenticate) : fail(`${path} has no default export that is a function: export default (token, request) => ({ user, rooms })`)
}

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return void process.stdout.write(usage)
  if (!env.AUTHENTICATE) fail(`AUTHENTICATE is not set: without it nobody may enter.\n\n${usage}`)
  const log = (event: RelayEvent): void => void process.stdout.write(`${JSON.stringify(event)}\n`)
  const origins = env.ORIGINS?.split(',').map((origin) => origin.trim())
  const days = Number(env.RETENTION_DAYS ?? 0)
  const relay = await startRelay({
    redis: env.REDIS_URL ?? 'redis://127.0.0.1:6379',
    authenticate: await load(env.AUTHENTICATE),
    port: Number(env.PORT ?? 8787),
    host: env.HOST ?? '127.0.0.1',
    workspace: env.WORKSPACE ?? 'default',
    ...(origins ? { origins } : {}),
    ...(days > 0 ? { retentionMs: days * 86_400_000 } : {}),
    log,
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void relay.close().then(() => process.exit(0)))
}

main().catch((error: unknown) => fail(`${(error as Error).message}. Is Redis there, and the port free?`))
