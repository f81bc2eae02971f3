// A display for browsers that have no headless mode, or are another browser in it.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** A display of its own; Xvfb says which number it has taken. */
export async function startDisplay(): Promise<{ display: string; process: ChildProcess }> {
  const process = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  const [number] = (await once(process.stdio[3]!, 'data')) as [Buffer]
  return { display: `:${number.toString().trim()}`, process }
}
