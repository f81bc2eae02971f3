// The page is kept for starts without a network; says when a newer one is there.
import { useEffect, useState } from 'react'
import { keepOffline } from 'tabmesh/offline'
import { isModule, store } from '../state.ts'

export function KeepOffline() {
  const [update, setUpdate] = useState<{ readonly use: () => void }>()
  const [kept, setKept] = useState(false)
  useEffect(() => {
    if (!import.meta.env.PROD || isModule) return
    const offline = keepOffline('service-worker.js', { store, onUpdate: (use) => setUpdate({ use }) })
    offline.ready.then(
      () => setKept(true),
      (error: unknown) => console.warn(error),
    )
    return () => offline.close()
  }, [])
  return (
    <p id="offline" className="notice" role="status" data-kept={kept}>
      {update && (
        <>
          A newer version of this page is ready.{' '}
          <button className="button small" type="button" onClick={update.use}>
            Use it, in all tabs
          </button>
        </>
      )}
    </p>
  )
}
