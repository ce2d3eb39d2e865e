/** Encodes strings as IMAP arguments: an atom or a quoted string if that is exact, otherwise a literal. */

const atom = /^[A-Za-z0-9!#$&'+,\-./:;<=>?@^_`|~]+$/
const quotable = /^[\x20-\x7e]*$/

/** An encoded argument. A literal has to wait for the server's `+`, unless the server has LITERAL+. */
export type Encoded = { kind: 'inline'; text: string } | { kind: 'literal'; bytes: Buffer }

/** The caller must refuse NUL, which only a literal8 may hold. */
export function encodeString(bytes: Buffer): Encoded {
  const text = bytes.toString('latin1')
  if (atom.test(text) && text.toUpperCase() !== 'NIL') return { kind: 'inline', text }
  if (quotable.test(text))
    return { kind: 'inline', text: `"${text.replaceAll(/["\\]/g, (special) => `\\${special}`)}"` }
  return { kind: 'literal', bytes }
}
