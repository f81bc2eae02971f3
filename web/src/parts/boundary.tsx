// A view that fails says so, and the others go on.
import { Component, type ReactNode } from 'react'

export class Boundary extends Component<{ readonly children: ReactNode }, { readonly problem?: string }> {
  override state: { readonly problem?: string } = {}

  static getDerivedStateFromError(error: unknown): { readonly problem: string } {
    return { problem: (error as Error).message }
  }

  override render(): ReactNode {
    const { problem } = this.state
    if (problem === undefined) return this.props.children
    return (
      <p className="card empty" role="alert">
        This view does not work in this browser: {problem}
      </p>
    )
  }
}
