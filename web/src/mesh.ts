// The right side: who is here, how far the last change has come, how fast, and every frame.
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { byId, h, replaceIn } from './dom.ts'
import { changed, onChange, onDebug, store } from './state.ts'
import type { DebugEvent, Write } from 'tabmesh'

const shownFrames = 60
const shownSamples = 60

function since(ms: number): string {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000))
  return seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`
}

function renderTabs(): void {
  const { tabs, tab, leader } = store
  byId('count').textContent = String(tabs.length)
  replaceIn(
    byId('tabs'),
    ...tabs.map(({ id, label, isLeader, visible, connectedAt }) =>
      h('li', { className: [visible && 'visible', isLeader && 'leads'].filter(Boolean).join(' ') }, h('i', { title: visible ? 'visible' : 'hidden' }), h('b', {}, id === tab.id ? 'this tab' : label), h('small', {}, `${visible ? 'visible' : 'hidden'} · ${since(connectedAt)}`)),
    ),
  )
  const self = byId('self')
  self.className = leader.isLeader ? 'self leads' : 'self'
  self.textContent = tabs.length === 0 ? 'starting …' : leader.isLeader ? `leads · term ${leader.term}` : leader.id ? `follows · term ${leader.term}` : 'no leader yet'
}

const levels = [
  ['applied', 'in this tab'],
  ['shared', 'another tab has it'],
  ['durable', 'stored on disk'],
] as const

const samples: number[] = []

/** Follows one write through its levels. */
function follow(write: Write): void {
  const started = performance.now()
  const alone = store.tabs.length < 2
  const rows = levels.map(([level, meaning]) => h('li', {}, h('span', {}, h('b', {}, level), ` ${level === 'shared' && alone ? 'no other tab: as durable' : meaning}`), h('time', {}, '…')))
  replaceIn(byId('levels'), ...rows)
  levels.forEach(([level], i) => {
    write[level].then(
      () => {
        const ms = performance.now() - started
        rows[i]!.className = 'reached'
        rows[i]!.lastElementChild!.textContent = level === 'applied' ? 'at once' : `${ms.toFixed(1)} ms`
        if (level === 'shared' && !alone) addSample(ms)
      },
      () => undefined,
    )
  })
}

let chart: uPlot | undefined

/** Runs a task with the next picture, once however often it is asked for: drawing must not slow down what it shows. */
function perFrame(task: () => void): () => void {
  let asked = false
  return () => {
    if (asked) return
    asked = true
    requestAnimationFrame(() => {
      asked = false
      task()
    })
  }
}

const showSamples = perFrame(() => {
  chart?.setData([samples.map((_, i) => i), samples])
  showFigures()
})

function addSample(ms: number): void {
  samples.push(ms)
  if (samples.length > shownSamples) samples.shift()
  showSamples()
}

function drawChart(): void {
  const place = byId('latency')
  const style = getComputedStyle(document.documentElement)
  const [accent, quiet, line] = ['--accent', '--quiet', '--line'].map((name) => style.getPropertyValue(name)) as [string, string, string]
  chart?.destroy()
  const axis = { stroke: quiet, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: '12px system-ui' }
  chart = new uPlot(
    {
      width: place.clientWidth,
      height: 120,
      cursor: { show: false },
      scales: { x: { time: false, range: [0, shownSamples - 1] }, y: { range: (_, __, max) => [0, Math.max(2, max * 1.15 || 2)] } },
      axes: [{ show: false }, { ...axis, size: 44, values: (_, ticks) => ticks.map((tick) => `${tick} ms`) }],
      series: [{}, { stroke: accent, width: 2, fill: `${accent}22`, points: { show: false } }],
    },
    [samples.map((_, i) => i), samples],
    place,
  )
  showFigures()
}

function showFigures(): void {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (part: number): string => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!.toFixed(1)
  byId('figures').textContent = sorted.length ? `set → acknowledged: p50 ${at(0.5)} ms · p95 ${at(0.95)} ms · ${sorted.length} changes` : 'Open another tab and change something.'
}

function startFrames(): void {
  const rows = byId('frames')
  const pause = byId('pause')
  let paused = false
  pause.addEventListener('click', () => {
    paused = !paused
    pause.textContent = paused ? 'Go on' : 'Pause'
    pause.setAttribute('aria-pressed', String(paused))
  })
  const waiting: DebugEvent[] = []
  const show = perFrame(() => {
    for (const event of waiting.splice(0)) {
      if (event.type === 'slow') continue
      const [direction, kind] = event.type === 'frame' ? [event.direction, event.kind] : ['disk', `${event.records} record${event.records === 1 ? '' : 's'}`]
      const at = new Date(event.at)
      const time = `${at.toTimeString().slice(0, 8)}.${String(at.getMilliseconds()).padStart(3, '0')}`
      const arrow = { in: '← in', out: '→ out', disk: '↓ disk' }[direction]!
      rows.prepend(h('tr', { className: direction }, h('td', {}, time), h('td', {}, arrow), h('td', {}, kind), h('td', {}, event.bytes.toLocaleString('en'))))
      while (rows.children.length > shownFrames) rows.lastElementChild!.remove()
    }
    const { framesIn, framesOut, bytesIn, bytesOut } = store.stats()
    byId('totals').textContent = `${framesOut} frames out (${(bytesOut / 1024).toFixed(1)} KiB), ${framesIn} in (${(bytesIn / 1024).toFixed(1)} KiB)`
  })
  onDebug((event) => {
    if (!paused) waiting.push(event)
    show()
  })
}

async function stir(): Promise<void> {
  const button = byId('stir') as HTMLButtonElement
  button.disabled = true
  for (let i = 0; i < 60; i++) {
    changed(store.setState(({ pulse }) => ({ pulse: pulse + 1 })))
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  button.disabled = false
}

export function startMesh(): void {
  startFrames()
  drawChart()
  renderTabs()
  replaceIn(byId('levels'), ...levels.map(([level, meaning]) => h('li', {}, h('span', {}, h('b', {}, level), ` ${meaning}`), h('time', {}, ''))))
  store.on('tabs', renderTabs)
  store.on('leader', renderTabs)
  setInterval(renderTabs, 5000)
  addEventListener('resize', drawChart)
  store.subscribe(({ theme }) => theme, drawChart)
  onChange(follow)
  byId('stir').addEventListener('click', () => void stir())
}
