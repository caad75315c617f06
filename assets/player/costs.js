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

/**
 * Milliseconds of a forward over a number of rows, as `ForwardCosts.at` has them: linear between the measured ones, or padded to the
 * next.
 * @param {NonNullable<Environment["forward_costs"]>} costs
 * @param {number} rows
 */
export function millisecondsOf({ rows: sizes, milliseconds, padded = false }, rows) {
  const above = Math.max(0, sizes.findIndex((size) => size >= rows));
  if (padded || above === 0) return milliseconds[above];
  const share = (rows - sizes[above - 1]) / (sizes[above] - sizes[above - 1]);
  return milliseconds[above - 1] + share * (milliseconds[above] - milliseconds[above - 1]);
}

/** @param {unknown} list */
const isNumbers = (list) => Array.isArray(list) && list.every((each) => Number.isFinite(each) && each > 0);
