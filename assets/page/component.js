/* What Gradio runs in each view of the page: it hands the view over to the page's modules. Python can listen
   only to events whose names are quoted here: "step_select", "opened", "open_lane", "open_tab". */

import(document.getElementById("logitspec-page").src).then((page) =>
  page.mount({ element, trigger, props, server, watch }),
);
