/* The cost of forwards on the machine of a recorded run. A file's environment may hold anything. */

/** @import { Environment } from "./types.js" */

/**
 * Milliseconds of forwards by number of rows, the fewest first; undefined where the file doesn't have them.
 * @param {Environment | undefined} environment
 */
export function forwardCosts(environment) {
  const costs = environment && environment.forward_costs;
  if (!costs || !isNumbers(costs.rows) || !isNumbers(costs.milliseconds)) return undefined;
  return costs.rows.length === costs.milliseconds.length && costs.rows.length > 1 ? costs : undefined;
}

/** @param {unknown} list */
const isNumbers = (list) => Array.isArray(list) && list.every((each) => Number.isFinite(each) && each > 0);
