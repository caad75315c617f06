/* Keys that Gradio's drop-downs take for typing, for which they open the list again, even over what Tab has gone to.
   And a list that scrolls would be the next stop, but goes away when its field loses the focus, which would then be
   nowhere. */

const NOT_TYPED = /^(Tab|Shift|Control|Alt|Meta)$/;

export function tendDropDowns() {
  addEventListener("keydown", leave, { capture: true });
}

/** @param {KeyboardEvent} event */
function leave(event) {
  const { key, target } = event;
  if (!NOT_TYPED.test(key) || !(target instanceof Element && target.matches("input[role=combobox]"))) return;
  event.stopPropagation();
  for (const list of document.querySelectorAll("[role=listbox]")) list.setAttribute("tabindex", "-1");
}
