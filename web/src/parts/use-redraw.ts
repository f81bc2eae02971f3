// State that changes more often than pictures: shown once a picture, so that drawing does not slow down what it shows.
import { useEffect, useReducer, useRef } from 'react'

/** Asks for the component to be drawn again with the next picture, once however often it is called. */
export function useRedraw(): () => void {
  const [, redraw] = useReducer((n: number) => n + 1, 0)
  const asked = useRef(0)
  useEffect(() => () => cancelAnimationFrame(asked.current), [])
  return useRef(() => {
    cancelAnimationFrame(asked.current)
    asked.current = requestAnimationFrame(redraw)
  }).current
}
