/* All texts of the page by language: the files of each language's folder, one for each room. */

/** @import { Texts } from "../player/types.js" */

import enPage from "./en/page.json" with { type: "json" };
import enWatch from "./en/watch.json" with { type: "json" };
import enPlayer from "./en/player.json" with { type: "json" };
import enStep from "./en/step.json" with { type: "json" };
import enCompare from "./en/compare.json" with { type: "json" };
import enWhy from "./en/why.json" with { type: "json" };
import enLearn from "./en/learn.json" with { type: "json" };
import enPresent from "./en/present.json" with { type: "json" };
import enExport from "./en/export.json" with { type: "json" };
import enGloss from "./en/gloss.json" with { type: "json" };
import enErrors from "./en/errors.json" with { type: "json" };
import dePage from "./de/page.json" with { type: "json" };
import deWatch from "./de/watch.json" with { type: "json" };
import dePlayer from "./de/player.json" with { type: "json" };
import deStep from "./de/step.json" with { type: "json" };
import deCompare from "./de/compare.json" with { type: "json" };
import deWhy from "./de/why.json" with { type: "json" };
import deLearn from "./de/learn.json" with { type: "json" };
import dePresent from "./de/present.json" with { type: "json" };
import deExport from "./de/export.json" with { type: "json" };
import deGloss from "./de/gloss.json" with { type: "json" };
import deErrors from "./de/errors.json" with { type: "json" };
import zhHansPage from "./zh-Hans/page.json" with { type: "json" };
import zhHansWatch from "./zh-Hans/watch.json" with { type: "json" };
import zhHansPlayer from "./zh-Hans/player.json" with { type: "json" };
import zhHansStep from "./zh-Hans/step.json" with { type: "json" };
import zhHansCompare from "./zh-Hans/compare.json" with { type: "json" };
import zhHansWhy from "./zh-Hans/why.json" with { type: "json" };
import zhHansLearn from "./zh-Hans/learn.json" with { type: "json" };
import zhHansPresent from "./zh-Hans/present.json" with { type: "json" };
import zhHansExport from "./zh-Hans/export.json" with { type: "json" };
import zhHansGloss from "./zh-Hans/gloss.json" with { type: "json" };
import zhHansErrors from "./zh-Hans/errors.json" with { type: "json" };

/** @type {Record<string, Texts>} */
export const catalogue = {
  en: { ...enPage, ...enWatch, ...enPlayer, ...enStep, ...enCompare, ...enWhy, ...enLearn, ...enPresent, ...enExport, ...enGloss, ...enErrors },
  de: { ...dePage, ...deWatch, ...dePlayer, ...deStep, ...deCompare, ...deWhy, ...deLearn, ...dePresent, ...deExport, ...deGloss, ...deErrors },
  "zh-Hans": { ...zhHansPage, ...zhHansWatch, ...zhHansPlayer, ...zhHansStep, ...zhHansCompare, ...zhHansWhy, ...zhHansLearn, ...zhHansPresent, ...zhHansExport, ...zhHansGloss, ...zhHansErrors },
};
