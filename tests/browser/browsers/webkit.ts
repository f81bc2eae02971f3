// Debian's WebKitGTK: MiniBrowser under a virtual display, driven by selenium-webdriver through WebKitWebDriver.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Builder, Capabilities } from 'selenium-webdriver'
import { webkitPaths } from '../../../scripts/lib/debian.mjs'
import type { Browser } from './browser.ts'
import { startDisplay } from './display.ts'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function answers(url: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await fetch(`${url}/status`).then(({ ok }) => ok, () => false)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`WebKitWebDriver does not answer at ${url}`)
}

/** Nothing of the machine's user, and nothing that needs a graphics card. */
export function webkitEnvironment(folder: string, display: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    DISPLAY: display,
    HOME: folder,
    XDG_CONFIG_HOME: folder,
    XDG_CACHE_HOME: folder,
    XDG_DATA_HOME: folder,
    XDG_RUNTIME_DIR: folder,
    GDK_BACKEND: 'x11',
    LIBGL_ALWAYS_SOFTWARE: '1',
    WEBKIT_DISABLE_COMPOSITING_MODE: '1',
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1', // its sandbox needs more than a container allows
  }
}

export async function launchWebKit(): Promise<Browser> {
  const { driver: driverPath, browser: binary } = webkitPaths()
  const folder = await mkdtemp(join(tmpdir(), 'tabmesh-webkit-'))
  const { display, process: xvfb } = await startDisplay()
  const port = await freePort()
  const service = spawn(driverPath, ['-p', String(port)], { env: webkitEnvironment(folder, display), stdio: 'ignore' })
  await answers(`http://127.0.0.1:${port}`)
  const capabilities = new Capabilities({ browserName: 'MiniBrowser', 'webkitgtk:browserOptions': { binary, args: ['--automation', '--features=+FileSystem,+AccessHandle,+StorageAPI'] } })
  const driver = await new Builder().usingServer(`http://127.0.0.1:${port}`).withCapabilities(capabilities).build()
  await driver.manage().setTimeouts({ script: 60_000, pageLoad: 60_000 })

  const anchor = await driver.getWindowHandle()

  // A session has one current window: commands wait for each other.
  let queue: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const done = queue.then(task)
    queue = done.catch(() => undefined)
    return done
  }

  return {
    version: `WebKitGTK ${String((await driver.getCapabilities()).get('browserVersion'))}`,
    open: (url) =>
      inTurn(async () => {
        await driver.switchTo().window(anchor)
        await driver.switchTo().newWindow('window') // the first one stays: without a window the session ends
        await driver.get(url)
        const handle = await driver.getWindowHandle()
        return {
          evaluate: <A, R>(run: (arg: A) => R | Promise<R>, arg?: A) =>
            inTurn(async () => {
              await driver.switchTo().window(handle)
              const script = `const done = arguments[1]; Promise.resolve((${run.toString()})(arguments[0])).then((value) => done({ value }), (error) => done({ error: String(error) }))`
              const { value, error } = await driver.executeAsyncScript<{ value: R; error?: string }>(script, arg)
              if (error !== undefined) throw new Error(error)
              return value
            }),
          close: () =>
            inTurn(async () => {
              await driver.switchTo().window(handle)
              await driver.close()
            }),
        }
      }),
    async close() {
      await driver.quit().catch(() => undefined)
      service.kill()
      xvfb.kill()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
