// Whatever one part stumbles over, the rest of the panel stays, and words say what to do.

import { Component, type ReactNode } from "react";
import { toApiError } from "../api";
import { Failure } from "./notices";

/** `title` is that of a page with none left; with `quiet` the part is simply not there. */
export class Boundary extends Component<
  { children: ReactNode; title?: string; quiet?: boolean },
  { thrown: unknown }
> {
  override state = { thrown: null };

  static getDerivedStateFromError(thrown: unknown) {
    return { thrown };
  }

  override render() {
    if (this.state.thrown === null) return this.props.children;
    if (this.props.quiet) return null;
    return (
      <>
        {this.props.title && <h1 tabIndex={-1}>{this.props.title}</h1>}
        <Failure
          error={toApiError(this.state.thrown)}
          onRetry={() => this.setState({ thrown: null })}
        />
      </>
    );
  }
}
