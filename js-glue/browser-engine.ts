// Composition root of what is loaded later, as one chunk: the engine on the real surroundings.
import { startEngine, type EngineParts } from './engine.ts'
import { createBrowserPlatform } from './platform/browser.ts'

export function browserEngine(): EngineParts {
  return { startEngine, platform: createBrowserPlatform() }
}
