/** Suggestions for misspelt words. */

/** The known word closest to `word`; undefined if more than a third of its letters would have to change. */
export function closest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 100) return undefined
  const [best] = known
    .map((candidate) => ({ candidate, changes: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, changes }) => changes <= Math.floor(candidate.length / 3))
    .sort((a, b) => a.changes - b.changes)
  return best?.candidate
}

/** Number of letters to insert, delete, replace or swap with the next one (optimal string alignment distance). */
function distance(a: string, b: string): number {
  let [before, last]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, column) => column)]
  for (let row = 1; row <= a.length; row++) {
    const next = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      next[column] = Math.min(
        last![column]! + 1,
        next[column - 1]! + 1,
        last![column - 1]! + (same ? 0 : 1),
        swapped ? before![column - 2]! + 1 : Infinity,
      )
    }
    ;[before, last] = [last, next]
  }
  return last!.at(-1)!
}
