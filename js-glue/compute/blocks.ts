// Typed arrays that are views of the module's memory: taken from its pool, and given back.
import { TabmeshError } from '../errors.ts'
import type { ComputeExports } from './module.ts'
import type { Block, NumberArrays, NumberType } from './types.ts'

const views: { readonly [T in NumberType]: { new (buffer: ArrayBuffer, offset: number, length: number): NumberArrays[T]; readonly BYTES_PER_ELEMENT: number } } = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array }

/** In the order of their numbers in wasm/bindings/compute.cc. */
export const numberTypes: readonly NumberType[] = ['float32', 'float64', 'int32', 'uint8']

export const bytesOf = (type: NumberType, length: number): number => length * views[type].BYTES_PER_ELEMENT

const released = (): TabmeshError => new TabmeshError('released', 'The block has been given back: take another one, and forget this one where you release it.')

/** One that is not given back yet is in its pool's ring, so that the pool can give back all. */
class PooledBlock<T extends NumberType> implements Block<T> {
  #view: NumberArrays[T] | undefined = undefined
  #address: number
  previous: PooledBlock<NumberType> | undefined = undefined
  next: PooledBlock<NumberType> | undefined = undefined

  constructor(
    readonly type: T,
    readonly length: number,
    address: number,
    private readonly pool: Pool,
  ) {
    this.#address = address
  }

  /** Throws once it has been given back. */
  get address(): number {
    if (this.#address === 0) throw released()
    return this.#address
  }

  get array(): NumberArrays[T] {
    const view = this.#view
    const { buffer } = this.pool.exports.memory
    if (view !== undefined && view.buffer === buffer && this.#address !== 0) return view
    return (this.#view = new views[this.type](buffer, this.address, this.length))
  }

  release(): void {
    this.pool.give(this, this.address)
    this.#address = 0
    this.#view = undefined
  }
}

export type { PooledBlock }

/** The blocks of one store. */
export class Pool {
  #first: PooledBlock<NumberType> | undefined = undefined
  #closed = false

  constructor(readonly exports: ComputeExports) {}

  take<T extends NumberType>(type: T, length: number): PooledBlock<T> {
    if (!Number.isSafeInteger(length) || length < 0) throw new RangeError(`${length} is no length of a block: a whole number from 0 on is.`)
    if (this.#closed) throw new TabmeshError('closed', 'The store is closed.')
    const bytes = bytesOf(type, length)
    const address = bytes > 2 ** 30 ? 0 : this.exports.take(bytes) >>> 0
    if (address === 0) throw new TabmeshError('out-of-memory', `There is no memory for a block of ${bytes} bytes: release what is not needed.`)
    const block = new PooledBlock(type, length, address, this)
    const added = block as unknown as PooledBlock<NumberType>
    added.next = this.#first
    if (this.#first) this.#first.previous = added
    this.#first = added
    return block
  }

  /** For the block itself. */
  give(block: PooledBlock<NumberType>, address: number): void {
    this.exports.give(address)
    if (block.previous) block.previous.next = block.next
    else this.#first = block.next
    if (block.next) block.next.previous = block.previous
    block.previous = block.next = undefined
  }

  /** The block, if it is one of this pool's. */
  own(block: Block): PooledBlock<NumberType> {
    if (block instanceof PooledBlock) return block as PooledBlock<NumberType>
    throw new TypeError('This is no block of store.compute.')
  }

  /** Gives back all; there are no more. */
  close(): void {
    this.#closed = true
    while (this.#first) this.#first.release()
  }
}
