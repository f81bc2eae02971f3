// What a relay is measured against: sockets of a room, named by the path, hear what each of them sends. Nothing is kept, checked or merged.
import { WebSocketServer } from 'ws'

const rooms = new Map()
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
server.on('connection', (socket, { url }) => {
  const room = rooms.get(url) ?? new Set()
  rooms.set(url, room)
  room.add(socket)
  socket.on('message', (data) => room.forEach((other) => other !== socket && other.send(data)))
  socket.on('close', () => room.delete(socket))
})
server.on('listening', () => globalThis.console.log(JSON.stringify({ event: 'listening', port: server.address().port })))
