// The panel as an extension of JupyterLab.

import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from "@jupyterlab/application";
import { ICommandPalette, MainAreaWidget, Notification, WidgetTracker } from "@jupyterlab/apputils";
import { PageConfig } from "@jupyterlab/coreutils";
import { IMainMenu } from "@jupyterlab/mainmenu";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";
import { LabIcon, MenuSvg } from "@jupyterlab/ui-components";
import { Kore } from "../api";
import type { Host, Place } from "../context";
import { setLanguage, t } from "../i18n";
import icon from "./icon";
import { Panel, place } from "./panel";

const FORMGRADER = "nbgrader:open-formgrader";
const ASSIGNMENTS = "nbgrader:open-assignment-list";
const COMMANDS = {
  open: "kore:open",
  courses: "kore:open-courses",
  grades: "kore:open-grades",
  copy: "kore:open-copy",
  backups: "kore:open-backups",
  history: "kore:open-history",
};

const koreIcon = new LabIcon({ name: "kore:panel", svgstr: icon });

const plugin: JupyterFrontEndPlugin<void> = {
  id: "kore-panel:plugin",
  description: "Courses, grades, copies and backups: Kore, in JupyterLab.",
  autoStart: true,
  optional: [ILabShell, ILayoutRestorer, ICommandPalette, IMainMenu, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    shell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    menu: IMainMenu | null,
    translator: ITranslator | null,
  ) => {
    // Only the page configuration of a server of this hub has these.
    const kind = PageConfig.getOption("kore");
    const hub = PageConfig.getOption("hubPrefix");
    if (!kind || !hub) return;
    setLanguage((translator ?? nullTranslator).languageCode);
    const course = kind === "course" ? PageConfig.getOption("hubServerUser") || owner() : "";
    const home: Place = course ? { view: "course", course, tab: "overview" } : { view: "courses" };
    const kore = new Kore(`${hub.replace(/hub\/$/, "")}services/kore/`, () => location.reload());
    const tracker = new WidgetTracker<MainAreaWidget<Panel>>({ namespace: "kore" });
    const { commands } = app;

    const open = (to: Place) => {
      let widget = tracker.currentWidget ?? tracker.find(() => true);
      if (widget && !widget.isDisposed) {
        widget.content.goTo(to);
      } else {
        const content = new Panel(kore, host, to);
        widget = new MainAreaWidget({ content });
        widget.id = "kore-panel";
        widget.title.label = t("Kore");
        widget.title.icon = koreIcon;
        widget.title.closable = true;
        content.moved.connect(() => void tracker.save(widget!));
        void tracker.add(widget);
      }
      if (!widget.isAttached) app.shell.add(widget, "main", { mode: "tab-after" });
      app.shell.activateById(widget.id);
    };
    const host: Host = {
      kind: "lab",
      hub,
      course,
      address: () => undefined,
      openFormgrader: (of) => {
        if (of !== course || !commands.hasCommand(FORMGRADER)) return false;
        void commands.execute(FORMGRADER);
        return true;
      },
      signIn: () => signInInNewTab(kore.base),
      notify: (text, good, to) => {
        Notification.emit(text, good ? "success" : "error", {
          autoClose: good ? 8_000 : false,
          actions: [{ label: t("Report"), callback: () => open(to) }],
        });
      },
    };

    const add = (command: string, label: string, to: Place) =>
      commands.addCommand(command, {
        label,
        icon: command === COMMANDS.open ? koreIcon : undefined,
        execute: (args) => open(place(args) ?? to),
        describedBy: { args: { type: "object", properties: { place: { type: "object" } } } },
      });
    add(COMMANDS.open, course ? t("This course") : t("Your courses"), home);
    const entries: string[] = [COMMANDS.open];
    if (course) {
      add(COMMANDS.grades, t("Send grades"), { view: "course", course, tab: "grades" });
      add(COMMANDS.copy, t("Copy and import"), { view: "course", course, tab: "copy" });
      add(COMMANDS.backups, t("Backups"), { view: "course", course, tab: "backups" });
      add(COMMANDS.history, t("History"), { view: "course", course, tab: "history" });
      add(COMMANDS.courses, t("Your courses"), { view: "courses" });
      entries.push(...Object.values(COMMANDS).filter((c) => c !== COMMANDS.open));
    }
    if (palette) for (const command of entries) palette.addItem({ command, category: t("Kore") });
    if (menu) {
      const own = new MenuSvg({ commands });
      own.id = "jp-mainmenu-kore";
      own.title.label = t("Kore");
      for (const command of entries) own.addItem({ command });
      menu.addMenu(own, true, { rank: 900 });
    }
    if (shell) {
      const side = new Panel(kore, host, home, open);
      side.id = "kore-side";
      side.title.icon = koreIcon;
      side.title.caption = course ? t("Kore: this course") : t("Kore: your courses");
      shell.add(side, "left", { rank: 650 });
    }
    if (restorer) {
      void restorer.restore(tracker, {
        command: COMMANDS.open,
        args: (widget) => ({ place: { ...widget.content.place } }),
        name: () => "kore",
      });
    }
    // A launch opens what the person came for; a reload leaves JupyterLab as it was.
    void app.restored.then(() => {
      if (!isLaunch()) return;
      if (course) open(home);
      else if (commands.hasCommand(ASSIGNMENTS)) void commands.execute(ASSIGNMENTS);
    });
  },
};

/** The name of the person or course whose server this is. */
const owner = () =>
  /\/user\/([^/]+)\/$/.exec(decodeURIComponent(PageConfig.getOption("baseUrl")))?.[1] ?? "";

/** Whether the page was opened, not reloaded, and its address names no file or folder. */
function isLaunch(): boolean {
  const [entry] = performance.getEntriesByType("navigation");
  const navigation = entry as PerformanceNavigationTiming | undefined;
  // The hub's page that waits for a server reloads itself and then redirects.
  const opened = navigation?.type === "navigate" || (navigation?.redirectCount ?? 0) > 0;
  return opened && !PageConfig.getOption("treePath");
}

/** Open the sign-in in a new tab; settles when the person comes back to this one. */
function signInInNewTab(base: string): Promise<void> {
  window.open(base, "_blank", "noopener");
  return new Promise((done) => {
    const back = () => {
      if (document.visibilityState !== "visible") return;
      document.removeEventListener("visibilitychange", back);
      window.removeEventListener("focus", back);
      done();
    };
    document.addEventListener("visibilitychange", back);
    window.addEventListener("focus", back);
  });
}

export default plugin;
