/* What Gradio runs in each view of the page: it hands the view over to the page's modules. Python can listen
   only to events whose names stand here in quotes: "step_select", "opened", "open_lane", "open_tab". */

import(document.getElementById("logitspec-page").src).then((page) =>
  page.mount({ element, trigger, props, server, watch }),
);
