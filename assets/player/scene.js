/* A scene: one step, told by itself. A few of its nodes are shown, large, and its result below them. */

import { t } from "../page/i18n.js";
import { LAST_BEAT, sceneSeconds, walkSeconds } from "./beats.js";
import { el, setData, setText } from "./dom.js";
import { badgeWords } from "./words.js";

/** @import { Actions, Frame, Part, Step, Trace } from "./types.js" */

/**
 * The result of a step, in a line.
 * @param {Trace} trace
 * @param {Step} step
 */
function resultWords({ header }, { row }) {
  const result = t("step.result", { n: row.path.length });
  // A recorded run with a baseline was checked against plain decoding.
  return header.recorded && header.baseline ? t("step.result-same", { result }) : result;
}

/**
 * The part below the picture of a scene.
 * @param {Actions} actions `again`, `whole`, and `why` where there is an answer
 * @returns {Part}
 */
export function createScene(actions) {
  const result = el("p", { class: "ls-result" });
  const badge = el("p", { class: "ls-badge" });
  const button = (/** @type {string} */ name, /** @type {string} */ kind = "") => {
    const element = el("button", { type: "button", class: `ls-button ${kind}`, "data-action": name });
    element.addEventListener("click", () => actions[name]());
    return element;
  };
  const [why, again, whole] = [button("why", "ls-primary"), button("again"), button("whole")];
  why.hidden = !actions.why;
  setText(again, t("step.scene-again"));
  const element = el("div", { class: "ls-scene" }, el("div", {}, result, badge), el("div", { class: "ls-group" }, why, again, whole));
  return {
    element,
    /** @param {Frame} frame */
    paint({ trace, step, beat, scene }) {
      element.hidden = !scene;
      if (!trace || !step || !scene) return;
      setData(element, "done", beat === LAST_BEAT ? "true" : null);
      setText(result, resultWords(trace, step));
      setText(badge, badgeWords(trace.header));
      setText(why, t("step.scene-why", { n: numberWord(step.row.path.length) }));
      setText(whole, t("step.scene-whole", { n: step.row.tokens.length }));
    },
  };
}

/** Small numbers in words: 4 is "four". @param {number} count */
const numberWord = (count) => (count > 1 && count < 7 ? t(`step.number-${count}`) : count);

/**
 * How long the motions of a scene take, as custom properties of the player's element; without a scene, the
 * style sheet's own values apply.
 * @param {HTMLElement} element
 * @param {Frame} frame
 */
export function paceScene(element, { step, scene, beat }) {
  const nodes = step ? step.row.path.length : 1;
  const walk = scene ? `${walkSeconds(nodes)}s` : null;
  const motion = scene ? `${sceneSeconds(beat, nodes) || 1}s` : null;
  for (const [name, value] of [["walk", walk], ["motion", motion]]) element.style.setProperty(`--ls-${name}`, value);
}
