/* The detail line: what is pointed at, where it came from, what became of it. */

/**
 * @param {{text: object}} panels those that point back at sources
 */
function createDetail({ text }) {
  const element = el("div", { class: "ls-detail" });
  return { element, paint: (frame) => paintDetail(element, text, frame) };
}

/** The detail line and the marks of the sources: of what is pointed at, else of the accepted path. */
function paintDetail(element, text, frame) {
  const { trace, cursor, step } = frame;
  if (!step) {
    setText(element, "");
    return text.mark([]);
  }
  const target = pointedNode(frame);
  const nodes = target ? [target.node] : step.row.path;
  const of = target ? target.step : step;
  const sources = nodes.map((node) => sourceOf(of, node)).filter((source) => source !== null);
  text.mark(sources);
  let words = target ? nodeSentence(trace, target.step, target.node) : restSentence(trace, cursor);
  if (sources.length && !text.inView(sources[0].from)) {
    words = `${words.replace(/\.$/, "")}. The source: ${sourceExcerpt(trace, sources[0])}`;
  }
  setText(element, words);
}

/** Step and node that the pointer or the focus is on; null for none and for the prompt. */
function pointedNode({ trace, cursor, pointed }) {
  if (!pointed) return null;
  const step = trace.steps[cursor - 1];
  if ("node" in pointed) return { step, node: pointed.node };
  if ("rank" in pointed) return rankNode(step, pointed.rank);
  const number = trace.stepOf[pointed.position];
  return number ? { step: trace.steps[number - 1], node: trace.nodeOf[pointed.position] } : null;
}

/** The node that a rank of the last logits became: the root, or a runner-up; null for a rank not drafted. */
function rankNode(step, rank) {
  if (step.row.last.ids[rank] === step.row.tokens[0]) return { step, node: 0 };
  const node = step.origins.findIndex((each) => each.origin === "logit" && each.rank === rank);
  return node < 0 ? null : { step, node };
}
