// What the suites for all browsers need of one: pages of one profile, each with its own script.
export interface BrowserTab {
  /** Runs a function in the page, which sees nothing but its argument; both ways as JSON. */
  evaluate<A, R>(run: (arg: A) => R | Promise<R>, arg?: A): Promise<R>
  close(): Promise<void>
}

export interface Browser {
  /** Its name and version, for what is reported. */
  readonly version: string
  open(url: string): Promise<BrowserTab>
  close(): Promise<void>
}

export const browserNames = ['chromium', 'firefox', 'webkit'] as const
export type BrowserName = (typeof browserNames)[number]

/** The one that `npm run test:browser -- --browser=NAME` names. */
export function chosenBrowser(): BrowserName {
  const name = process.env.TABMESH_BROWSER ?? 'chromium'
  if (!browserNames.includes(name as BrowserName)) throw new Error(`TABMESH_BROWSER knows ${browserNames.join(', ')}, not ${name}`)
  return name as BrowserName
}

export async function launchBrowser(name: BrowserName): Promise<Browser> {
  if (name === 'firefox') return (await import('./firefox.ts')).launchFirefox()
  if (name === 'webkit') return (await import('./webkit.ts')).launchWebKit()
  return (await import('./chromium.ts')).launchChromium()
}
