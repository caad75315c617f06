/* The spotlight: dims the page except for a circle at the pointer, or at the element with the focus. */

/**
 * @param {HTMLElement} light the element that dims
 */
export function createSpotlight(light) {
  /** @param {number} x @param {number} y */
  const move = (x, y) => {
    light.style.setProperty("--lp-x", x + "px");
    light.style.setProperty("--lp-y", y + "px");
  };
  /** @param {PointerEvent} event */
  const follow = ({ clientX, clientY }) => move(clientX, clientY);
  /** @param {FocusEvent} event */
  const jump = ({ target }) => {
    const box = /** @type {Element} */ (target).getBoundingClientRect();
    if (box.width < innerWidth / 2) move(box.left + box.width / 2, box.top + box.height / 2);
  };
  return {
    isOn: () => !light.hidden,
    /** @param {boolean} on */
    set(on) {
      light.hidden = !on;
      const act = on ? addEventListener : removeEventListener;
      if (on && !light.style.getPropertyValue("--lp-x")) move(innerWidth / 2, innerHeight / 2);
      act("pointermove", /** @type {any} */ (follow));
      act("focusin", /** @type {any} */ (jump));
    },
  };
}
