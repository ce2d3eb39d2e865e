/** Encodes strings as IMAP arguments: as an atom or a quoted string if possible, otherwise as a literal. */

const atom = /^[A-Za-z0-9!#$&'+,\-./:;<=>?@^_`|~]+$/
const quotable = /^[\x20-\x7e]*$/

/** An encoded argument. A literal has to wait for the server's `+`, unless the server has LITERAL+. */
export type Encoded = { kind: 'inline'; text: string } | { kind: 'literal'; bytes: Buffer }

/**
 * @param bytes must not contain NUL, which only literal8 may contain
 * @param inlineMax longest atom or quoted string
 */
export function encodeString(bytes: Buffer, inlineMax = Infinity): Encoded {
  if (bytes.length > inlineMax) return { kind: 'literal', bytes }
  const text = bytes.toString('latin1')
  if (atom.test(text) && text.toUpperCase() !== 'NIL') return { kind: 'inline', text }
  if (quotable.test(text)) return { kind: 'inline', text: encodeQuoted(text) }
  return { kind: 'literal', bytes }
}

/** A quoted string. The text must not contain CR, LF or NUL (RFC 9051 9, QUOTED-CHAR). */
export const encodeQuoted = (text: string): string =>
  `"${text.replaceAll(/["\\]/g, (special) => `\\${special}`)}"`
