// The wire between two replicas in frames: what one posts the page hands to the other, or not.

export type Side = 'left' | 'right'
export const sides: readonly Side[] = ['left', 'right']

/** From a replica to the page. */
export type FromReplica = { readonly wire: 'frame'; readonly mesh: string; readonly frame: Uint8Array } | { readonly wire: 'shows'; readonly state: string }
/** From the page to a replica. */
export type ToReplica = { readonly wire: 'frame'; readonly mesh: string; readonly frame: Uint8Array } | { readonly wire: 'mended' } | { readonly wire: 'theme'; readonly theme: string }

export const isOfWire = <T extends { readonly wire: string }>(data: unknown): data is T => typeof (data as { wire?: unknown } | null)?.wire === 'string'
