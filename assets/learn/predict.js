/* The field for a prediction: options, a number, or something picked in the player. */

import { t } from "../page/i18n.js";
import { el, setText } from "../player/dom.js";
import { MOST } from "./read.js";
import { mark } from "./verdicts.js";

/** @import { Prediction, PredictionField, Sayings } from "./types.js" */

const HOW = { node: t("learn.pick_node"), rank: t("learn.pick_rank"), token: t("learn.pick_token") };
let fields = 0; // in the page, since options with the same name exclude each other

/**
 * @param {Prediction} predict
 * @param {Sayings["nodes"]} write
 * @param {(place: number) => string} nameOf what was picked, in words
 * @returns {PredictionField}
 */
export function createPrediction(predict, write, nameOf) {
  if (predict.kind === "choice") return choiceField(predict, write);
  return predict.kind === "number" ? numberField(predict) : pickField(predict.kind, nameOf);
}

/** @param {Prediction} predict @param {Sayings["nodes"]} write @returns {PredictionField} */
function choiceField({ options = [] }, write) {
  fields += 1;
  const name = `learn-choice-${fields}`;
  const inputs = options.map((_, place) => el("input", { type: "radio", name, value: place }));
  const labels = options.map(({ text }, place) =>
    el("label", { class: "learn-option" }, inputs[place], el("span", {}, ...write(text))),
  );
  return {
    element: el("fieldset", { class: "learn-predict" }, el("legend", {}, t("learn.predict")), ...labels),
    value() {
      const chosen = inputs.findIndex((each) => each.checked);
      return chosen < 0 ? null : chosen;
    },
    pick() {},
    show(said) {
      inputs.forEach((input, place) => (input.checked = place === said));
    },
    tell(said, right) {
      this.show(said);
      inputs.forEach((input, place) => {
        input.disabled = true;
        if (place === right) labels[place].append(mark("right"));
        else if (place === said && right !== null) labels[place].append(mark("wrong"));
      });
    },
  };
}

/** @param {Prediction} predict @returns {PredictionField} */
function numberField({ least = 0, most = MOST }) {
  const input = el("input", { type: "number", min: least, max: most, step: "any", inputmode: "decimal", autocomplete: "off" });
  return {
    element: el("label", { class: "learn-predict learn-number" }, el("span", {}, t("learn.number")), input),
    value: () => (input.value === "" || !input.checkValidity() ? null : input.valueAsNumber),
    pick() {},
    show(said) {
      if (said >= 0) input.valueAsNumber = said;
    },
    tell(said) {
      this.show(said);
      input.disabled = true;
    },
  };
}

/** @param {"node" | "rank" | "token"} kind @param {(place: number) => string} nameOf @returns {PredictionField} */
function pickField(kind, nameOf) {
  /** @type {number | null} */
  let picked = null;
  const said = el("output", { class: "learn-picked" }, t("learn.nothing_picked"));
  const how = el("span", { class: "learn-how" }, HOW[kind]);
  const element = el("div", { class: "learn-predict", role: "group", "aria-label": t("learn.predict") }, how, said);
  return {
    element,
    value: () => picked,
    pick(place) {
      picked = place;
      setText(said, t("learn.picked", { what: nameOf(place) }));
      element.dispatchEvent(new CustomEvent("learn-pick", { bubbles: true }));
    },
    show(place) {
      if (place >= 0) setText(said, t("learn.picked", { what: nameOf(place) }));
    },
    tell(place) {
      this.show(place);
      how.hidden = true;
      said.hidden = place < 0;
    },
  };
}
