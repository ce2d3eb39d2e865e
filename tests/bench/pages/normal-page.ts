/** A page without what differs between two equal sessions: names, tokens, addresses, times, sizes that depend on them. */
import { createHash } from 'node:crypto'

const keptBytes = 1_000_000

export interface SessionTexts {
  user: string
  url: string
  secrets: readonly string[]
}

export function normalPage(text: string, { user, url, secrets }: SessionTexts): string {
  let normal = text.replaceAll(url, 'URL').replaceAll(user, 'USER')
  for (const secret of secrets) normal = normal.replaceAll(secret, 'SECRET')
  for (const [pattern, name] of changing) normal = normal.replaceAll(pattern, name)
  if (normal.length <= keptBytes) return normal
  return `${normal.length} bytes, SHA-256 ${createHash('sha256').update(normal).digest('hex')}`
}

const changing: [RegExp, string][] = [
  [/Today \d\d:\d\d/g, 'Today TIME'],
  [/"compose_id":"\w+"/g, '"compose_id":"ID"'],
  // The identity of a user, whose numbers follow the order of first logins.
  [/(?<="identities":\{"|<option value=")\d+(?=":\{"email|" selected>USER)/g, 'NUMBER'],
  [/(_id(?:=|" value="|":"))\w{10,}/g, '$1ID'],
]

/** The first page that differs, or is missing on one side. */
export function firstDifference<P extends { what: string; text: string }>(
  ours: readonly P[],
  reference: readonly P[],
): { ours: P | undefined; reference: P | undefined; at: number } | undefined {
  for (let at = 0; at < Math.max(ours.length, reference.length); at++) {
    const [our, theirs] = [ours[at], reference[at]]
    if (our?.what !== theirs?.what || our?.text !== theirs?.text) return { ours: our, reference: theirs, at }
  }
  return undefined
}
