// npm run relay: a relay on this machine for trying, with a Redis of its own that is gone afterwards. Whoever reaches it may read and write.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildAll } from './build.mjs'
import { main, root, say, StepError } from './lib/run.mjs'

await main(async () => {
  // Beside a demo that is being served what it serves stays as it is.
  if (!existsSync(join(root, 'dist', 'relay.js'))) await buildAll()
  const { startRelay } = await import('../dist/relay.js')
  const folder = mkdtempSync(join(tmpdir(), 'tabmesh-relay-'))
  const socket = join(folder, 'redis.sock')
  const redis = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '', '--appendonly', 'no'], { stdio: 'ignore' })
  redis.on('error', (error) => say(`redis-server could not start (${error.message}). Next: apt-get install redis-server`))
  const end = () => {
    redis.kill()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const port = Number(process.env.RELAY_PORT) || 8787
    const relay = await startRelay({ redis: `unix://${socket}`, port, authenticate: (token) => ({ user: token || 'anybody', rooms: '*' }), log: ({ level, event, message }) => level === 'error' && say(`${event}: ${message}`) })
    say(`the relay is at ${relay.url} : relay: { url: '${relay.url}', token: () => 'me' }, or http://localhost:5173/?relay=${relay.url} with npm start. Ctrl-C ends it.`)
    await new Promise((resolve) => ['SIGINT', 'SIGTERM'].forEach((signal) => process.once(signal, resolve)))
    await relay.close(0)
  } catch (error) {
    throw error.code === 'EADDRINUSE' ? new StepError('The port is taken. Next: RELAY_PORT=8788 npm run relay') : error
  } finally {
    end()
  }
})
