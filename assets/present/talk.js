/* A talk that is given: the view that is its stage, black or not, until its speaker leaves. */

import { sourceNamed } from "../page/cues.js";
import { keep } from "./storage.js";

/** @import { CueSource, Talk } from "../player/types.js" */

export const STORE = "logitspec.present";

/** The cues that are presented; null where there are none. @param {Talk} talk */
export function sourceOf({ view }) {
  const found = view ? sourceNamed(view) : null;
  return found && found.source;
}

/** @param {CueSource} source @param {number} index */
export function goTo(source, index) {
  if (index >= 0 && index < source.length() && index !== source.at()) source.go(index);
}

/** @param {Talk} talk @param {boolean} on */
export function setStage(talk, on) {
  const source = sourceOf(talk);
  if (on && talk.root) talk.stage.hold(talk.root);
  if (!on) talk.stage.release();
  if (source && source.stage) source.stage(on);
}

/** @param {Talk} talk @param {boolean} on */
export function setBlack(talk, on) {
  talk.black = on;
  talk.stage.black.hidden = !on;
}

/** @param {Talk} talk */
export function leave(talk) {
  setStage(talk, false);
  talk.light.set(false);
  setBlack(talk, false);
  talk.speaker.close();
  if (document.fullscreenElement) document.exitFullscreen().catch(() => null);
  Object.assign(talk, { view: "", root: null, typed: "", speaking: false });
  keep(STORE, null);
}
