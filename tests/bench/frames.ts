// One set in a page -> seen by all frames in it, against postMessage to each and a bare BroadcastChannel, beat by beat in one run.
import { launch, openTab, serve } from '../browser/harness.ts'

export type Row = { readonly name: string } & Record<string, number | string>

const beats = 300
const warmUp = 50

export async function frames(): Promise<Row[]> {
  const server = await serve()
  const profile = await launch()
  const rows: Row[] = []
  try {
    for (const count of [1, 3, 10, 20]) {
      const page = await openTab(profile, server.url)
      const figures = await page.evaluate(
        async ([count, beats, warmUp]) => {
          const now = (): number => performance.timeOrigin + performance.now()
          const store = await window.tabmesh.openStore({ name: 'echoes', state: { beat: { count: 0 } } })
          let heard: (ms: number) => void = () => undefined
          let ready = 0
          addEventListener('message', ({ data }: MessageEvent<{ says: string; ready?: true; at: number }>) => {
            if (data.says === 'echo' && data.ready) ready++
            else if (data.says === 'echo') heard(data.at)
          })
          const windows: Window[] = []
          for (let i = 0; i < count; i++) {
            const frame = document.createElement('iframe')
            frame.src = 'framed.html#echo'
            document.body.append(frame)
            windows.push(frame.contentWindow!)
          }
          while (ready < count) await new Promise((resolve) => setTimeout(resolve, 20))
          await new Promise((resolve) => setTimeout(resolve, 1500))

          /** Milliseconds that the act takes here, and until the last frame has seen it. */
          async function beat(act: (sent: number) => void): Promise<readonly [cost: number, last: number]> {
            let left = count
            let last = 0
            const all = new Promise<void>((resolve) => {
              heard = (at) => {
                last = Math.max(last, at)
                if (--left === 0) resolve()
              }
            })
            const sent = now()
            act(sent)
            await Promise.resolve() // what was set in this task is sent at its end
            await Promise.resolve()
            const cost = now() - sent
            await all
            await new Promise((resolve) => setTimeout(resolve, 8 + Math.random() * 4))
            return [cost, last - sent]
          }

          const channel = new BroadcastChannel('bare-echoes')
          const ours: (readonly [number, number])[] = []
          const bare: (readonly [number, number])[] = []
          const broadcast: (readonly [number, number])[] = []
          for (let i = 1; i <= beats + warmUp; i++) {
            const a = await beat(() => store.set(['beat', 'count'], i))
            const b = await beat((sent) => windows.forEach((to) => to.postMessage({ bare: sent }, location.origin)))
            const c = await beat((sent) => channel.postMessage(sent))
            if (i <= warmUp) continue
            ours.push(a)
            bare.push(b)
            broadcast.push(c)
          }
          channel.close()
          await store.close()
          const at = (list: number[], part: number): number => list.sort((a, b) => a - b)[Math.floor(list.length * part)]!
          const of = (pairs: readonly (readonly [number, number])[], k: 0 | 1, part: number): number => at(pairs.map((pair) => pair[k]), part)
          return { 'cost p50': of(ours, 0, 0.5), 'last p50': of(ours, 1, 0.5), 'last p95': of(ours, 1, 0.95), 'postMessage cost p50': of(bare, 0, 0.5), 'postMessage last p50': of(bare, 1, 0.5), 'postMessage last p95': of(bare, 1, 0.95), 'BroadcastChannel last p50': of(broadcast, 1, 0.5), 'BroadcastChannel last p95': of(broadcast, 1, 0.95) }
        },
        [count, beats, warmUp] as const,
      )
      rows.push({ name: `${count} frame${count === 1 ? '' : 's'}`, ...figures, ratio: figures['last p50'] / figures['postMessage last p50'] })
      await page.close()
    }
    return rows
  } finally {
    await profile.close()
    await server.close()
  }
}
