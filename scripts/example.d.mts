import type { InlineConfig } from 'vite'

/** Vite's configuration for an example: the package is the one in dist/. */
export function exampleConfig(name: string): InlineConfig
