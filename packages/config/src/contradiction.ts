/** Keys that contradict one another: how a section reports them, and the rule that most sections need. */

/**
 * A section, or one entry of it, with its defaults filled in. It may hold mistakes: contradictions are reported together
 * with wrong single values, so a rule must not rely on any value having its type.
 */
export type Unchecked = Readonly<Record<string, unknown>>

export interface Contradiction {
  /** Below the section or entry that was looked at. */
  path: (string | number)[]
  /** Continues a sentence that begins with the key: `needs certFile as well`. */
  message: string
}

export const contradiction = (key: string, message: string): Contradiction => ({ path: [key], message })

/** These keys are set together or not at all. */
export function allOrNone(section: Unchecked, keys: readonly string[]): Contradiction[] {
  const present = keys.find((key) => section[key])
  const missing = keys.filter((key) => !section[key])
  if (present === undefined || missing.length === 0) return []
  return [contradiction(present, `needs ${missing.join(' and ')} as well`)]
}
