/** A session has the same colour everywhere. Two simultaneous sessions usually differ. */

/** As many as there are `--series-` colours in tokens.css. */
const colours = 8

/** From 1. Sessions are numbered within an edge, so consecutive ones differ. */
export function sessionColour(session: string): number {
  let sum = 0
  for (const character of session) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521
  return (sum % colours) + 1
}
