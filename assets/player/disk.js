/* Opening and saving files, by button and by drop: what all views have in common. */

import { t } from "../page/i18n.js";
import { el, holds, setText } from "./dom.js";
import { MAX_FILE_BYTES } from "./schema.js";

/** @import { Files, Timer } from "./types.js" */

const SAID_FOR = 6000;
const TOO_LARGE = t("player.too-large");

/**
 * Puts the buttons and the status line into `files.element`; the whole view accepts drops.
 * @param {Files} files
 * @param {[open: HTMLElement, input: HTMLElement]} opener
 * @param {HTMLElement[]} buttons
 */
export function fillFiles(files, [open, input], buttons) {
  files.element.append(open, ...buttons, input, files.said);
  listenToDrops(files, files.player.element);
}

/**
 * A row for file buttons, still empty.
 * @template {Files["player"]} Opener
 * @param {Opener} player
 */
export function filesOf(player) {
  return {
    player,
    element: el("div", { class: "ls-files", role: "group", "aria-label": t("player.files") }),
    said: el("span", { class: "ls-said", role: "status" }),
    silence: /** @type {Timer} */ (undefined),
    chosen: /** @type {File | null} */ (null),
  };
}

/**
 * A button that opens a file, and the field behind it.
 * @param {Files} files
 * @param {string} kind
 * @returns {[open: HTMLElement, input: HTMLElement]}
 */
export function fileOpener(files, kind) {
  const input = el("input", { type: "file", accept: ".json,.gz", hidden: true, "aria-label": t(`player.saved-${kind}`) });
  input.addEventListener("change", () => {
    const [file] = input.files || [];
    if (file) openFile(files, file);
    input.value = "";
  });
  return [fileButton(files, t(`player.open-${kind}`), t(`player.open-${kind}-title`), () => input.click()), input];
}

/** @param {Files} files @param {string} label @param {string} title @param {(...values: any[]) => any} action */
export function fileButton(files, label, title, action) {
  const element = el("button", { type: "button", class: "ls-button ls-file", title }, label);
  element.addEventListener("click", async () => {
    try {
      await action(files);
    } catch (error) {
      say(files, messageOf(error));
    }
  });
  return element;
}

/**
 * Shows a short status that disappears by itself.
 * @param {Files} files
 * @param {string} words
 */
export function say(files, words) {
  clearTimeout(files.silence);
  setText(files.said, words);
  files.silence = setTimeout(() => setText(files.said, ""), SAID_FOR);
}

/** @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/* In */

/** @param {Files} files @param {HTMLElement} root */
function listenToDrops(files, root) {
  /** @param {DragEvent} event */
  const carriesFile = (event) => Boolean(event.dataTransfer && event.dataTransfer.types.includes("Files"));
  /** @param {DragEvent} event */
  const over = (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    event.stopPropagation();
    root.dataset.dropping = "true";
  };
  root.addEventListener("dragenter", over);
  root.addEventListener("dragover", over);
  root.addEventListener("dragleave", (event) => {
    if (!holds(root, event.relatedTarget)) delete root.dataset.dropping;
  });
  root.addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    event.stopPropagation();
    delete root.dataset.dropping;
    const [file] = event.dataTransfer ? event.dataTransfer.files : [];
    if (file) openFile(files, file);
  });
}

/**
 * Opens a file, unless another one is chosen while this one is still read.
 * @param {Files} files @param {File} file
 */
async function openFile(files, file) {
  files.chosen = file;
  try {
    const text = await textOf(file);
    if (files.chosen !== file) return;
    files.player.open(text);
    say(files, "");
    files.player.element.focus({ preventScroll: true });
  } catch (error) {
    if (files.chosen !== file) return;
    say(files, messageOf(error) === TOO_LARGE ? TOO_LARGE : t("player.file-damaged"));
  }
}

/**
 * The text of a file, unpacked where it is gzipped.
 * @param {File} file
 */
async function textOf(file) {
  if (file.size > MAX_FILE_BYTES) throw new Error(TOO_LARGE);
  const head = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (head[0] !== 0x1f || head[1] !== 0x8b) return decoded(file);
  const reader = file.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return decoded(new Blob(parts));
    size += value.length;
    if (size > MAX_FILE_BYTES) {
      await reader.cancel();
      throw new Error(TOO_LARGE);
    }
    parts.push(value);
  }
}

/** @param {Blob} bytes */
const decoded = async (bytes) => new TextDecoder("utf-8", { fatal: true }).decode(await bytes.arrayBuffer());

/* Out */

/**
 * Letters and digits of a title.
 * @param {string} title
 */
export function plainName(title) {
  const words = title.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().match(/[a-z0-9]+/g) || [];
  return words.join("-").slice(0, 48).replace(/-+$/, "");
}

/** @param {string} name @param {string | Uint8Array<ArrayBuffer>} content @param {string} type */
export function download(name, content, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

/**
 * Copies a text; false where the browser refuses. Only secure pages may use the clipboard; `execCommand` works on any
 * page, after a click.
 * @param {HTMLElement} place in the page, where a field with the text may stand for a moment
 * @param {string} text
 */
export async function copyText(place, text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const before = document.activeElement;
    const area = el("textarea", { class: "ls-copying", readonly: true, "aria-hidden": "true" });
    area.value = text;
    place.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    return copied;
  }
}
