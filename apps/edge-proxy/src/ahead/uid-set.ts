/** Sets of UIDs as commands and responses write them (RFC 9051 sequence-set): `1:5,9`. */

/** Ranges, in the order of the text. */
export type UidSet = readonly (readonly [first: number, last: number])[]

const uidMax = 2 ** 32 - 1

/** Undefined: not a set, or a set with `*` or `$`, whose meaning changes with time. */
export function parseUidSet(text: string): UidSet | undefined {
  if (!/^\d+(?::\d+)?(?:,\d+(?::\d+)?)*$/.test(text)) return undefined
  const ranges = text.split(',').map((part): [number, number] => {
    const [first = 0, last = first] = part.split(':').map(Number)
    return first <= last ? [first, last] : [last, first]
  })
  return ranges.every(([first, last]) => first > 0 && last <= uidMax) ? ranges : undefined
}

export const uidCount = (set: UidSet): number =>
  set.reduce((count, [first, last]) => count + last - first + 1, 0)

export const includesUid = (set: UidSet, uid: number): boolean =>
  set.some(([first, last]) => first <= uid && uid <= last)

export const overlap = (one: UidSet, other: UidSet): boolean =>
  one.some(([first, last]) => other.some(([from, to]) => first <= to && from <= last))

/** All UIDs, in the order of the set. Undefined: more than `max`. */
export function uidsOf(set: UidSet, max: number): number[] | undefined {
  if (uidCount(set) > max) return undefined
  const uids: number[] = []
  for (const [first, last] of set) for (let uid = first; uid <= last; uid++) uids.push(uid)
  return uids
}

/** A set in ascending order with joined ranges, as webmails send it. Undefined: there are no UIDs. */
export function printUidSet(uids: readonly number[]): string | undefined {
  const sorted = [...uids].sort((one, other) => one - other)
  const parts: string[] = []
  for (let at = 0; at < sorted.length;) {
    let end = at
    while (end + 1 < sorted.length && sorted[end + 1]! <= sorted[end]! + 1) end++
    parts.push(sorted[at] === sorted[end] ? `${sorted[at]}` : `${sorted[at]}:${sorted[end]}`)
    at = end + 1
  }
  return parts.length > 0 ? parts.join(',') : undefined
}
