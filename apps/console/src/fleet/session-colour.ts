/** The same session has the same colour wherever it is read; two at the same time mostly have two. */

/** As many as there are `--series-` colours in tokens.css. */
const colours = 8

/** From 1. Sessions are numbered within an edge, so that those beside each other differ. */
export function sessionColour(session: string): number {
  let sum = 0
  for (const character of session) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521
  return (sum % colours) + 1
}
