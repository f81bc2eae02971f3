// A line over samples, by uPlot: as wide as its place, and in the colours of the theme.
import { useEffect, useRef } from 'react'
import { useStore } from 'tabmesh/react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { store } from '../state.ts'

interface ChartProps {
  /** What it shows, for those who do not see it. */
  readonly label: string
  readonly unit: string
  readonly samples: readonly number[]
  /** How many there can be. */
  readonly most: number
  /** The top of the scale where the samples do not reach it. */
  readonly top: number
}

const height = 120

export function Chart({ label, unit, samples, most, top }: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot>(undefined)
  const theme = useStore(store, ({ theme }) => theme)
  const latest = useRef(samples)
  latest.current = samples

  useEffect(() => {
    const style = getComputedStyle(document.documentElement)
    const [accent, quiet, line] = ['--accent', '--quiet', '--line'].map((name) => style.getPropertyValue(name)) as [string, string, string]
    const axis = { stroke: quiet, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: '12px system-ui' }
    const made = new uPlot(
      {
        width: place.current!.clientWidth,
        height,
        cursor: { show: false },
        legend: { show: false },
        scales: { x: { time: false, range: [0, most - 1] }, y: { range: (_, __, max) => [0, Math.max(top, max * 1.15 || top)] } },
        axes: [{ show: false }, { ...axis, size: 54, values: (_, ticks) => ticks.map((tick) => `${tick} ${unit}`) }],
        series: [{}, { stroke: accent, width: 2, fill: `${accent}22`, points: { show: false } }],
      },
      dataOf(latest.current),
      place.current!,
    )
    chart.current = made
    const resized = new ResizeObserver(() => made.setSize({ width: place.current!.clientWidth, height }))
    resized.observe(place.current!)
    return () => {
      resized.disconnect()
      made.destroy()
      chart.current = undefined
    }
  }, [theme, unit, most, top])

  useEffect(() => chart.current?.setData(dataOf(samples)), [samples])

  return <div className="chart" role="img" aria-label={samples.length ? `${label}: last ${samples.at(-1)!.toFixed(1)} ${unit}` : `${label}: nothing yet`} ref={place} />
}

const dataOf = (samples: readonly number[]): uPlot.AlignedData => [samples.map((_, i) => i), [...samples]]
