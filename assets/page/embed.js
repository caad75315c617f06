/* The page within another one: with `?embed=1` in its address it shows the player alone, with `&lesson=` the lesson. */

import { whenThere } from "./when_there.js";

export async function showAlone() {
  const query = new URLSearchParams(location.search);
  if (query.get("embed") !== "1") return;
  document.documentElement.dataset.embed = query.has("lesson") ? "lesson" : "player";
  const view = await whenThere(() => document.querySelector(`[data-logitspec-${document.documentElement.dataset.embed}]`));
  view.classList.add("alone");
}
