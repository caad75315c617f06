/* What can be taken along from a run, each as a file or as a text to paste. */

import { copyText, download, plainName, say } from "../player/disk.js";
import { canExport, exportedPage, pageParts, runTitle } from "../player/exported.js";
import { traceText } from "../player/trace.js";
import { parseSteps } from "./choose.js";
import { embedCode } from "./embed.js";
import { filmFrames, webpFilm } from "./film.js";
import { handout, printPages } from "./handout.js";
import { stillPicture } from "./picture.js";
import { bytesAt, rasterize } from "./pixels.js";
import { t } from "../page/i18n.js";
import { hasVideos, videoOf } from "./video.js";
import { homeworkSheet, homeworkSolutions, stepTable, stepsToSet } from "./tables.js";

/** @import { Trace, TraceFiles } from "../player/types.js" */
/** @import { Export } from "./types.js" */

const PNG_SCALE = 1.5; // PNG pixels per unit of a picture: 1920 × 1080

/**
 * The entries of the menu.
 * @param {TraceFiles} files
 * @returns {Export[]}
 */
export function exportsOf(files) {
  /** @type {(act: (trace: Trace, words: string) => unknown) => (words: string) => unknown} */
  const of = (act) => (words) => files.trace && act(files.trace, words.trim());
  /** @type {(trace: Trace, words: string) => number[]} the steps that are named, else the one in view */
  const some = (trace, words) => parseSteps(words || String(files.cursor), trace.steps.length);
  /** @type {(trace: Trace, words: string) => number[]} the steps that are named, else all */
  const all = (trace, words) => (words ? some(trace, words) : trace.steps.map((_, at) => at + 1));
  /** @type {(trace: Trace, words: string) => number[]} the steps that are named, else some with drafts */
  const set = (trace, words) => stepsToSet(trace, words ? some(trace, words) : null);
  /** @type {(trace: Trace, ending: string, content: string | Uint8Array<ArrayBuffer>, type: string) => void} */
  const save = (trace, ending, content, type) => {
    const name = fileName(trace, ending);
    download(name, content, type);
    say(files, t("player.saved", { name }));
  };
  /** @param {Trace} trace @param {string} kind */
  const stepEnding = (trace, kind) => `-step-${files.cursor}.${kind}`;
  /** @param {Trace} trace @param {string} words */
  const pages = (trace, words) => handout(trace, some(trace, words), { title: runTitle(trace), beat: files.beat });
  const still = (/** @type {Trace} */ trace) => stillPicture(trace, files.cursor, files.beat);
  return [
    { name: "png", group: "of-step", action: of(async (trace) => {
      const name = stepEnding(trace, "png");
      save(trace, name, bytesAt(await rasterize(still(trace), "image/png", PNG_SCALE)), "image/png");
    }) },
    { name: "svg", group: "of-step", action: of((trace) => save(trace, stepEnding(trace, "svg"), still(trace), "image/svg+xml")) },
    { name: "film", group: "of-steps", action: of(async (trace, words) => {
      const film = await filmOf(files, trace, some(trace, words));
      save(trace, ".webp", film, "image/webp");
    }) },
    { name: "video", group: "of-steps", hidden: true, offered: hasVideos, action: of(async (trace, words) => {
      const video = await videoOf(await filmOf(files, trace, some(trace, words)));
      save(trace, ".mp4", video, "video/mp4");
    }) },
    { name: "handout", group: "of-steps", action: of((trace, words) => save(trace, "-handout.html", pages(trace, words), "text/html")) },
    { name: "print", group: "of-steps", action: of((trace, words) => {
      if (!printPages(pages(trace, words))) say(files, t("export.no-window"));
    }) },
    { name: "table", group: "of-steps", action: of((trace, words) => save(trace, "-steps.csv", stepTable(trace, all(trace, words)), "text/csv")) },
    { name: "homework", group: "of-steps", action: of((trace, words) => save(trace, "-homework.csv", homeworkSheet(trace, set(trace, words)), "text/csv")) },
    { name: "solutions", group: "of-steps", action: of((trace, words) => save(trace, "-solutions.csv", homeworkSolutions(trace, set(trace, words)), "text/csv")) },
    { name: "page", group: "of-run", hidden: !canExport(), action: of(async (trace) => save(trace, ".html", await pageOf(files, trace), "text/html")) },
    { name: "trace", group: "of-run", action: of((trace) => save(trace, ".json", traceText(trace), "application/json")) },
    { name: "embed", group: "of-run", action: of((trace) => copyEmbedCode(files, trace)) },
  ];
}

/**
 * A name for a file of the run.
 * @param {Pick<Trace, "header">} trace
 * @param {string} ending
 */
export const fileName = (trace, ending) => plainName(runTitle(trace)) + ending;

/** @param {TraceFiles} files @param {Trace} trace @param {number[]} numbers */
async function filmOf(files, trace, numbers) {
  const frames = filmFrames(trace, numbers);
  say(files, t("export.working", { n: frames.length }));
  const stills = [];
  for (const { svg } of frames) stills.push(bytesAt(await rasterize(svg, "image/webp")));
  return webpFilm(stills, frames.map(({ time }) => time));
}

/** @param {TraceFiles} files @param {Trace} trace */
async function pageOf({ cursor, beat }, trace) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const nonce = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const place = { step: cursor, beat };
  return exportedPage({ ...(await pageParts()), trace: traceText(trace), title: runTitle(trace), nonce, place });
}

/**
 * The address that leads to the step in view; null where none does.
 * @param {TraceFiles} files
 * @param {Trace} trace
 */
async function addressOf({ cursor, beat, player }, trace) {
  const { link } = player.options;
  if (link) return link(trace.run, cursor, beat);
  const here = location.href.replace(/#.*/, "");
  // The frame of a notebook is at "about:srcdoc", which leads nowhere.
  return /^(?:https?|file):/.test(here) ? `${here}#step=${cursor}&beat=${beat}` : null;
}

/** @param {TraceFiles} files */
export async function copyLink(files) {
  const { trace, cursor } = files;
  const address = trace && (await addressOf(files, trace));
  if (!address) return say(files, t("player.no-address"));
  const copied = await copyText(files.element, address);
  say(files, copied ? t("player.link-copied", { step: cursor }) : address);
}

/** @param {TraceFiles} files @param {Trace} trace */
async function copyEmbedCode(files, trace) {
  const address = await addressOf(files, trace);
  if (!address) return say(files, t("player.no-address"));
  const code = embedCode(address, runTitle(trace));
  const copied = await copyText(files.element, code);
  say(files, copied ? t("export.copied") : code);
}
