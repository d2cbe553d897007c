// The panel as the service's own page.

import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { App } from "../App";
import { Kore } from "../api";
import type { Host, Place } from "../context";
import { fromAddress, toAddress } from "../places";
import { speak, t } from "../words";

const root = document.getElementById("panel")!;
const base = root.dataset.base!;

const host: Host = {
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
};

function Page() {
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
  }, []);
  const go = (next: Place) => {
    const address = toAddress(base, next);
    if (address !== location.pathname + location.search) history.pushState(null, "", address);
    setPlace(next);
    window.scrollTo({ top: 0 });
  };
  return <App kore={kore} host={host} place={place} go={go} />;
}

const kore = new Kore(base, () => location.reload());
const language = speak(...navigator.languages);
document.documentElement.lang = language;
const skip = document.querySelector(".kore-skip");
if (skip) skip.textContent = t("Skip to the content");
createRoot(root).render(<Page />);
