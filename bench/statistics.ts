/**
 * The value below which the share (0 to 1) of the values lies, by the nearest rank; undefined
 * without values.
 */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** The middle value, or the mean of the two in the middle; undefined without values. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/** How far apart the values lie, as a share of the middle one. */
export function spread(values: readonly number[]): number | undefined {
  const middle = median(values);
  return middle === undefined || middle === 0 ? undefined : (Math.max(...values) - Math.min(...values)) / middle;
}

/** Undefined where either side was not measured. */
export function ratio(value: number | undefined, base: number | undefined): number | undefined {
  return value === undefined || base === undefined || base === 0 ? undefined : value / base;
}
