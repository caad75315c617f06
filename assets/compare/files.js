/* A race as a file: all its lanes with what they ran on, as it was recorded. */

import { download, fileButton, fileOpener, fillFiles, plainName, say } from "../player/disk.js";
import { raceOver, raceText } from "./race.js";

/** @param {{element: HTMLElement, open: function(string)}} player the view of the race */
export function createRaceFiles(player) {
  const files = { player, race: null, silence: null };
  const save = fileButton(files, "Save race", "Save every step of all lanes as a file", saveRace);
  fillFiles(files, fileOpener(files, "race"), [save]);
  return {
    element: files.element,
    paint(race) {
      files.race = race;
      save.disabled = race === null || !raceOver(race);
    },
  };
}

function saveRace(files) {
  const { lanes, recorded } = files.race;
  const name = plainName("race " + (recorded || lanes[0].trace.header.prompt || "")) + ".json";
  download(name, raceText(files.race), "application/json");
  say(files, `Saved as ${name}.`);
}
