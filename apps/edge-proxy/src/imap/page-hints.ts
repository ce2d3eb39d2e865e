/**
 * Hints about a page that a webmail sends in its ID (RFC 2971): the kind of the page in `x-page`, other parameters in fields such
 * as `x-page-uid`. They are only used to select questions. Invalid values are ignored.
 */
import type { IdPairs } from './id.ts'

const prefix = /^x-page(?:-(mailbox|uid|search|number))?$/i
const valueBytesMax = 200

const forms: Readonly<Record<string, RegExp>> = {
  page: /^[a-z][a-z-]{0,23}$/,
  uid: /^[1-9]\d{0,9}$/,
  number: /^[1-9]\d{0,4}$/,
}

/** The hints by name: `page`, `mailbox`, `uid`, `search`, `number`. Words are in the form of command arguments. */
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

/** An ID without these fields, which are for the edge. Undefined: no field is left. */
export function withoutPageHints(pairs: IdPairs): IdPairs | undefined {
  const rest = pairs.filter(([field]) => !prefix.test(field))
  return rest.length === 0 && pairs.length > 0 ? undefined : rest
}

/** An atom if possible, otherwise a quoted string, like the arguments of webmails' commands. */
function wordOf(value: string): string {
  return /^[^\x00-\x20"%()*[\\\]{}\x7f-\xff]+$/.test(value)
    ? value
    : `"${value.replaceAll(/["\\]/g, '\\$&')}"`
}
