/** Names in a sentence: the first few, and how many more there are. */

const shownMax = 5

/** `eu-1, eu-2 and 3 more`. */
export function someNames(names: readonly string[]): string {
  // One more name is as short as the number.
  const shown = names.length <= shownMax + 1 ? names : names.slice(0, shownMax)
  const more = names.length - shown.length
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
