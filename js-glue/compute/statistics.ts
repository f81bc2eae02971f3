// What a block of numbers looks like.
import { numberTypes, type Pool } from './blocks.ts'
import type { Block, Statistics, StatisticsOptions } from './types.ts'

const binsMax = 1024

export function statisticsOf({ exports }: Pool, of: Block, address: number, { bins = 0, from, to }: StatisticsOptions): Statistics {
  if (!Number.isSafeInteger(bins) || bins < 0 || bins > binsMax) throw new RangeError(`A histogram has from 0 to ${binsMax} bins, not ${bins}.`)
  const type = numberTypes.indexOf(of.type)
  const [min, max, mean, notNumbers] = new Float64Array(exports.memory.buffer, exports.statistics(address, type, of.length), 4) as unknown as [number, number, number, number]
  if (bins === 0) return { min, max, mean, notNumbers, histogram: [] }
  const start = from ?? min
  const end = to ?? max
  if (!(start <= end)) throw new RangeError(`A histogram goes from a smaller number to a larger one, not from ${start} to ${end}.`)
  if (!Number.isFinite(end - start)) throw new RangeError(`A histogram goes from one number to another, not from ${start} to ${end}: give from and to.`)
  // Where all are the same, that one has a bin: the first.
  const last = start === end ? start + (Math.abs(start) || 1) : end
  const counts = new Uint32Array(exports.memory.buffer, exports.histogram(address, type, of.length, start, last, bins), bins)
  return { min, max, mean, notNumbers, histogram: [...counts] }
}
