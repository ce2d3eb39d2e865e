/** Splits one FETCH response into items, so that a client can get only some of them. */
import { isSpecific, itemKey } from './answers.ts'

interface Item {
  /** Normalized by `itemKey`. */
  readonly key: string
  readonly name: string
  /** The range of bytes of its value. */
  readonly from: number
  readonly to: number
  /** False: the value may be longer than the requested range. */
  readonly isWhole: boolean
}

interface Items {
  /** `* 12 FETCH (` */
  readonly head: Buffer
  readonly items: readonly Item[]
}

/**
 * A response with only these items of another response, and with the items that servers add to any FETCH response.
 * @param response a complete response
 * @param keys normalized by `itemKey`
 * @param bytesMax how many bytes of each part were requested (RFC 9051 6.4.5); undefined: all
 * @returns undefined if an item is missing or incomplete, or if the response cannot be parsed
 */
export function withItems(
  response: Buffer,
  keys: ReadonlySet<string>,
  bytesMax?: number,
): Buffer | undefined {
  const all = itemsOf(response, bytesMax)
  const found = new Set(all?.items.map(({ key }) => key))
  if (all === undefined || found.size !== all.items.length || !found.has('UID')) return undefined
  const whole = new Set(all.items.filter(({ isWhole }) => isWhole).map(({ key }) => key))
  for (const key of keys) if (!whole.has(key)) return undefined
  const chosen = all.items
    .filter(({ key }) => !isSpecific(key) || keys.has(key))
    .flatMap(({ name, from, to }, index) => [
      Buffer.from(`${index === 0 ? '' : ' '}${name} `),
      response.subarray(from, to),
    ])
  return Buffer.concat([all.head, ...chosen, lastBytes])
}

const lastBytes = Buffer.from(')\r\n')

/** An item name, such as `BODY[1]<0>`: a part from its first byte on. */
const itemName = /^([A-Za-z0-9.]+(?:\[[A-Za-z0-9.]*\])?)(<0>)? /

function itemsOf(response: Buffer, bytesMax: number | undefined): Items | undefined {
  const head = /^\* \d{1,10} FETCH \(/i.exec(response.toString('latin1', 0, 40))?.[0]
  if (head === undefined) return undefined
  const items: Item[] = []
  let at = head.length
  for (;;) {
    const [text, name = '', partial] = itemName.exec(response.toString('latin1', at, at + 200)) ?? []
    const from = at + (text?.length ?? 0)
    const to = text === undefined ? undefined : valueEnd(response, from)
    if (to === undefined) return undefined
    const isWhole = partial === undefined || to - from < (bytesMax ?? 0)
    items.push({ key: itemKey(name), name, from, to, isWhole })
    if (response.subarray(to).equals(lastBytes)) return { head: response.subarray(0, head.length), items }
    if (response[to] !== 32) return undefined
    at = to + 1
  }
}

/** The index after a number, NIL, a quoted string, a literal, or a list of flags. Undefined for any other value. */
function valueEnd(bytes: Buffer, at: number): number | undefined {
  const start = bytes.toString('latin1', at, at + 1000)
  const literal = /^~?\{(\d{1,9})\}\r\n/.exec(start)
  if (literal) {
    const end = at + literal[0].length + Number(literal[1])
    return end < bytes.length ? end : undefined
  }
  const atom = /^(?:\d{1,10}|NIL|\([^()"{}\r\n]*\))(?=[ )])/i.exec(start)
  if (atom) return at + atom[0].length
  if (start[0] !== '"') return undefined
  for (let index = at + 1; index < bytes.length; index++) {
    if (bytes[index] === 92) index++
    else if (bytes[index] === 34) return index + 1
    else if (bytes[index] === 13) return undefined
  }
  return undefined
}
