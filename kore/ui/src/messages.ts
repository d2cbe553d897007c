// Renders the service's messages, ids with parameters, as kore/service/catalog.py does.
//
// Holes of a catalog's text and their kinds are described there. Here moments are in the
// reader's zone, numbers and sizes in the reader's manner, and others' text keeps its direction.

import { getCatalogs, isolate, moment, number, pluralForm, size } from "./i18n";
import type { MessageInfo } from "./types";

/** A message inside of another one's parameters. */
interface Message {
  id: string;
  params: Params;
}
type Params = { readonly [name: string]: unknown };

const PLAIN = "plain";
const HINT = ".hint";
const QUOTED = "quoted";
const MAX_NAME = 80;

/** A message that no catalog of this build has: the service is newer. */
class UnknownMessage extends Error {}

/** Return a message's text; "" for none. What this build does not know is the service's text. */
export function render(info: MessageInfo | null | undefined): string {
  if (!info) return "";
  // On its own, text of others needs no isolation.
  if (info.code === PLAIN) return info.text;
  try {
    return renderMessage({ id: info.code, params: info.params });
  } catch (error) {
    if (error instanceof UnknownMessage) return info.text;
    throw error;
  }
}

/** Return what the reader can do about a message; "" where there is nothing to say. */
export function renderHint(info: MessageInfo | null | undefined): string {
  if (!info) return "";
  const { params } = info;
  if (!findText(info.code, params)) return info.hint ?? "";
  const hint = { id: info.code + HINT, params };
  return findText(hint.id, params) === null
    ? ""
    : render({ ...info, code: hint.id, text: info.hint ?? "" });
}

function renderMessage({ id, params }: Message): string {
  if (id === PLAIN) return isolate(String(params.text ?? ""));
  const text = findText(id, params);
  if (text === null) throw new UnknownMessage(id);
  return text.replace(/\{(\w+)(?::(\w+))?\}/g, (hole, name: string, kind?: string) =>
    Object.hasOwn(params, name) ? formatValue(params[name], kind) : hole,
  );
}

function findText(id: string, params: Params): string | null {
  for (const catalog of getCatalogs()) {
    const found = Object.hasOwn(catalog, id) ? catalog[id] : undefined;
    if (typeof found === "string" && found) return found;
    if (Array.isArray(found)) {
      return pluralForm(found, typeof params.n === "number" ? params.n : 1);
    }
  }
  return null;
}

function formatValue(value: unknown, kind: string | undefined): string {
  if (Array.isArray(value)) return value.map((part) => formatValue(part, kind)).join(", ");
  if (isMessage(value)) return renderMessage(value);
  if (typeof value === "number") {
    if (kind === "size") return size(value);
    return kind === "code" ? String(value) : number(value, 3);
  }
  const text = String(value);
  switch (kind) {
    case "name":
    case "names":
      return (findText(QUOTED, {}) ?? "{name}").replace("{name}", () => isolate(shorten(text)));
    case "moment":
      return moment(text);
    case "code":
      return text;
    default:
      return isolate(text);
  }
}

function isMessage(value: unknown): value is Message {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as Message).id === "string" &&
    typeof (value as Message).params === "object"
  );
}

/** Return a hostile name as it may stand in a sentence: short, and with nothing invisible. */
function shorten(name: string): string {
  const characters = [...name];
  const text =
    characters.length > MAX_NAME ? `${characters.slice(0, MAX_NAME - 3).join("")}...` : name;
  return /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(text) ? toAscii(text) : text;
}

const ESCAPES: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

/** Escape all characters that are not ASCII, as Python's `ascii` does. */
function toAscii(text: string): string {
  const quote = text.includes("'") && text.includes('"') ? "\\'" : "'";
  return [...text]
    .map((character) => {
      const code = character.codePointAt(0)!;
      const digits = code.toString(16);
      if (character === "'") return quote;
      if (Object.hasOwn(ESCAPES, character)) return ESCAPES[character];
      if (code >= 0x20 && code < 0x7f) return character;
      if (code < 0x100) return `\\x${digits.padStart(2, "0")}`;
      return code < 0x10000 ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
    })
    .join("");
}
