/**
 * For tests: the ways in which the network may deliver the same bytes. What reads a stream must not be able to tell them
 * apart.
 */

/** Bytes as they are written in a test: one character, one byte. */
export const wire = (text: string): Buffer => Buffer.from(text, 'latin1')

/** The bytes whole, byte by byte, and in two at every place. */
export function* everyCut(bytes: Buffer): IterableIterator<Buffer[]> {
  yield [bytes]
  yield Array.from(bytes, (_, index) => bytes.subarray(index, index + 1))
  for (let at = 1; at < bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)]
}

/** The bytes cut at these places, given as shares of 0 to 1: what a generator of random cuts needs. */
export function cutAt(bytes: Buffer, shares: readonly number[]): Buffer[] {
  const places = [0, ...shares.map((share) => Math.floor(share * bytes.length)).sort((a, b) => a - b)]
  return places
    .map((place, index) => bytes.subarray(place, places[index + 1] ?? bytes.length))
    .filter((chunk) => chunk.length > 0)
}

/** Text that looks like protocol: every mark that a reader of IMAP gives a meaning to, in any order. */
export const marks = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '* ',
  '+ ',
  'a1 OK done',
  'a1 LOGOUT',
  'OK',
  'BYE',
  '{5}',
  '{5+}',
  '~{3}',
  '{0}',
  '{',
  '}',
  '"',
  '\\',
  '(',
  ')',
  'NIL',
  '\xff',
  'FETCH',
  '9',
] as const
