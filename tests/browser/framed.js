// #ROLE,ORIGIN, in a frame. `copy`: opens the store `copies`. `echo`: tells the parent when it has seen a change of the store `echoes`, or a message. `end`: the other end of a bridge to the parent. `hostile`: when told to, posts to it what it has no right to.
import * as tabmesh from '/dist/index.js'

const { BroadcastChannel, MessageChannel, addEventListener, location, parent, setTimeout } = globalThis
const [role, origin] = location.hash.slice(1).split(',')
const say = (what) => parent.postMessage({ says: role, ...what }, '*')

if (role === 'copy') {
  const store = await tabmesh.openStore({ name: 'copies', state: { count: 0 } })
  addEventListener('message', async ({ data }) => {
    if (data === 'count') await store.increment(['count']).durable
    say({ id: store.tab.id, label: store.tab.label, count: store.getState().count, tabs: store.tabs.length })
  })
  say({ id: store.tab.id, label: store.tab.label })
}

if (role === 'echo') {
  const { performance } = globalThis
  const now = () => performance.timeOrigin + performance.now()
  const store = await tabmesh.openStore({ name: 'echoes', state: { beat: { count: 0 } }, leader: false })
  store.subscribe(({ beat }) => beat.count, () => say({ at: now() }))
  addEventListener('message', ({ data }) => data.bare && say({ at: now() }))
  new BroadcastChannel('bare-echoes').onmessage = () => say({ at: now() })
  say({ ready: true })
}

if (role === 'end') {
  const store = await tabmesh.openStore({ name: 'forged', state: { shared: {} }, bridges: [{ window: parent, origin, include: ['shared'] }] })
  store.set(['shared', 'x'], 1)
}

if (role === 'hostile') {
  // Real frames of a store of that name, as they go over its channel.
  const frames = []
  const channel = new BroadcastChannel('tabmesh:forged')
  channel.onmessage = ({ data }) => frames.push(data)
  const store = await tabmesh.openStore({ name: 'forged', state: {}, persist: false })
  for (let i = 0; i < 50; i++) await store.set(['shared', `forged${i}`], i).applied
  while (frames.length < 50) await new Promise((resolve) => setTimeout(resolve, 10))
  await store.close()
  channel.close()
  const answered = []
  addEventListener('message', ({ data, ports }) => {
    answered.push(...ports)
    if (data !== 'flood') return
    for (let count = 0; count < 5000; count++) {
      const frame = frames[count % frames.length]
      const { port1, port2 } = new MessageChannel()
      port1.postMessage(frame)
      const kinds = [
        [frame, []],
        [{ tabmesh: 'forged', hello: '0'.repeat(32) }, []],
        [{ tabmesh: 'forged', hello: 'f'.repeat(32), port: '0'.repeat(32) }, [port2]],
        [{ tabmesh: 'forged', hello: String(count).padStart(32, '0'), frame }, []],
      ]
      const [message, transfer] = kinds[count % kinds.length]
      parent.postMessage(message, '*', transfer)
      for (const port of answered) port.postMessage(frame)
    }
    setTimeout(() => say({ flooded: 5000, answered: answered.length }), 500)
  })
  say({ frames: frames.length })
}
