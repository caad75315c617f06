/* Files from and to the visitor's disk, by button and drop: what every view does alike. */

import { el, setText } from "./dom.js";

const FILE_BYTES_AT_MOST = 256e6;
const SAID_FOR = 6000;
const TOO_LARGE = "This file is too large to be opened here.";

/** Puts the buttons and the word on what was done into `files.element`; the whole view takes drops. */
export function fillFiles(files, [open, input], buttons) {
  files.said = el("span", { class: "ls-said", role: "status" });
  files.element = el("div", { class: "ls-files", role: "group", "aria-label": "Files" });
  files.element.append(open, ...buttons, input, files.said);
  listenToDrops(files, files.player.element);
}

/** A button that opens a file, and the field behind it. */
export function fileOpener(files, kind) {
  const input = el("input", { type: "file", accept: ".json,.gz", hidden: true, "aria-label": `A saved ${kind}` });
  input.addEventListener("change", () => {
    if (input.files[0]) openFile(files, input.files[0]);
    input.value = "";
  });
  return [fileButton(files, `Open ${kind}`, `Open a saved ${kind}; or drop one here`, () => input.click()), input];
}

export function fileButton(files, label, title, action) {
  const element = el("button", { type: "button", class: "ls-button ls-file", title }, label);
  element.addEventListener("click", async () => {
    try {
      await action(files);
    } catch (error) {
      say(files, error.message);
    }
  });
  return element;
}

/** A short word on what was done, which goes by itself. */
export function say(files, words) {
  clearTimeout(files.silence);
  setText(files.said, words);
  files.silence = setTimeout(() => setText(files.said, ""), SAID_FOR);
}

/* In */

function listenToDrops(files, root) {
  const carriesFile = (event) => [...event.dataTransfer.types].includes("Files");
  const over = (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    event.stopPropagation();
    root.dataset.dropping = "true";
  };
  root.addEventListener("dragenter", over);
  root.addEventListener("dragover", over);
  root.addEventListener("dragleave", (event) => {
    if (!root.contains(event.relatedTarget)) delete root.dataset.dropping;
  });
  root.addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    event.stopPropagation();
    delete root.dataset.dropping;
    if (event.dataTransfer.files[0]) openFile(files, event.dataTransfer.files[0]);
  });
}

async function openFile(files, file) {
  try {
    const text = await textOf(file);
    files.player.open(text);
    say(files, "");
    files.player.element.focus({ preventScroll: true });
  } catch (error) {
    say(files, error.message === TOO_LARGE ? TOO_LARGE : "This file is damaged; save it again.");
  }
}

/** The text of a file, unpacked where it is gzipped. */
async function textOf(file) {
  if (file.size > FILE_BYTES_AT_MOST) throw new Error(TOO_LARGE);
  const head = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (head[0] !== 0x1f || head[1] !== 0x8b) return file.text();
  const reader = file.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts).text();
    size += value.length;
    if (size > FILE_BYTES_AT_MOST) {
      await reader.cancel();
      throw new Error(TOO_LARGE);
    }
    parts.push(value);
  }
}

/* Out */

/** Letters and digits of a title. */
export function plainName(title) {
  const words = title.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().match(/[a-z0-9]+/g) || [];
  return words.join("-").slice(0, 48).replace(/-+$/, "");
}

export function download(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}
