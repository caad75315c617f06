/* Painting: with the next frame, the attributes last, so that they never run ahead of what is shown. */

/**
 * A function that paints with the next frame, once for many requests, or `now`. Hidden pages get no
 * frames, so a timer stands in for them.
 */
function coalesced(paint) {
  let frame = null;
  let timer = null;
  const run = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = null;
    paint();
  };
  return (now) => {
    if (now) return run();
    if (frame !== null) return;
    frame = requestAnimationFrame(run);
    timer = setTimeout(run, PAINT_DEADLINE);
  };
}

/** To be called after every change of the state; `now` when the viewer made it and waits for it. */
function changed(player, now = false) {
  player.repaint(now);
}

function paintAttributes({ element, state }) {
  element.dataset.steps = String(stepCount(state));
  element.dataset.cursor = String(state.cursor);
  element.dataset.state = stateName(state);
  element.dataset.playing = String(state.playing);
}

function statusText(state, name) {
  if (name === "idle") return "";
  if (state.expecting) return "Starting";
  if (name === "running") return "Live";
  if (name === "paused") return "Live, looking back";
  if (name === "error") return "Error";
  return FINISH_TITLES[state.trace.header.finish] || "Interrupted";
}

function paintPlayer(player) {
  const { view, state } = player;
  const { trace, cursor } = state;
  const name = stateName(state);
  const step = cursor ? trace.steps[cursor - 1] : null;
  showParts(view, state, name);
  view.transport.paint({
    state: name,
    steps: stepCount(state),
    busy: state.playing || name === "running",
    speed: state.speed,
    status: statusText(state, name),
  });
  view.overview.paint(trace, cursor);
  view.counts.paint(trace, cursor);
  view.legend.paint(trace);
  view.text.paint(trace, cursor);
  view.tree.paint(trace, step);
  view.logits.paint(trace, step);
  paintWords(player, step);
  paintDetail(player);
  paintAttributes(player);
}

// Before the panels are painted: what is hidden can't be scrolled.
function showParts(view, state, name) {
  view.idle.hidden = name !== "idle" && !state.expecting;
  setText(view.idle, state.expecting ? EXPECTING_TEXT : IDLE_TEXT);
  view.error.hidden = state.error === null;
  setText(view.error, state.error || "");
  view.panels.hidden = state.trace === null;
}

function paintWords({ view, state }, step) {
  setText(view.summary, step ? stepSentence(state.trace, state.cursor) : "");
  if (state.announce) setText(view.spoken, view.summary.textContent);
  state.announce = false;
}

/** The detail line and the marks of the sources: of what is pointed at, else of the accepted path. */
function paintDetail({ view, state }) {
  const { trace, cursor } = state;
  const step = cursor ? trace.steps[cursor - 1] : null;
  if (!step) {
    setText(view.detail, "");
    return view.text.mark([]);
  }
  const target = pointedNode(state);
  const nodes = target ? [target.node] : step.row.path;
  const of = target ? target.step : step;
  const sources = nodes.map((node) => sourceOf(of, node)).filter((source) => source !== null);
  view.text.mark(sources);
  let words = target ? nodeSentence(trace, target.step, target.node) : restSentence(trace, cursor);
  if (sources.length && !view.text.inView(sources[0].from)) {
    words = `${words.replace(/\.$/, "")}. The source: ${sourceExcerpt(trace, sources[0])}`;
  }
  setText(view.detail, words);
}

/** Step and node that the pointer or the focus is on; null for none and for the prompt. */
function pointedNode({ trace, cursor, pointed }) {
  if (!pointed) return null;
  if ("node" in pointed) return { step: trace.steps[cursor - 1], node: pointed.node };
  const number = trace.stepOf[pointed.position];
  return number ? { step: trace.steps[number - 1], node: trace.nodeOf[pointed.position] } : null;
}
