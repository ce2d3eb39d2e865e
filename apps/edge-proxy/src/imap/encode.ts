/** Strings as IMAP arguments: an atom or quoted where that is exact, else a literal. */

const atom = /^[A-Za-z0-9!#$&'+,\-./:;<=>?@^_`|~]+$/
const quotable = /^[\x20-\x7e]*$/

/** How an argument goes over the wire; a literal has to wait for the server's `+` unless LITERAL+ is offered. */
export type Encoded = { kind: 'inline'; text: string } | { kind: 'literal'; bytes: Buffer }

/** NUL can be in no string but a literal8; the caller must have refused it. */
export function encodeString(bytes: Buffer): Encoded {
  const text = bytes.toString('latin1')
  if (atom.test(text) && text.toUpperCase() !== 'NIL') return { kind: 'inline', text }
  if (quotable.test(text))
    return { kind: 'inline', text: `"${text.replaceAll(/["\\]/g, (special) => `\\${special}`)}"` }
  return { kind: 'literal', bytes }
}
