// How the inspector writes what it shows.
import type { AnyStore } from './panel.ts'

export function bytesOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const [value, unit] = bytes < 1024 ** 2 ? [bytes / 1024, 'KB'] : bytes < 1024 ** 3 ? [bytes / 1024 ** 2, 'MB'] : [bytes / 1024 ** 3, 'GB']
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`
}

/** How long ago; `at` in milliseconds since 1970. */
export function agoOf(at: number): string {
  const seconds = Math.max(0, Math.round((Date.now() - at) / 1000))
  if (seconds < 2) return 'now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  return new Date(at).toLocaleDateString()
}

export function clockOf(at: number): string {
  const time = new Date(at)
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, '0')}`
}

/** The tab's label; of one that is gone, the beginning of its id. */
export function tabOf(store: AnyStore, id: string): string {
  if (id === store.tab.id) return 'this tab'
  return store.tabs.find((tab) => tab.id === id)?.label ?? `${id.slice(0, 6)}…`
}

/** On one line, cut off where it is long. Keys that are not shared may hold anything. */
export function briefOf(value: unknown, most = 80): string {
  if (typeof value === 'string') return JSON.stringify(value.length > most ? `${value.slice(0, most)}…` : value)
  return typeof value === 'object' && value !== null ? (Array.isArray(value) ? '[]' : '{}') : String(value)
}
