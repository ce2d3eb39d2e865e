/** The header If-Match (RFC 9110, section 13.1.1). */
import { ServiceError } from '../errors.ts'

const tag = String.raw`(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"`
const list = new RegExp(`^[ \t,]*${tag}(?:[ \t]*,[ \t,]*${tag})*[ \t,]*$`)

/**
 * The entity tags that a strong comparison can match, without their quotes. Weak tags never match, so they are left out.
 * Undefined: without the header, and for `*`, every state will do.
 */
export function strongTagsOf(ifMatch: string | undefined): string[] | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined
  if (!list.test(ifMatch))
    throw new ServiceError(
      'request_invalid',
      'If-Match must be * or a list of ETags, such as "17": send the ETag of the answer that the change is based on.',
    )
  const tags = ifMatch.match(new RegExp(tag, 'g')) ?? []
  return tags.filter((each) => !each.startsWith('W/')).map((each) => each.slice(1, -1))
}
