/* The Tab key in Gradio's drop-downs. They take it for typing, and open the list again over what comes next. And a list
   that scrolls would be the next stop, but goes away when its field loses the focus, which would then be nowhere. */

export function tendDropDowns() {
  addEventListener("keydown", leave, { capture: true });
}

/** @param {KeyboardEvent} event */
function leave(event) {
  const { key, target } = event;
  if (key !== "Tab" || !(target instanceof Element && target.matches("input[role=combobox]"))) return;
  event.stopPropagation();
  for (const list of document.querySelectorAll("[role=listbox]")) list.setAttribute("tabindex", "-1");
}
