// Points that move in a box. The steps are wasm/compute/particles.cc.
import type { Pool, PooledBlock } from './blocks.ts'
import type { Forces, Particles } from './types.ts'

type Three = readonly [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>]

const attractorsMax = 8
/** Where ParticleForces has the length of a step, how many attractors there are, and the first of them, in words of 32 bits. */
const dtWord = 0
const attractorsWord = 10
const attractorWord = 11
const words = attractorWord + 4 * attractorsMax

export function createParticles(pool: Pool, count: number): Particles {
  if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`${count} is no number of particles: a whole number from 1 on is.`)
  const { exports } = pool
  const stride = Math.ceil(count / 4) * 4 // the vector instructions take four at a time
  const block = pool.take('float32', 6 * stride)
  const packed = takeBeside(pool, block, 6 * count)
  const forces = new Float32Array(words)
  let view = block.array
  let views: { readonly places: Three; readonly velocities: Three } | undefined

  function setForces({ gravity = [0, 0, 0], drag = 0, bounce = 1, half = [1, 1, 1], attractors = [], softening = 0.05 }: Forces): void {
    if (attractors.length > attractorsMax) throw new RangeError(`There may be ${attractorsMax} attractors, not ${attractors.length}.`)
    forces.set([0, drag, bounce, softening, ...gravity, ...half], dtWord)
    new Uint32Array(forces.buffer)[attractorsWord] = attractors.length
    attractors.forEach(({ place, strength }, k) => forces.set([...place, strength], attractorWord + 4 * k))
  }

  /** The module has one place for forces: of who computes now. */
  const apply = (): number => {
    const { address } = block
    new Float32Array(exports.memory.buffer, exports.forces(), words).set(forces)
    return address
  }

  /** Renewed when the memory has grown. */
  function current(): { readonly places: Three; readonly velocities: Three } {
    const array = block.array
    if (views && array === view) return views
    view = array
    const run = (k: number): Float32Array<ArrayBuffer> => array.subarray(k * stride, k * stride + count)
    return (views = { places: [run(0), run(1), run(2)], velocities: [run(3), run(4), run(5)] })
  }

  setForces({})
  block.array.fill(0)
  return {
    count,
    get places() {
      return current().places
    },
    get velocities() {
      return current().velocities
    },
    setForces,
    scatter: (seed, speed = 0) => exports.scatter(apply(), stride, speed, seed),
    step(seconds) {
      forces[dtWord] = seconds
      exports.step(apply(), stride)
    },
    pack() {
      exports.packPositions(apply(), stride, count, packed.address)
      return new Uint16Array(exports.memory.buffer, packed.address, 3 * count)
    },
    release() {
      block.release()
      packed.release()
    },
  }
}

/** A second block, or none of the two. */
function takeBeside(pool: Pool, first: { release(): void }, bytes: number): PooledBlock<'uint8'> {
  try {
    return pool.take('uint8', bytes)
  } catch (error) {
    first.release()
    throw error
  }
}
