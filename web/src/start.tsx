// The page, other than a replica in a frame of it.
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { isModule, store } from './state.ts'
import './style.css'

export function start(): void {
  const showTheme = (theme: string): void => void (document.documentElement.dataset.theme = theme)
  showTheme(store.getState().theme)
  store.subscribe(({ theme }) => theme, showTheme)
  store.ready
    .then(async () => {
      if (!isModule) (await import('./particles/simulation.ts')).startSimulation()
    })
    .catch(() => undefined) // the page says so

  createRoot(document.getElementById('page')!).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}
