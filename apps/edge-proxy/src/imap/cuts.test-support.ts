/**
 * For tests: the ways in which the network may cut the same bytes into chunks. A scanner must give the same result for
 * each of them.
 */

/** The bytes of a text, one per character. */
export const wire = (text: string): Buffer => Buffer.from(text, 'latin1')

/** The bytes whole, byte by byte, and cut in two at every position. */
export function* everyCut(bytes: Buffer): IterableIterator<Buffer[]> {
  yield [bytes]
  yield Array.from(bytes, (_, index) => bytes.subarray(index, index + 1))
  for (let at = 1; at < bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)]
}

/** Cuts the bytes at these positions, which are fractions from 0 to 1. */
export function cutAt(bytes: Buffer, shares: readonly number[]): Buffer[] {
  const places = [0, ...shares.map((share) => Math.floor(share * bytes.length)).sort((a, b) => a - b)]
  return places
    .map((place, index) => bytes.subarray(place, places[index + 1] ?? bytes.length))
    .filter((chunk) => chunk.length > 0)
}

/** Pieces of text that have a meaning in IMAP, to be joined in any order. */
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
