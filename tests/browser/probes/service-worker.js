/* global addEventListener, navigator */
// What a service worker has, told to whoever asks.
addEventListener('message', async ({ ports: [port] }) => {
  const has = ['indexedDB', 'BroadcastChannel', 'localStorage'].filter((name) => name in globalThis)
  if ('locks' in navigator) has.push('locks')
  try {
    await import('./probe.js')
    has.push('import()')
  } catch {
    // Forbidden in service workers.
  }
  port.postMessage(has.join(', '))
})
