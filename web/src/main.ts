// The demo: a small project board, and beside it what tabmesh is doing.
import { startBoard } from './board.ts'
import { byId } from './dom.ts'
import { startMesh } from './mesh.ts'
import { changed, store } from './state.ts'

function tell(text: string): void {
  const place = byId('trouble')
  place.textContent = text
  place.hidden = text === ''
}

startMesh()
startBoard()
byId('open').addEventListener('click', () => window.open(location.href, '_blank', 'noopener'))
byId('theme').addEventListener('click', () => changed(store.setState(({ theme }) => ({ theme: theme === 'dark' ? 'light' : 'dark' }))))
store.on('error', ({ error }) => {
  console.warn(error)
  if ((error as { code?: string }).code !== 'dropped') tell(error.message)
})
store.on('storage-full', () => tell('The disk is full: changes are kept in the open tabs and stored as soon as there is room.'))
store.on('status', ({ persistence, channel }) => {
  if (persistence === 'none') tell('This browser lets the page store nothing: the board lives as long as a tab is open.')
  else if (channel === 'none') tell('This browser has no BroadcastChannel: tabs meet at the next reload only.')
})
store.ready.catch(() => undefined)
