/** Keyboard navigation in a chart. */

const leap = 10

/** Index of the value to show; undefined for other keys. `at`: the present index, if any. */
export function nextPlace(
  key: string,
  isFast: boolean,
  at: number | undefined,
  last: number,
): number | undefined {
  if (key === 'Home') return 0
  if (key === 'End') return last
  if (key !== 'ArrowLeft' && key !== 'ArrowRight') return undefined
  // The first key press selects the end that is nearest to now.
  if (at === undefined) return last
  const step = (key === 'ArrowLeft' ? -1 : 1) * (isFast ? leap : 1)
  return Math.min(last, Math.max(0, at + step))
}
