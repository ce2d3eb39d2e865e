/**
 * Parameters of a page that a webmail sends in its ID (RFC 2971): the kind of the page in `x-page`, others in fields such as
 * `x-page-uid`. They only choose what is asked ahead. A value that is not understood is no hint.
 */
import type { IdPairs } from './id.ts'

const prefix = /^x-page(?:-(mailbox|uid|search|number))?$/i
const valueBytesMax = 200

const forms: Readonly<Record<string, RegExp>> = {
  page: /^[a-z][a-z-]{0,23}$/,
  uid: /^[1-9]\d{0,9}$/,
  number: /^[1-9]\d{0,4}$/,
}

/** By name: `page`, `mailbox`, `uid`, `search`, `number`. Words are in the form in which a command has them. */
export function pageHintsIn(ids: readonly IdPairs[]): Map<string, string> {
  const hints = new Map<string, string>()
  for (const [field, value] of ids.flat()) {
    const found = prefix.exec(field)
    if (!found || value === undefined || value === '' || value.length > valueBytesMax) continue
    const name = found[1]?.toLowerCase() ?? 'page'
    const form = forms[name]
    if (form?.test(value) === false) continue
    hints.set(name, form ? value : wordOf(value))
  }
  return hints
}

/** An ID without these fields, which are for the edge. Undefined: nothing is left. */
export function withoutPageHints(pairs: IdPairs): IdPairs | undefined {
  const rest = pairs.filter(([field]) => !prefix.test(field))
  return rest.length === 0 && pairs.length > 0 ? undefined : rest
}

/** As an atom where that is possible, in quotes otherwise: webmails write the arguments of their commands like this. */
function wordOf(value: string): string {
  return /^[^\x00-\x20"%()*[\\\]{}\x7f-\xff]+$/.test(value)
    ? value
    : `"${value.replaceAll(/["\\]/g, '\\$&')}"`
}
