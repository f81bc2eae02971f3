// What benchmark `compute` measures, in Node and in a page: each against the same without tabmesh, in turns.

const { performance } = globalThis

/** Mulberry32. */
function random(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const live = 1000
const sizeCount = 4096

/** From 16 to 16,384 numbers, as many of each order of magnitude. */
function sizes() {
  const next = random(5)
  return Int32Array.from({ length: sizeCount }, () => Math.floor(16 * 2 ** (10 * next())))
}

/** Nanoseconds a block: `count` taken, written to and given back, 1,000 of them in use at any time. */
function pooled(compute, lengths, count) {
  const blocks = new Array(live)
  const start = performance.now()
  for (let i = 0; i < count; i++) {
    const place = i % live
    if (i >= live) blocks[place].release()
    const block = compute.float32(lengths[i % sizeCount])
    block.array[0] = i
    blocks[place] = block
  }
  const nanoseconds = ((performance.now() - start) * 1e6) / count
  for (const block of blocks) block?.release()
  return nanoseconds
}

function unpooled(lengths, count) {
  const arrays = new Array(live)
  const start = performance.now()
  for (let i = 0; i < count; i++) {
    const array = new Float32Array(lengths[i % sizeCount])
    array[0] = i
    arrays[i % live] = array
  }
  globalThis.gc?.() // what it leaves behind counts
  return ((performance.now() - start) * 1e6) / count
}

export function pool(compute) {
  const lengths = sizes()
  pooled(compute, lengths, 20_000)
  unpooled(lengths, 20_000)
  const rows = []
  const held = compute.usage().heldBytes
  for (const blocks of [1000, 10_000, 100_000, 1_000_000]) {
    const rounds = blocks < 100_000 ? 5 : 1
    let ours = Infinity
    let arrays = Infinity
    for (let round = 0; round < rounds; round++) {
      ours = Math.min(ours, pooled(compute, lengths, blocks))
      if (blocks <= 1_000_000) arrays = Math.min(arrays, unpooled(lengths, blocks))
    }
    rows.push({ name: `pool: ${blocks} blocks`, 'ns a block': ours, 'ns new Float32Array': arrays, ratio: arrays / ours, 'growth in bytes': compute.usage().heldBytes - held })
  }
  // All in use at once, of 64 to 512 bytes.
  for (const blocks of [1000, 10_000, 100_000, 500_000]) {
    const all = new Array(blocks)
    const round = () => {
      const start = performance.now()
      for (let i = 0; i < blocks; i++) all[i] = compute.float32(16 + ((i * 37) & 111))
      for (let i = 0; i < blocks; i++) all[i].release()
      return ((performance.now() - start) * 1e6) / blocks
    }
    round()
    rows.push({ name: `pool: ${blocks} in use at once`, 'ns a block': Math.min(round(), round(), round()) })
  }
  return rows
}

const forces = { gravity: [0, -1, 0], drag: 0.1, bounce: 0.9, half: [2, 2, 2], softening: 0.1, attractors: [{ place: [0.5, 0, 0], strength: 1 }, { place: [-0.5, 0.5, 0], strength: 0.5 }] }

/** The same step, as one would write it. */
function stepInJs({ x, y, z, vx, vy, vz }, dt) {
  const { gravity, half, bounce, attractors } = forces
  const kept = 1 / (1 + forces.drag * dt)
  const soft = forces.softening * forces.softening
  for (let i = 0; i < x.length; i++) {
    let px = x[i]
    let py = y[i]
    let pz = z[i]
    let ax = gravity[0]
    let ay = gravity[1]
    let az = gravity[2]
    for (let k = 0; k < attractors.length; k++) {
      const { place, strength } = attractors[k]
      const dx = place[0] - px
      const dy = place[1] - py
      const dz = place[2] - pz
      const square = dx * dx + dy * dy + dz * dz + soft
      const pull = strength / (square * Math.sqrt(square))
      ax += dx * pull
      ay += dy * pull
      az += dz * pull
    }
    let ux = (vx[i] + ax * dt) * kept
    let uy = (vy[i] + ay * dt) * kept
    let uz = (vz[i] + az * dt) * kept
    px += ux * dt
    py += uy * dt
    pz += uz * dt
    if (px > half[0] || px < -half[0]) {
      px = px > 0 ? 2 * half[0] - px : -2 * half[0] - px
      ux *= -bounce
    }
    if (py > half[1] || py < -half[1]) {
      py = py > 0 ? 2 * half[1] - py : -2 * half[1] - py
      uy *= -bounce
    }
    if (pz > half[2] || pz < -half[2]) {
      pz = pz > 0 ? 2 * half[2] - pz : -2 * half[2] - pz
      uz *= -bounce
    }
    x[i] = px
    y[i] = py
    z[i] = pz
    vx[i] = ux
    vy[i] = uy
    vz[i] = uz
  }
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1]

export function steps(compute) {
  return [10_000, 100_000, 250_000].map((count) => {
    const particles = compute.particles(count)
    particles.setForces(forces)
    particles.scatter(1, 0.5)
    const [x, y, z] = particles.places.map((run) => run.slice())
    const [vx, vy, vz] = particles.velocities.map((run) => run.slice())
    const timed = (act) => {
      const start = performance.now()
      for (let i = 0; i < 10; i++) act()
      return (performance.now() - start) / 10
    }
    const ours = []
    const js = []
    for (let round = 0; round < 30; round++) {
      ours.push(timed(() => particles.step(1 / 60)))
      js.push(timed(() => stepInJs({ x, y, z, vx, vy, vz }, 1 / 60)))
    }
    const packing = median(Array.from({ length: 10 }, () => timed(() => particles.pack())))
    const block = compute.float32(count)
    block.array.set(particles.places[0])
    const measuring = median(Array.from({ length: 10 }, () => timed(() => compute.statistics(block))))
    particles.release()
    block.release()
    const [a, b] = [median(ours.slice(5)), median(js.slice(5))]
    return { name: `step: ${count} particles`, 'ms a step': a, 'ms in JS': b, ratio: b / a, 'ms pack': packing, 'ms statistics': measuring }
  })
}

/** 100 of 10,000 records by the index, and by reading all of them. */
export async function records(compute) {
  const from = Date.now() - 1e6
  for (let i = 0; i < 10_000; i += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, k) => compute.save(`r${i + k}`, undefined, { type: `type-${k % 100}`, time: from + i + k, params: { seed: i + k, note: 'a run of the simulation' }, performance: { fps: (i * 7 + k) % 120, throughput: i, latency: k, memory: 1 << 20 } })))
  }
  const timed = async (act) => {
    const times = []
    let found
    for (let round = 0; round < 15; round++) {
      const start = performance.now()
      found = await act()
      times.push(performance.now() - start)
    }
    if (found.length !== 100) throw new Error(`${found.length} records were found, not 100`)
    return median(times)
  }
  const scan = async () => (await compute.query()).filter(({ type }) => type === 'type-42')
  const byType = await timed(() => compute.query({ type: 'type-42' }))
  const byTime = await timed(() => compute.query({ from: from + 5000, to: from + 5099 }))
  const newest = await timed(() => compute.query({ limit: 100 }))
  const all = await timed(scan)
  return [
    { name: 'query: 100 of 10,000 by type', ms: byType, 'ms scan': all, ratio: all / byType },
    { name: 'query: 100 of 10,000 by time', ms: byTime, 'ms scan': all, ratio: all / byTime },
    { name: 'query: the newest 100', ms: newest, 'ms scan': all, ratio: all / newest },
  ]
}
