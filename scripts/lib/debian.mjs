// System packages on Debian and Ubuntu; elsewhere the same programs are asked for by name.
import { existsSync } from 'node:fs'
import { has, run, say, step, StepError } from './run.mjs'

/** What the build and the tests call, and the Debian package that brings it. */
const needs = [
  { package: 'cmake', present: () => has('cmake') },
  { package: 'ninja-build', present: () => has('ninja') },
  { package: 'g++', present: () => has('g++') },
  { package: 'clang', present: () => has('clang++') },
  { package: 'libclang-rt-14-dev', present: () => !has('clang-14') || existsSync('/usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer-x86_64.a') },
  { package: 'clang-format', present: () => has('clang-format') },
  { package: 'googletest', present: () => existsSync('/usr/src/googletest/CMakeLists.txt') || Boolean(process.env.GTEST_SOURCE) },
  { package: 'python3', present: () => has('python3') },
  { package: 'git', present: () => has('git') },
  { package: 'redis-server', present: () => has('redis-server') },
  { package: 'chromium', present: () => Boolean(chromiumPath()) },
  { package: 'fonts-liberation', present: () => !has('apt-get') || existsSync('/usr/share/fonts/truetype/liberation') },
]

/** Path of the Chromium the browser suites drive: $CHROMIUM, or the usual places; '' if none. */
export function chromiumPath() {
  const places = [
    process.env.CHROMIUM,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ]
  return places.find((place) => place && existsSync(place)) ?? ''
}

/** Path of the Firefox the browser suites drive: $FIREFOX, or the usual places; '' if none. */
export function firefoxPath() {
  const places = [process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox', '/Applications/Firefox.app/Contents/MacOS/firefox']
  return places.find((place) => place && existsSync(place)) ?? ''
}

/** Paths of WebKitGTK's driver and of its small browser; '' where they are not. */
export function webkitPaths() {
  const driver = ['/usr/bin/WebKitWebDriver'].find(existsSync) ?? ''
  const browser = ['x86_64', 'aarch64'].flatMap((machine) => ['4.1', '4.0'].map((version) => `/usr/lib/${machine}-linux-gnu/webkit2gtk-${version}/MiniBrowser`)).find(existsSync) ?? ''
  return { driver, browser }
}

const xvfb = { package: 'xvfb', present: () => has('Xvfb') }

/** What `npm run test:browser -- --browser=…` needs besides. */
const browserNeeds = {
  chromium: [],
  firefox: [{ package: 'firefox-esr', present: () => Boolean(firefoxPath()) }],
  webkit: [
    { package: 'webkit2gtk-driver', present: () => Object.values(webkitPaths()).every(Boolean) },
    xvfb,
  ],
}

/** The browsers that the suites drive. */
export const browserNames = Object.keys(browserNeeds)

/** Makes sure that a browser is there; `headful`: with a display for it. */
export async function ensureBrowser(name, headful = false) {
  const needs = new Set([...browserNeeds[name], ...(headful ? [xvfb] : [])])
  await installPackages([...needs].filter((need) => !need.present()).map((need) => need.package))
}

/** Installs the named Debian packages, as root; otherwise says which command to run. */
export async function installPackages(names) {
  if (!names.length) return
  const list = names.join(' ')
  if (!has('apt-get')) throw new StepError(`Missing: ${list}. Install these (or your system's packages of the same programs), then run the command again.`)
  if (process.getuid?.() !== 0) throw new StepError(`Missing Debian packages: ${list}.\nNext: sudo apt-get install -y --no-install-recommends ${list}`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await step(`installing Debian packages: ${list}`, async () => {
    await run('apt-get', ['update', '-qq'], { env, capture: true, hint: 'Check the network and the sources in /etc/apt.' })
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], { env, capture: true, hint: `Try: apt-get install ${list}` })
  })
}

/** Makes sure that every system program the project calls is there. */
export async function ensureSystemPackages() {
  const missing = needs.filter((need) => !need.present()).map((need) => need.package)
  if (!missing.length) return say('system packages: all there')
  await installPackages(missing)
}
