/* Draws steps without a page: `node draw.js NUMBER... < trace.json` writes a picture of each to standard output. */

import { readFileSync } from "node:fs";
import { stillPicture } from "./picture.js";
import { appendSteps, createTrace } from "./trace.js";

const data = JSON.parse(readFileSync(0, "utf8"));
const trace = createTrace(data);
appendSteps(trace, data.steps);
for (const number of process.argv.slice(2)) process.stdout.write(stillPicture(trace, Number(number)));
