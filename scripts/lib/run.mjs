// Child processes with progress: every step says what it does, how long it took, and what to do when it fails.
import { spawn, spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout's root folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** The folder for downloads and toolchains, shared by all checkouts of a user. */
export const cacheFolder = join(process.env.XDG_CACHE_HOME || join(process.env.HOME || root, '.cache'), 'tabmesh')

/** A failure whose message already says what to do next. */
export class StepError extends Error {}

/** Prints one line of progress. */
export function say(line) {
  process.stdout.write(`tabmesh: ${line}\n`)
}

/** Runs a program to its end; its output goes to the terminal, or is returned with `capture`. Throws StepError on failure. */
export function run(command, args, { cwd = root, env = {}, capture = false, hint = '', input } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: [input === undefined ? 'ignore' : 'pipe', capture ? 'pipe' : 'inherit', capture ? 'pipe' : 'inherit'],
    })
    if (input !== undefined) child.stdin.end(input)
    let output = ''
    if (capture) {
      child.stdout.on('data', (chunk) => (output += chunk))
      child.stderr.on('data', (chunk) => (output += chunk))
    }
    const failed = (why) =>
      reject(new StepError(`${command} ${args.slice(0, 6).join(' ')} ${why}.${hint ? ` ${hint}` : ''}${output ? `\n${output.slice(-4000)}` : ''}`))
    child.on('error', (error) => failed(`could not start (${error.code ?? error.message})`))
    child.on('close', (code, signal) => (code === 0 ? resolve(output) : failed(`ended with ${signal ?? code}`)))
  })
}

/** Runs a step quietly, printing a line when it starts and its duration when it ends. */
export async function step(title, task) {
  const started = performance.now()
  say(`${title} …`)
  const result = await task()
  say(`${title}: done in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return result
}

/** Whether a program can be found on PATH. */
export function has(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0
}

/** The whole life of a command-line verb: errors are one readable message and exit code 1. */
export async function main(task) {
  try {
    await task()
  } catch (error) {
    process.stderr.write(`\ntabmesh: ${error instanceof StepError ? error.message : (error.stack ?? error)}\n`)
    process.exitCode = 1
  }
}
