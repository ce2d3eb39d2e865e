/** Where the arrow keys lead on a chart. */

const leap = 10

/** Index of the value to look at; undefined for a key that leads nowhere. `at`: where one is, if anywhere. */
export function nextPlace(
  key: string,
  isFast: boolean,
  at: number | undefined,
  last: number,
): number | undefined {
  if (key === 'Home') return 0
  if (key === 'End') return last
  if (key !== 'ArrowLeft' && key !== 'ArrowRight') return undefined
  // From outside one comes in at the end that is nearest to now.
  if (at === undefined) return last
  const step = (key === 'ArrowLeft' ? -1 : 1) * (isFast ? leap : 1)
  return Math.min(last, Math.max(0, at + step))
}
