// A way to the other tabs that the app brings along: its code may throw, and others' bytes be anything.
import type { Way } from './channels.ts'
import { TabmeshError } from './errors.ts'
import type { CustomChannel } from './types.ts'

export function customWay(custom: CustomChannel, mesh: string, onError: (error: TabmeshError) => void): Way {
  let failed = false // told once: every frame may fail
  function guarded<T>(act: () => T): T | undefined {
    try {
      return act()
    } catch (cause) {
      if (!failed) onError(new TabmeshError('listener-failed', `The channel "${custom.name}" threw; what is not sent by it is asked for later.`, { cause }))
      failed = true
      return undefined
    }
  }

  return {
    kind: custom.name,
    open(receive) {
      let isOpen = true
      const channel = guarded(() => custom.open(mesh, (frame: unknown) => isOpen && receive(frame instanceof Uint8Array ? frame : new Uint8Array())))
      return (
        channel && {
          post: (frame) => guarded(() => channel.post(frame)),
          close() {
            isOpen = false
            guarded(() => channel.close())
          },
        }
      )
    },
  }
}
