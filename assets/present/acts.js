/* What the tools of the stage and of the speaker's window do, and the keys that stand for them. */

import { newTimes, pauseOrGoOn } from "./clock.js";
import { cueOfStation } from "./stations.js";
import { goTo, leave, setBlack } from "./talk.js";

/** @import { CueSource, Talk } from "../player/types.js" */

/** @type {Record<string, (talk: Talk, source: CueSource) => void>} */
export const acts = {
  next: (_, source) => goTo(source, source.at() + 1),
  back: (_, source) => goTo(source, source.at() - 1),
  first: (_, source) => goTo(source, 0),
  last: (_, source) => goTo(source, source.length() - 1),
  jump({ typed }, source) {
    const cue = cueOfStation(source, Number(typed));
    if (cue !== null) goTo(source, cue);
  },
  black: (talk) => setBlack(talk, !talk.black),
  dim: ({ light }) => light.set(!light.isOn()),
  full() {
    const done = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
    done.catch(() => null); // a frame may not be allowed full screen
  },
  speaker(talk) {
    if (talk.speaker.isOpen()) talk.speaker.close();
    else talk.speaker.open();
    talk.speaking = talk.speaker.isOpen();
  },
  hall: ({ hall }) => hall && hall.toggle(),
  help({ stage }) {
    stage.help.hidden = !stage.help.hidden;
  },
  pause: ({ times }) => pauseOrGoOn(times, Date.now()),
  restart(talk) {
    talk.times = newTimes(Date.now());
  },
  escape(talk) {
    const { hall, stage } = talk;
    if (talk.typed) return;
    if (talk.black) setBlack(talk, false);
    else if (!stage.help.hidden) stage.help.hidden = true;
    else if (hall && hall.close()) return;
    else leave(talk);
  },
};
