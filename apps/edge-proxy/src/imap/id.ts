/** ID commands and responses (RFC 2971): parsed in any form, and printed as one line without literals, so without a `+`. */
import { parseArguments, type Argument } from './arguments.ts'
import { encodeQuoted } from './encode.ts'

/** The limits of RFC 2971 3.3. Servers such as Dovecot close the connection if a client exceeds them. */
const pairsMax = 30
const keyBytesMax = 30
const valueBytesMax = 1024

export type IdPairs = [key: string, value: string | undefined][]

/** Parses ID. Undefined: invalid, or cannot be sent in one line. */
export function parseId(command: Buffer, argumentsAt: number): IdPairs | undefined {
  const [list, ...more] = parseArguments(command, argumentsAt) ?? []
  if (!list || more.length > 0) return undefined
  if (list.kind !== 'list') return isNil(list) ? [] : undefined
  if (list.items.length % 2 === 1 || list.items.length > pairsMax * 2) return undefined
  const pairs: IdPairs = []
  for (let index = 0; index < list.items.length; index += 2) {
    const key = text(list.items[index]!, keyBytesMax)
    const item = list.items[index + 1]!
    const value = isNil(item) ? undefined : text(item, valueBytesMax)
    if (key === undefined || (value === undefined && !isNil(item))) return undefined
    pairs.push([key, value])
  }
  return pairs
}

/** Prints the command from its verb, without the line end. */
export function printId(pairs: IdPairs): string {
  if (pairs.length === 0) return 'ID NIL'
  const words = pairs.flatMap(([key, value]) => [
    encodeQuoted(key),
    value === undefined ? 'NIL' : encodeQuoted(value),
  ])
  return `ID (${words.join(' ')})`
}

/**
 * The pairs of an untagged ID response; empty for NIL. Undefined: the response is invalid, or has literals.
 * @param line one character for each byte, with or without the line end
 */
export function parseIdResponse(line: string): IdPairs | undefined {
  return /^\* ID /i.test(line) ? parseId(Buffer.from(line, 'latin1'), '* ID'.length) : undefined
}

/** The pairs that all lists have. */
export function commonPairs(lists: readonly IdPairs[]): IdPairs {
  const [first = [], ...others] = lists
  return first.filter(([key, value]) =>
    others.every((pairs) => pairs.some((pair) => pair[0] === key && pair[1] === value)),
  )
}

/**
 * An ID without the fields in which a proxy names its client. Dovecot accepts the addresses and session names in these fields
 * from a trusted proxy. Undefined: no field is left.
 */
export function withoutClientFields(pairs: IdPairs): IdPairs | undefined {
  const rest = pairs.filter(([key]) => !/^x-(?:originating|connected|proxy|session|forward)-/i.test(key))
  return rest.length === 0 && pairs.length > 0 ? undefined : rest
}

/** The address of the user in an ID. */
export const addressNamedIn = (pairs: IdPairs): string | undefined =>
  pairs.find(([key]) => key.toLowerCase() === 'x-originating-ip')?.[1]

const isNil = (argument: Argument): boolean =>
  argument.kind === 'atom' && argument.bytes.toString('latin1').toUpperCase() === 'NIL'

function text(argument: Argument, bytesMax: number): string | undefined {
  if (argument.kind !== 'string' || argument.bytes.length > bytesMax) return undefined
  const value = argument.bytes.toString('latin1')
  return /^[\x20-\x7e\x80-\xff]*$/.test(value) ? value : undefined
}
