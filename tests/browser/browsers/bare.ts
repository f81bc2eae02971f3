// Browsers as their users start them: no automation, one tab an address, and a profile that stays on the disk.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chromiumPath, firefoxPath, webkitPaths } from '../../../scripts/lib/debian.mjs'
import type { BrowserName } from './browser.ts'
import { startDisplay } from './display.ts'
import { descendants } from './processes.ts'
import { webkitEnvironment } from './webkit.ts'

export interface BareBrowser {
  readonly pid: number
  /** SIGKILL for all of its processes, as when the power of the session goes; the profile stays. */
  kill(): Promise<void>
}

export async function startBrowser(name: BrowserName, folder: string, urls: readonly string[]): Promise<BareBrowser> {
  const display = name === 'firefox' ? undefined : await startDisplay() // headless Chromium opens one address only
  const { command, args, env } = await commandFor(name, folder, urls, display?.display)
  const child = spawn(command, args, { env, stdio: 'ignore' })
  const gone = once(child, 'exit')
  return {
    pid: child.pid!,
    async kill() {
      // All at once: who outlives the others might still store something.
      const all = [child.pid!, ...descendants(child.pid!)]
      for (const signal of ['SIGSTOP', 'SIGKILL'] as const) {
        for (const pid of all) {
          try {
            process.kill(pid, signal)
          } catch {
            // gone already
          }
        }
      }
      await gone
      const shut = display && once(display.process, 'exit')
      display?.process.kill()
      await shut
    },
  }
}

async function commandFor(name: BrowserName, folder: string, urls: readonly string[], display: string | undefined): Promise<{ command: string; args: string[]; env: NodeJS.ProcessEnv }> {
  switch (name) {
    case 'chromium':
      for (const left of ['SingletonLock', 'SingletonSocket', 'SingletonCookie']) await rm(join(folder, left), { force: true })
      return {
        command: chromiumPath(),
        args: [`--user-data-dir=${folder}`, '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--hide-crash-restore-bubble', ...urls],
        env: { ...process.env, DISPLAY: display },
      }
    case 'firefox':
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, 'user.js'), firefoxPreferences)
      return { command: firefoxPath(), args: ['--headless', '--no-remote', '--profile', folder, ...urls], env: process.env }
    case 'webkit':
      return { command: webkitPaths().browser, args: [...urls], env: webkitEnvironment(folder, display!) }
  }
}

/** No first-run pages, no restored tabs, no safe mode after crashes; each tab in a process of its own; and none that is loaded once more for a picture of it. */
const firefoxPreferences = `
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.sessionstore.resume_from_crash", false);
user_pref("toolkit.startup.max_resumed_crashes", -1);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("browser.aboutwelcome.enabled", false);
user_pref("datareporting.policy.dataSubmissionPolicyBypassNotification", true);
user_pref("dom.ipc.processCount.webIsolated", 16);
user_pref("browser.pagethumbnails.capturing_disabled", true);
`
