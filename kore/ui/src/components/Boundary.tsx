// Catches errors of one part of the panel, so that the rest of it stays.

import { Component, type ReactNode } from "react";
import { toApiError } from "../api";
import { Failure } from "./notices";

/** `title` is the heading of a view that failed; with `quiet` the part is left out instead. */
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
