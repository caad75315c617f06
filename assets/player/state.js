/* What a player is in, and what follows from it without a look at the page. */

export const stepCount = (state) => (state.trace ? state.trace.steps.length : 0);

export function stateName({ error, expecting, trace, live, follow, playing }) {
  if (error !== null) return "error";
  if (expecting) return "running";
  if (!trace) return "idle";
  if (!live) return "done";
  return follow && !playing ? "running" : "paused";
}
