// Typed arrays in module memory, and what computes on them.
import { describe, expect, test } from 'vitest'
import type { Block, Compute, NumberType } from '../../js-glue/index.ts'
import { createMesh } from './mesh.ts'
import { random } from './random.ts'

async function computing(): Promise<Compute> {
  const { store } = await createMesh().ready()
  await store.compute.ready
  return store.compute
}

const codeOf = (act: () => unknown): unknown => {
  try {
    act()
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).name
  }
  return undefined
}

describe('store.compute', () => {
  test('is loaded when it is asked for, and says so until then', async () => {
    const { store } = createMesh().open()
    expect(codeOf(() => store.compute)).toBe('not-ready')
    await store.ready
    const { compute } = store
    expect(codeOf(() => compute.float32(1))).toBe('not-ready')
    expect(store.stats().compute).toBe(undefined)
    await Promise.all([compute.ready, compute.ready])
    expect(compute.float32(3).length).toBe(3)
    expect(store.stats().compute!.blocks).toBeGreaterThanOrEqual(1)
    expect(await Promise.resolve(compute)).toBe(compute) // no promise
  })
})

describe('a block', () => {
  test('is a view of module memory, of every type, at a multiple of 16', async () => {
    const compute = await computing()
    const kinds = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array } as const
    for (const type of Object.keys(kinds) as NumberType[]) {
      for (const length of [0, 1, 3, 16, 17, 1000, 70_001]) {
        const block = compute[type](length)
        expect(block.array).toBeInstanceOf(kinds[type])
        expect([block.type, block.length, block.array.length, block.array.byteOffset % 16]).toEqual([type, length, length, 0])
        expect(block.array).toBe(block.array)
        block.release()
      }
    }
    const [a, b] = [compute.float32(4), compute.float32(4)]
    expect(a.array.buffer).toBe(b.array.buffer)
  })

  test('keeps what was written, beside all others', async () => {
    const compute = await computing()
    const next = random(7)
    const held: { block: Block<'int32'>; mark: number }[] = []
    for (let round = 0; round < 20_000; round++) {
      if (held.length > 0 && next() < 0.5) {
        const [{ block, mark }] = held.splice(Math.floor(next() * held.length), 1) as [{ block: Block<'int32'>; mark: number }]
        expect(block.array.every((value) => value === mark)).toBe(true)
        block.release()
      } else {
        const block = compute.int32(1 + Math.floor(next() ** 4 * 4000))
        block.array.fill(round)
        held.push({ block, mark: round })
      }
    }
    for (const { block, mark } of held) expect(block.array.every((value) => value === mark)).toBe(true)
  })

  test('has a new view when the memory has grown, and the old numbers', async () => {
    const compute = await computing()
    const block = compute.float64(5)
    block.array.set([1, 2, 3, 4, 5])
    const before = block.array
    const large: Block[] = []
    while (before.length > 0) large.push(compute.uint8(8 << 20))
    expect([...block.array]).toEqual([1, 2, 3, 4, 5])
    expect(block.array === before).toBe(false)
    large.forEach((one) => one.release())
  })

  test('that was given back is refused, whether it is given back again or used', async () => {
    const compute = await computing()
    const block = compute.float32(8)
    block.release()
    const another = compute.float32(8) // in the same place
    expect(codeOf(() => block.release())).toBe('released')
    expect(codeOf(() => block.array)).toBe('released')
    expect(codeOf(() => compute.statistics(block))).toBe('released')
    await expect(compute.save('x', block)).rejects.toMatchObject({ code: 'released' })
    another.array.fill(1)
    expect(compute.statistics(another).mean).toBe(1)
    expect(codeOf(() => compute.statistics({ ...another, release: () => undefined }))).toBe('TypeError')
  })

  test('of no length, or too large, is refused; what is there stays', async () => {
    const compute = await computing()
    for (const length of [-1, 1.5, NaN, Infinity]) expect(codeOf(() => compute.float32(length))).toBe('RangeError')
    expect(codeOf(() => compute.float64(2 ** 30))).toBe('out-of-memory')
    expect(compute.float32(1).array).toHaveLength(1)
  })

  test('serves again: the same again needs no more memory, and closing the store gives back all', async () => {
    const { store } = await createMesh().ready()
    const { compute } = store
    await compute.ready
    const before = compute.usage()
    const round = (): void => {
      const next = random(3)
      const blocks = Array.from({ length: 3000 }, () => compute.float32(1 + Math.floor(next() * 900)))
      blocks.sort(() => next() - 0.5).forEach((block) => block.release())
    }
    round()
    const { heldBytes } = compute.usage()
    for (let i = 0; i < 5; i++) round()
    expect(compute.usage()).toEqual({ ...before, heldBytes })
    compute.float64(100)
    compute.particles(1000)
    expect(compute.usage().blocks).toBe(before.blocks + 3)
    const other = await createMesh().ready()
    await other.store.compute.ready
    await store.close()
    expect(other.store.compute.usage().blocks).toBe(before.blocks)
    expect(codeOf(() => compute.float32(1))).toBe('closed')
  })
})

describe('statistics', () => {
  test('are those of the numbers, of every type and any length', async () => {
    const compute = await computing()
    const next = random(11)
    for (const type of ['float32', 'float64', 'int32', 'uint8'] as const) {
      for (const length of [1, 2, 3, 4, 5, 63, 64, 1001]) {
        const block = compute[type](length)
        for (let i = 0; i < length; i++) block.array[i] = type === 'uint8' ? next() * 256 : (next() - 0.5) * 1000
        const numbers = [...block.array]
        const { min, max, mean, notNumbers, histogram } = compute.statistics(block, { bins: 7 })
        expect([min, max, notNumbers]).toEqual([Math.min(...numbers), Math.max(...numbers), 0])
        expect(mean).toBeCloseTo(numbers.reduce((sum, number) => sum + number, 0) / length, 9)
        expect(histogram.reduce((sum, count) => sum + count, 0)).toBe(length)
        block.release()
      }
    }
  })

  test('count what is no number, and nothing else of it', async () => {
    const compute = await computing()
    const block = compute.float32(11)
    for (let at = 0; at < 11; at++) {
      block.array.fill(2)
      block.array[(at + 5) % 11] = -4
      block.array[at] = NaN
      expect(compute.statistics(block, { bins: 2 })).toEqual({ min: -4, max: 2, mean: (2 * 9 - 4) / 10, notNumbers: 1, histogram: [1, 9] })
    }
    block.array.fill(NaN)
    expect(compute.statistics(block)).toEqual({ min: 0, max: 0, mean: 0, notNumbers: 11, histogram: [] })
  })

  test('have a histogram between two numbers, ends included, or of what there is', async () => {
    const compute = await computing()
    const block = compute.float64(6)
    block.array.set([0, 1, 1.5, 2, 3.999, 4])
    expect(compute.statistics(block, { bins: 4, from: 0, to: 4 }).histogram).toEqual([1, 2, 1, 2])
    expect(compute.statistics(block, { bins: 2, from: 1, to: 2 }).histogram).toEqual([1, 2])
    block.array.fill(3)
    expect(compute.statistics(block, { bins: 3 }).histogram).toEqual([6, 0, 0])
    expect(codeOf(() => compute.statistics(block, { bins: 2, from: 4, to: 3 }))).toBe('RangeError')
    expect(codeOf(() => compute.statistics(block, { bins: 2000 }))).toBe('RangeError')
  })
})

describe('particles', () => {
  /** The same step in plain JavaScript, rounded to 32 bits as the module rounds. */
  function stepInJs(places: readonly Float32Array[], velocities: readonly Float32Array[], dt: number, { gravity, drag, bounce, half, attractors, softening }: { gravity: number[]; drag: number; bounce: number; half: number[]; attractors: { place: number[]; strength: number }[]; softening: number }): void {
    const f = Math.fround
    const kept = f(1 / f(1 + f(f(drag) * f(dt))))
    for (let i = 0; i < places[0]!.length; i++) {
      const a = gravity.map(f)
      for (const { place, strength } of attractors) {
        const d = place.map((at, axis) => f(f(at) - places[axis]![i]!))
        const square = f(f(f(f(d[0]! * d[0]!) + f(d[1]! * d[1]!)) + f(d[2]! * d[2]!)) + f(f(softening) * f(softening)))
        const pull = f(f(strength) / f(square * f(Math.sqrt(square))))
        for (let axis = 0; axis < 3; axis++) a[axis] = f(a[axis]! + f(d[axis]! * pull))
      }
      for (let axis = 0; axis < 3; axis++) {
        let v = f(f(velocities[axis]![i]! + f(a[axis]! * f(dt))) * kept)
        let p = f(places[axis]![i]! + f(v * f(dt)))
        const wall = f(half[axis]!)
        if (p > wall || p < -wall) {
          p = p > wall ? f(f(wall + wall) - p) : f(f(-wall - wall) - p)
          v = f(v * f(-bounce))
        }
        places[axis]![i] = Math.min(Math.max(p, -wall), wall)
        velocities[axis]![i] = v
      }
    }
  }

  const forces = { gravity: [0, -9.81, 0.5], drag: 0.3, bounce: 0.8, half: [4, 2, 1], attractors: [{ place: [1, 0, 0], strength: 3 }, { place: [-2, 1, 0.5], strength: -1.5 }], softening: 0.1 } // prettier-ignore

  test.each([1, 4, 7, 1000])('of %i move as the same step in JavaScript moves them, bit for bit', async (count) => {
    const compute = await computing()
    const particles = compute.particles(count)
    particles.setForces(forces as never)
    particles.scatter(42, 3)
    const places = particles.places.map((run) => run.slice())
    const velocities = particles.velocities.map((run) => run.slice())
    for (let step = 0; step < 300; step++) {
      particles.step(1 / 60)
      stepInJs(places, velocities, 1 / 60, forces)
    }
    for (let axis = 0; axis < 3; axis++) {
      expect(particles.places[axis]).toEqual(places[axis])
      expect(particles.velocities[axis]).toEqual(velocities[axis])
    }
  })

  test('stay in their box, however fast they are', async () => {
    const compute = await computing()
    const particles = compute.particles(999)
    particles.setForces({ half: [1, 2, 3], bounce: 1 })
    particles.scatter(1, 1e6)
    for (let i = 0; i < 50; i++) particles.step(1)
    particles.places.forEach((run, axis) => expect(Math.max(...run.map(Math.abs))).toBeLessThanOrEqual(axis + 1))
  })

  test('are scattered by their seed, all over the box', async () => {
    const compute = await computing()
    const [a, b, c] = [compute.particles(5000), compute.particles(5000), compute.particles(5000)]
    a.scatter(1)
    b.scatter(1)
    c.scatter(2)
    expect(a.places[0]).toEqual(b.places[0])
    expect(a.places[0]).not.toEqual(c.places[0])
    expect(a.velocities[2].every((v) => v === 0)).toBe(true)
    for (const run of a.places) {
      const block = compute.float32(5000)
      block.array.set(run)
      const { min, max, mean, histogram } = compute.statistics(block, { bins: 10, from: -1, to: 1 })
      expect([min < -0.99, max > 0.99, Math.abs(mean) < 0.05]).toEqual([true, true, true])
      for (const count of histogram) expect(Math.abs(count - 500)).toBeLessThan(100)
    }
  })

  test('are packed into 16 bits each', async () => {
    const compute = await computing()
    const particles = compute.particles(3)
    particles.setForces({ half: [1, 2, 4] })
    particles.places[0].set([-1, 0, 1])
    particles.places[1].set([-2, 2, 3])
    particles.places[2].set([4, 1, -9])
    expect([...particles.pack()]).toEqual([0, 0, 65535, 32768, 65535, 40959, 65535, 65535, 0])
  })

  test('keep their views, until the memory grows', async () => {
    const compute = await computing()
    const particles = compute.particles(10)
    particles.scatter(3)
    const [x] = particles.places
    particles.step(0.1)
    expect(particles.places[0]).toBe(x)
    const numbers = [...x]
    while (x.length > 0) compute.uint8(16 << 20)
    expect([...particles.places[0]]).toEqual(numbers)
  })

  test('of two stores have each their forces; wrong ones are refused', async () => {
    const compute = await computing()
    const [a, b] = [compute.particles(1), compute.particles(1)]
    a.setForces({ gravity: [1, 0, 0] })
    b.setForces({ gravity: [0, 1, 0] })
    a.step(0.1)
    b.step(0.1)
    expect([a.velocities[0][0], a.velocities[1][0], b.velocities[0][0], b.velocities[1][0]]).toEqual([Math.fround(0.1), 0, 0, Math.fround(0.1)])
    expect(codeOf(() => a.setForces({ attractors: Array.from({ length: 9 }, () => ({ place: [0, 0, 0] as const, strength: 1 })) }))).toBe('RangeError')
    expect(codeOf(() => compute.particles(0))).toBe('RangeError')
    a.release()
    expect(codeOf(() => a.step(1))).toBe('released')
    expect(codeOf(() => a.places)).toBe('released')
    expect(codeOf(() => a.release())).toBe('released')
  })
})
