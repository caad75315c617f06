/* The text so far: one span a token. Moving the cursor adds or removes spans, it redraws none. */

/**
 * @param {{point: function({position: number}|null), pick: function(number)}} on told the position
 *   that is pointed at, and the step of a token that was clicked
 */
function createTextPanel(on) {
  const view = panel("text", "Text so far");
  setAttributes(view.body, { tabindex: 0, role: "group", "aria-label": "Prompt and output" });
  const state = { trace: null, spans: [], marked: [], current: [0, 0] };
  listenToTokens(view.body, on);
  return {
    element: view.element,
    paint: (frame) => paintText(view, state, frame),
    mark: (sources) => markSources(state, sources),
    inView: (position) => isInView(view.body, state.spans[position]),
  };
}

function listenToTokens(body, on) {
  const positionOf = (event) => {
    const span = event.target.closest("[data-token]");
    return span ? { position: Number(span.dataset.token) } : null;
  };
  body.addEventListener("pointerover", (event) => on.point(positionOf(event)));
  body.addEventListener("pointerleave", () => on.point(null));
  body.addEventListener("click", (event) => {
    const span = event.target.closest("[data-token]");
    const selecting = !document.getSelection().isCollapsed;
    if (span && Number(span.dataset.step) > 0 && !selecting) on.pick(Number(span.dataset.step));
  });
}

function paintText(view, state, { trace, visible, previous }) {
  if (state.trace !== trace) dropChanged(state, trace);
  const old = state.spans.length;
  while (state.spans.length > visible) state.spans.pop().remove();
  if (!trace) return setText(view.note, "");
  state.marked = state.marked.filter((span) => span.isConnected);
  const from = Math.min(old, visible);
  addSpans(view.body, state, visible);
  fillSpans(state, firstToFill(trace, from), visible);
  showCurrent(state, previous, visible);
  if (old !== visible) view.body.scrollTop = view.body.scrollHeight;
  setText(view.note, `${trace.promptLength} prompt + ${visible - trace.promptLength} new tokens`);
}

/** Another trace: what it shares with the old one from the start on can stay. */
function dropChanged(state, trace) {
  const same = (position) =>
    state.trace.ids[position] === trace.ids[position] &&
    originAt(state.trace, position) === originAt(trace, position) &&
    state.trace.stepOf[position] === trace.stepOf[position];
  let kept = 0;
  if (trace && state.trace && state.trace.run === trace.run) {
    while (kept < Math.min(state.spans.length, trace.ids.length) && same(kept)) kept += 1;
  }
  while (state.spans.length > kept) state.spans.pop().remove();
  state.trace = trace;
}

function addSpans(body, state, visible) {
  const added = document.createDocumentFragment();
  for (let position = state.spans.length; position < visible; position += 1) {
    const span = tokenSpan(state.trace, position);
    state.spans.push(span);
    added.append(span);
  }
  body.append(added);
}

function tokenSpan(trace, position) {
  return el("span", {
    class: "ls-token",
    "data-token": position,
    "data-id": trace.ids[position],
    "data-origin": originAt(trace, position),
    "data-step": trace.stepOf[position],
  });
}

// A character that the border between shown and hidden tokens cuts is spelt anew: whole or as hex.
function firstToFill(trace, from) {
  const border = Math.min(from, trace.ids.length - 1);
  return border < 0 ? 0 : Math.min(from, trace.groupOf[border]);
}

function fillSpans(state, from, visible) {
  const { trace, spans } = state;
  for (let start = from; start < visible; ) {
    let end = start + 1;
    while (end < visible && trace.groupOf[end] === trace.groupOf[start]) end += 1;
    const spelt = spellSequence(trace, start, end);
    spelt.forEach((segments, offset) => {
      fillToken(spans[start + offset], segments, false);
      spans[start + offset].classList.toggle("ls-continued", segments.length === 0);
    });
    start = end;
  }
}

/** Sets the tokens of the step at the cursor apart. */
function showCurrent(state, start, end) {
  for (const span of state.spans.slice(...state.current)) span.classList.remove("ls-now");
  for (const span of state.spans.slice(start, end)) span.classList.add("ls-now");
  state.current = [start, end];
}

/** Highlights where tokens were copied from: the copy and the n-gram before it. */
function markSources(state, sources) {
  for (const span of state.marked) span.removeAttribute("data-source");
  state.marked = [];
  const mark = (position, kind) => {
    const span = state.spans[position];
    if (!span || span.dataset.source === "copy") return;
    span.dataset.source = kind;
    state.marked.push(span);
  };
  for (const { from, match } of sources) {
    mark(from, "copy");
    for (let position = match[0]; position < match[1]; position += 1) mark(position, "match");
  }
}

function isInView(body, span) {
  if (!span) return false;
  const outer = body.getBoundingClientRect();
  const inner = span.getBoundingClientRect();
  return inner.bottom > outer.top && inner.top < outer.bottom;
}
