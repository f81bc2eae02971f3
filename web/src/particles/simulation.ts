// The particles: the tab that leads moves them in module memory while anybody watches, and sends where they are to the others.
import type { Particles, Vector } from 'tabmesh'
import { store } from '../state.ts'

/** What there is to draw: the leader's own memory, or what it has sent: x, y, z of 16 bits each. */
export type Picture = { readonly own: Particles } | { readonly sent: Uint16Array<ArrayBuffer>; readonly count: number }

/** What the leader says of the last second. */
export interface Figures {
  readonly fps: number
  readonly stepMs: number
  readonly sentBytes: number
  readonly memoryBytes: number
}

/** The box goes from -half to half. */
export const half: Vector = [2, 1.2, 1.2]
export const counts = [10_000, 50_000, 100_000, 250_000]
export const recordType = 'particles'

/** A watcher says so every second, and is forgotten after three. */
const watchMs = 1000
const forgottenMs = 3000
const stepSeconds = 1 / 60

type Message = { readonly type: 'watch' } | { readonly type: 'picture'; readonly sent: Uint16Array<ArrayBuffer>; readonly count: number } | { readonly type: 'figures'; readonly figures: Figures } | { readonly type: 'failed'; readonly reason: string }

interface Watcher {
  readonly picture: (picture: Picture) => void
  readonly figures: (figures: Figures) => void
  /** There is nothing to be seen, for this reason. */
  readonly failed: (reason: string) => void
}

const channel = new BroadcastChannel('demo:particles')
const watchers = new Set<Watcher>()
let othersWatchedAt = -Infinity
const othersWatch = (): boolean => performance.now() - othersWatchedAt < forgottenMs

const tell = (message: Message): void => channel.postMessage(message)

channel.onmessage = ({ data }: MessageEvent<Message>) => {
  if (data.type === 'watch') othersWatchedAt = performance.now()
  else if (data.type === 'picture') for (const { picture } of watchers) picture(data)
  else if (data.type === 'figures') for (const { figures } of watchers) figures(data.figures)
  else for (const { failed } of watchers) failed(data.reason)
}

/** Returns the undo. */
export function watch(watcher: Watcher): () => void {
  watchers.add(watcher)
  tell({ type: 'watch' })
  const timer = setInterval(() => tell({ type: 'watch' }), watchMs)
  return () => {
    clearInterval(timer)
    watchers.delete(watcher)
  }
}

/** The next picture of this tab; where there are none, for it is hidden, when the browser lets it run. */
function nextPicture(): Promise<void> {
  return new Promise((resolve) => {
    // A page that is hidden meanwhile has no pictures.
    const timer = setTimeout(resolve, document.hidden ? 16 : 1000)
    requestAnimationFrame(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Two that go round each other, and a third that pushes. */
function attractorsAt(seconds: number): { place: Vector; strength: number }[] {
  const [c, s] = [Math.cos(seconds * 0.7), Math.sin(seconds * 0.7)]
  return [
    { place: [c, s * 0.4, s * 0.6], strength: 0.5 },
    { place: [-c, -s * 0.4, -s * 0.6], strength: 0.5 },
    { place: [0, c * 0.8, 0], strength: -0.15 },
  ]
}

async function lead(signal: AbortSignal): Promise<void> {
  let particles: Particles | undefined
  let made = ''
  let steps = 0
  let since = performance.now()
  let frames = 0
  let stepMs = 0
  let sentBytes = 0
  const { compute } = store
  try {
    while (!signal.aborted) {
      await nextPicture()
      if (signal.aborted) break
      if (watchers.size === 0 && !othersWatch()) {
        await new Promise((resolve) => setTimeout(resolve, 200))
        since = performance.now()
        continue
      }
      await compute.ready
      const { running, count, seed } = store.getState().particles
      if (made !== `${count} ${seed}`) {
        particles?.release()
        particles = compute.particles(count)
        particles.setForces({ half })
        particles.scatter(seed, 0.3)
        made = `${count} ${seed}`
        steps = 0
      }
      const current = particles!
      if (running) {
        current.setForces({ half, drag: 0.25, bounce: 0.7, softening: 0.12, attractors: attractorsAt(steps++ * stepSeconds) })
        const start = performance.now()
        current.step(stepSeconds)
        stepMs += performance.now() - start
        frames++
      }
      for (const { picture } of watchers) picture({ own: current })
      if (othersWatch()) {
        const sent = current.pack().slice() // what is posted is copied whole: not all of the module's memory
        tell({ type: 'picture', sent, count })
        sentBytes += sent.byteLength
      }
      const elapsed = performance.now() - since
      if (elapsed < 1000) continue
      const figures: Figures = { fps: (frames * 1000) / elapsed, stepMs: frames ? stepMs / frames : 0, sentBytes: (sentBytes * 1000) / elapsed, memoryBytes: compute.usage().takenBytes }
      for (const watcher of watchers) watcher.figures(figures)
      tell({ type: 'figures', figures })
      if (frames > 0) void compute.save(`${recordType}:${Date.now()}`, undefined, { type: recordType, params: { count, seed }, performance: { fps: figures.fps, throughput: figures.fps * count, latency: figures.stepMs, memory: figures.memoryBytes } }).catch(() => undefined) // the page says that nothing can be stored
      since = performance.now()
      frames = 0
      stepMs = 0
      sentBytes = 0
    }
  } catch (error) {
    const { message } = error as Error
    for (const { failed } of watchers) failed(message)
    tell({ type: 'failed', reason: `The tab that leads cannot compute: ${message}` })
  } finally {
    try {
      particles?.release()
    } catch {
      // the store was closed, and has given it back
    }
  }
}

/** Takes part: this tab moves the particles while it leads. */
export function startSimulation(): void {
  store.leader.run(({ signal }) => void leadAgain(signal))
}

/** What fails, for want of memory or of a way to draw, is tried again. */
async function leadAgain(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await lead(signal)
    await new Promise((resolve) => setTimeout(resolve, 2000))
  }
}
