/* The tab "Watch": says of the button that unfolds the settings that they are folded. */

import { whenThere } from "../page/when_there.js";

const button = await whenThere(() => document.getElementById("try"));
button.setAttribute("aria-expanded", "false");
