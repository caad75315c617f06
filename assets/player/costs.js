/* What forwards cost where a run was recorded. A file's environment may hold anything. */

/** @import { Environment } from "./types.js" */

/**
 * Milliseconds of forwards over some numbers of rows, the fewest first; none where the file doesn't say them.
 * @param {Environment | undefined} environment
 */
export function forwardCosts(environment) {
  const costs = environment && environment.forward_costs;
  if (!costs || !isNumbers(costs.rows) || !isNumbers(costs.milliseconds)) return undefined;
  return costs.rows.length === costs.milliseconds.length && costs.rows.length > 1 ? costs : undefined;
}

/** @param {unknown} list */
const isNumbers = (list) => Array.isArray(list) && list.every((each) => Number.isFinite(each) && each > 0);
