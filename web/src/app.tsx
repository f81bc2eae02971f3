// The frame around all views: who this tab is, the way to the views, and what is wrong.
import { lazy, Suspense, useEffect, useState, type ComponentType } from 'react'
import { useLeader, useStore, useTabs } from 'tabmesh/react'
import { Conflicts } from './conflicts/conflicts.tsx'
import { Dashboard } from './dashboard/dashboard.tsx'
import { AnswerDevices, Devices } from './devices/devices.tsx'
import { Module } from './dashboard/modules.tsx'
import { Latency } from './latency/latency.tsx'
import { Boundary } from './parts/boundary.tsx'
import { KeepOffline } from './parts/offline.tsx'
import { useRoute } from './route.ts'
import { changed, relayUrl, store } from './state.ts'
import { Storage } from './storage/storage.tsx'
import { Tabs } from './tabs/tabs.tsx'

const Particles = lazy(async () => ({ default: (await import('./particles/particles.tsx')).Particles }))

/** By the name in their address. */
const views: Record<string, { title: string; View: ComponentType }> = {
  dashboard: { title: 'Dashboard', View: Dashboard },
  particles: { title: 'Particles', View: Particles },
  conflicts: { title: 'Conflicts', View: Conflicts },
  tabs: { title: 'Tabs', View: Tabs },
  storage: { title: 'Storage', View: Storage },
  latency: { title: 'Latency', View: Latency },
  ...(relayUrl === null ? {} : { devices: { title: 'Devices', View: Devices } }),
}

export function App() {
  const route = useRoute()
  if (route === 'module') return <Module />
  const name = Object.hasOwn(views, route) ? route : 'dashboard'
  return <Shell name={name} />
}

function Shell({ name }: { name: string }) {
  const { title, View } = views[name]!
  useEffect(() => void (document.title = `${title} · a tabmesh demo`), [title])
  return (
    <>
      <a className="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <header className="top">
        <div className="brand">
          <Mark />
          <div>
            <strong>Harbour</strong>
            <span>one state in every tab, by tabmesh</span>
          </div>
        </div>
        <nav className="views" aria-label="Views">
          {Object.entries(views).map(([key, { title }]) => (
            <a key={key} href={`#/${key}`} aria-current={key === name ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <Actions />
      </header>
      <Trouble />
      <KeepOffline />
      {relayUrl !== null && <AnswerDevices />}
      <main id="main" tabIndex={-1}>
        <h1 className="hidden">{title}</h1>
        <Boundary key={name}>
          <Suspense fallback={<p className="quiet">Loading …</p>}>
            <View />
          </Suspense>
        </Boundary>
      </main>
    </>
  )
}

/** The address says which view is shown: a link to a place in it would be another view. */
function skip(event: React.MouseEvent): void {
  event.preventDefault()
  document.getElementById('main')!.focus()
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <g>
        <circle cx="10" cy="11" r="3.4" />
        <circle cx="22" cy="11" r="3.4" />
        <circle cx="16" cy="22" r="3.4" />
        <path d="M13.4 11h5.2M11.6 14l2.8 5M20.4 14l-2.8 5" />
      </g>
    </svg>
  )
}

function Actions() {
  const { isLeader, id, term } = useLeader(store)
  const isStarting = useTabs(store).length === 0
  const theme = useStore(store, ({ theme }) => theme)
  const role = isStarting ? 'starting …' : isLeader ? `leads · term ${term}` : id ? `follows · term ${term}` : 'no leader yet'
  return (
    <div className="actions">
      <output id="self" className={isLeader ? 'self leads' : 'self'}>
        {role}
      </output>
      <button className="button primary" type="button" onClick={() => window.open(location.href, '_blank', 'noopener')}>
        Open another tab
      </button>
      <button id="theme" className="button icon" type="button" aria-label="Switch between light and dark, in every tab" onClick={() => changed(store.setState({ theme: theme === 'dark' ? 'light' : 'dark' }))}>
        <span aria-hidden="true" />
      </button>
    </div>
  )
}

/** What a visitor has to know; there is nothing to see while all is well. */
function Trouble() {
  const [failure, tell] = useState('')
  const [lack, setLack] = useState('')
  useEffect(() => {
    const undo = [
      store.on('error', ({ error }) => {
        console.warn(error)
        if ((error as { code?: string }).code !== 'dropped') tell(error.message)
      }),
      store.on('storage-full', () => tell('The disk is full: changes are kept in the open tabs and stored as soon as there is room.')),
      store.on('upgrade-required', () => tell('A newer version of this page is open in another tab: reload this one.')),
      store.on('status', ({ persistence, channel }) => {
        if (persistence === 'none') setLack('This browser lets the page store nothing: the board lives as long as a tab is open.')
        else if (channel === 'none') setLack('This browser has no way from tab to tab: they meet at the next reload only.')
        else setLack('')
      }),
    ]
    return () => undo.forEach((one) => one())
  }, [])
  return (
    <p id="trouble" className="trouble" role="status">
      {[lack, failure].filter(Boolean).join(' ')}
    </p>
  )
}
