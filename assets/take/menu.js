/* The menu "Export": a button, and below it what can be saved of the step, of some steps and of the run. */

import { fileButton } from "../player/disk.js";
import { el } from "../player/dom.js";
import { t } from "../page/i18n.js";

/** @import { TraceFiles } from "../player/types.js" */
/** @import { TakeMenu, Export } from "./types.js" */

const GROUPS = ["of-step", "of-steps", "of-run"];

/**
 * @param {TraceFiles} files
 * @param {Export[]} entries what the menu offers
 * @returns {TakeMenu}
 */
export function createMenu(files, entries) {
  const steps = el("input", { class: "ls-steps", inputmode: "text", placeholder: t("export.steps-hint"), autocomplete: "off" });
  const buttons = entries.map(({ name, action }) =>
    fileButton(files, t(`export.${name}`), t(`export.${name}-title`), () => action(steps.value)),
  );
  buttons.forEach((button, at) => (button.hidden = Boolean(entries[at].hidden)));
  const groups = GROUPS.map((group) => {
    const own = buttons.filter((_, at) => entries[at].group === group);
    const field = group === "of-steps" ? [stepsField(steps)] : [];
    const label = el("span", { class: "ls-take-name" }, t(`export.${group}`));
    return el("div", { class: "ls-take-group", role: "group", "aria-label": t(`export.${group}`) }, label, ...field, ...own);
  });
  const panel = el("div", { class: "ls-take", hidden: true }, ...groups);
  const attributes = { type: "button", class: "ls-button ls-file", title: t("export.menu-title"), "aria-expanded": "false" };
  const opener = el("button", attributes, t("export.menu"), el("span", { "aria-hidden": "true" }, " ▾"));
  let asked = false;
  const ask = () => entries.forEach(async ({ offered }, at) => offered && (buttons[at].hidden = !(await offered())));
  const open = (/** @type {boolean} */ on) => {
    panel.hidden = !on;
    if (on && !asked) ask();
    asked = asked || on;
    opener.setAttribute("aria-expanded", String(on));
  };
  opener.addEventListener("click", () => open(Boolean(panel.hidden)));
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation(); // the player has a use for it, too
    open(false);
    opener.focus();
  });
  return { opener, panel, buttons };
}

/** @param {HTMLInputElement} steps */
function stepsField(steps) {
  const note = t("export.steps-note");
  return el("label", { class: "ls-take-steps", title: note }, t("export.steps"), steps, el("span", { class: "ls-spoken" }, note));
}
