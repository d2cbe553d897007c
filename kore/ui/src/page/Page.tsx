// The panel on the service's own page, below an element with Kore's and the hub's addresses.

import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { App } from "../App";
import { Kore } from "../api";
import type { Host, Place } from "../context";
import { fromAddress, toAddress } from "../places";

const around = (root: HTMLElement, base: string): Host => ({
  kind: "page",
  hub: root.dataset.hub!,
  course: "",
  address: (place) => toAddress(base, place),
  openFormgrader: () => false,
  signIn: async () => {
    location.reload();
    await new Promise(() => {});
  },
  notify: () => {},
});

function Page({ root, kore, host }: { root: HTMLElement; kore: Kore; host: Host }) {
  const { base } = kore;
  const here = () => fromAddress(base, location.pathname, location.search);
  const [place, setPlace] = useState<Place>(here);
  useEffect(() => {
    const back = () => setPlace(here());
    window.addEventListener("popstate", back);
    return () => window.removeEventListener("popstate", back);
  }, []);
  useEffect(() => {
    const title = new MutationObserver(() => {
      const heading = root.querySelector("h1")?.textContent;
      document.title = heading ? `${heading} – Kore` : "Kore";
    });
    title.observe(root, { childList: true, subtree: true, characterData: true });
    return () => title.disconnect();
  }, [root]);
  const go = (next: Place) => {
    const address = toAddress(base, next);
    if (address !== location.pathname + location.search) history.pushState(null, "", address);
    setPlace(next);
    window.scrollTo({ top: 0 });
  };
  return <App kore={kore} host={host} place={place} go={go} />;
}

/** Show the panel, at the place that the address names. */
export function show(root: HTMLElement): void {
  const base = root.dataset.base!;
  const kore = new Kore(base, () => location.reload());
  createRoot(root).render(<Page root={root} kore={kore} host={around(root, base)} />);
}
