// Brings Kore's pages to life: what a page can do is in its data attributes.

import { call, fetchPage, Trouble } from "./api.js";
import { words } from "./words.js";

const LOOK = 1_000;
const LONG = 45_000;
const RETRY_SECONDS = [2, 4, 8, 15];

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const all = (root, selector) => [...root.querySelectorAll(selector)];

function say(text) {
  const region = document.getElementById("said");
  if (region.textContent !== text) region.textContent = text;
}

// Times, in the reader's own zone.

function showTimes(root) {
  const page = document.documentElement.lang;
  const own = navigator.languages.find((language) => language.split("-")[0] === page) ?? page;
  const short = new Intl.DateTimeFormat(own, { dateStyle: "medium", timeStyle: "short" });
  const long = new Intl.DateTimeFormat(own, { dateStyle: "full", timeStyle: "long" });
  for (const element of all(root, "time[datetime]")) {
    const moment = new Date(element.dateTime);
    element.textContent = short.format(moment);
    element.title = long.format(moment);
  }
}

// Failures, in words and with a way on.

function fail(root, trouble, again, hint = trouble.hint) {
  if (!(trouble instanceof Trouble)) {
    console.error(trouble);
    trouble = new Trouble(words.odd, "again");
    hint = trouble.hint;
  }
  const box = root.querySelector("[data-failure]");
  const message = box.querySelector("[data-failure-message]");
  if (message.textContent !== trouble.message) message.textContent = trouble.message;
  box.querySelector("[data-failure-hint]").textContent = hint;
  const button = box.querySelector("[data-failure-retry]");
  const signIn = trouble.kind === "sign-in";
  button.textContent = signIn ? words.signIn : words.retry;
  button.onclick = () => {
    if (signIn) {
      location.reload();
      return;
    }
    mend(root);
    again();
  };
  box.hidden = false;
}

function mend(root) {
  const box = root.querySelector("[data-failure]");
  if (box) box.hidden = true;
}

// Search and filter, over lines that the server has put on the page.

const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

function filterRows(bar) {
  const name = bar.dataset.filters;
  const rows = all(document.getElementById(name), "[data-row]");
  const none = document.querySelector(`[data-none="${name}"]`);
  const search = bar.querySelector("[data-search]");
  const kind = bar.querySelector("[data-kind]");
  const texts = rows.map((row) => fold((row.querySelector("th") ?? row).textContent));
  const apply = () => {
    const wanted = fold(search.value.trim());
    let shown = 0;
    rows.forEach((row, index) => {
      row.hidden =
        !texts[index].includes(wanted) || Boolean(kind?.value && row.dataset.kind !== kind.value);
      shown += row.hidden ? 0 : 1;
    });
    none.hidden = shown > 0;
    bar.querySelector("[data-count]").textContent = words.shown(shown, rows.length);
  };
  search.addEventListener("input", apply);
  kind?.addEventListener("change", apply);
  apply();
}

// The course's JupyterLab.

async function openLab(link) {
  const card = link.closest("section");
  const area = document.getElementById(link.dataset.progress);
  const told = area.querySelector("[data-progress-words]");
  const before = told.textContent;
  const show = (text, busy) => {
    if (told.textContent !== text) told.textContent = text;
    area.toggleAttribute("data-busy", busy);
    link.toggleAttribute("data-busy", busy);
  };
  mend(card);
  try {
    show(words.starting, true);
    const began = Date.now();
    let { server, url } = await call(link.dataset.open, { method: "POST" });
    while (server !== "running") {
      await wait(LOOK);
      const last = server;
      ({ server } = await call(link.dataset.state));
      if (server === "stopped") {
        if (last !== "stopping") throw new Trouble(words.notStarted, "again");
        ({ server } = await call(link.dataset.open, { method: "POST" }));
      }
      show(
        server === "stopping" ? words.stopping : Date.now() - began > LONG ? words.still : words.starting,
        true,
      );
    }
    show(words.opening, true);
    const target = new URL(url, location.href);
    if (target.origin !== location.origin) throw new Trouble(words.odd, "refused");
    location.assign(target);
  } catch (trouble) {
    show(before, false);
    fail(card, trouble, () => openLab(link));
  }
}

function offerLab(link) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    if (!link.hasAttribute("data-busy")) openLab(link);
  });
  // Who comes back by the browser's button finds the page as it was before.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}

// Grades.

async function sendGrades(root, button, { url, job, ...body }) {
  const label = button.textContent;
  const controls = all(root, "button").filter((control) => !control.closest("[data-failure]"));
  const busy = (is) => {
    for (const control of controls) control.disabled = is;
    button.textContent = is ? words.sending : label;
  };
  mend(root);
  busy(true);
  try {
    const { id } = await call(url, { method: "POST", body });
    location.assign(job.replace(/0$/, id));
  } catch (trouble) {
    busy(false);
    fail(root, trouble, () => sendGrades(root, button, { url, job, ...body }));
  }
}

function offerSend(form) {
  form.addEventListener("submit", (event) => {
    if (event.submitter?.value !== "send") return;
    event.preventDefault();
    const { send, job, course, resend } = form.dataset;
    sendGrades(form, event.submitter, { url: send, job, course, resend: resend === "true" });
  });
}

function offerDialog(button) {
  const dialog = document.getElementById(button.dataset.dialog);
  button.addEventListener("click", () => {
    mend(dialog);
    dialog.showModal();
  });
}

function offerAgain(button) {
  const { again, job, course, only } = button.dataset;
  button.addEventListener("click", () =>
    sendGrades(button.closest("section"), button, { url: again, job, course, only: JSON.parse(only) }),
  );
}

// A job under way.

function offerStop(button) {
  const card = button.closest("section");
  const stop = async () => {
    mend(card);
    const label = button.textContent;
    button.disabled = true;
    button.textContent = words.ending;
    try {
      await call(button.dataset.stop, { method: "POST" });
      say(words.stopAsked);
    } catch (trouble) {
      button.disabled = false;
      button.textContent = label;
      fail(card, trouble, stop);
    }
  };
  button.addEventListener("click", stop);
}

async function watch(area) {
  let failures = 0;
  let quarter = 0;
  for (;;) {
    try {
      const job = await call(area.dataset.watch);
      if (failures) mend(area);
      failures = 0;
      if (job.ended_at) {
        await showEnd(area);
        return;
      }
      quarter = showProgress(area, job, quarter);
      await wait(LOOK);
    } catch (trouble) {
      if (trouble.kind !== "again") {
        fail(area, trouble, () => watch(area));
        return;
      }
      await retryLater(area, trouble, RETRY_SECONDS[Math.min(failures, RETRY_SECONDS.length - 1)]);
      failures += 1;
    }
  }
}

function showProgress(area, job, quarter) {
  const bar = area.querySelector("progress");
  const text = [words.progress(job.done, job.total), job.message].filter(Boolean).join(" – ");
  area.querySelector("[data-job-words]").textContent = text;
  if (!job.total) return quarter;
  bar.max = job.total;
  bar.value = job.done;
  // Each second would be too much to listen to.
  const reached = Math.floor((4 * job.done) / job.total);
  if (reached > quarter) say(text);
  return reached;
}

function retryLater(area, trouble, seconds) {
  return new Promise((done) => {
    const timer = setTimeout(done, seconds * 1_000);
    fail(
      area,
      trouble,
      () => {
        clearTimeout(timer);
        done();
      },
      `${trouble.hint} ${words.waiting(seconds)}`,
    );
    area.querySelector("[data-failure-retry]").textContent = words.retryNow;
  });
}

async function showEnd(area) {
  const page = await fetchPage(location.href);
  const heldFocus = area.contains(document.activeElement);
  const report = document.importNode(page.getElementById("job"), true);
  area.replaceWith(report);
  wire(report);
  say(report.querySelector("[data-job-end]")?.textContent.trim() ?? "");
  if (heldFocus) report.querySelector("#job-heading").focus();
}

// A course that is being set up.

async function reloadSoon() {
  await wait(2 * LOOK);
  location.reload();
}

function wire(root) {
  showTimes(root);
  all(root, "[data-filters]").forEach(filterRows);
  all(root, "[data-open]").forEach(offerLab);
  all(root, "[data-dialog]").forEach(offerDialog);
  all(root, "[data-send]").forEach(offerSend);
  all(root, "[data-again]").forEach(offerAgain);
  all(root, "[data-stop]").forEach(offerStop);
  all(root, "[data-reload-soon]").forEach(reloadSoon);
  if (root.matches?.("[data-watch]")) watch(root);
  all(root, "[data-watch]").forEach(watch);
}

wire(document);
