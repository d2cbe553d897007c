// The panel as a widget of JupyterLab.

import { ReactWidget } from "@jupyterlab/ui-components";
import { Signal } from "@lumino/signaling";
import { App } from "../App";
import type { Kore } from "../api";
import type { Host, Place } from "../context";

/** Return the place in a command's arguments or a saved layout; null for anything else. */
export function place(args: unknown): Place | null {
  const found = (args as { place?: Partial<Place> } | undefined)?.place;
  return found && ["courses", "course", "job"].includes(found.view ?? "") ? (found as Place) : null;
}

/** The panel in a tab; with `openInTab`, in the side bar, from where ways goTo into the tab. */
export class Panel extends ReactWidget {
  readonly moved = new Signal<this, Place>(this);

  constructor(
    private readonly kore: Kore,
    private readonly host: Host,
    public place: Place,
    private readonly openInTab?: (place: Place) => void,
  ) {
    super();
    this.addClass("kore-widget");
  }

  /** Go to a place. */
  readonly goTo = (to: Place): void => {
    this.place = to;
    this.moved.emit(to);
    this.update();
  };

  protected override render() {
    // The side bar is there from the start; it asks for nothing before it is previewed at.
    if (this.openInTab && !this.isVisible) return null;
    return (
      <App
        kore={this.kore}
        host={this.host}
        place={this.place}
        go={this.openInTab ?? this.goTo}
        bell={!this.openInTab}
      />
    );
  }

  protected override onAfterShow(): void {
    this.update();
  }
}
