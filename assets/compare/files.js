/* A race as a file: all its lanes with what they ran on, as it was recorded. */

import { t } from "../page/i18n.js";
import { download, fileButton, fileOpener, filesOf, fillFiles, plainName, say } from "../player/disk.js";
import { raceOver, raceText } from "./race.js";

/** @import { Race, RaceFiles } from "../player/types.js" */

/** @param {RaceFiles["player"]} player the view of the race */
export function createRaceFiles(player) {
  /** @type {RaceFiles} */
  const files = { ...filesOf(player), race: null };
  const save = fileButton(files, t("compare.save"), t("compare.save-title"), () => saveRace(files));
  fillFiles(files, fileOpener(files, "race"), [save]);
  return {
    element: files.element,
    /** @param {Race} race */
    paint(race) {
      files.race = race;
      save.disabled = race === null || !raceOver(race);
    },
  };
}

/** @param {RaceFiles} files */
function saveRace(files) {
  if (!files.race) return;
  const { lanes, recorded } = files.race;
  const name = plainName("race " + (recorded || lanes[0].trace.header.prompt || "")) + ".json";
  download(name, raceText(files.race), "application/json");
  say(files, t("compare.saved", { name }));
}
