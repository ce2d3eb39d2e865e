/** What a rule about the keys of a section reports, and the rule that most sections need. */

/**
 * A section, or one entry of it, with its defaults filled in. Rules also run if single values are wrong, so a value may
 * have any type.
 */
export type UncheckedSection = Readonly<Record<string, unknown>>

export interface Contradiction {
  /** Relative to the section or entry. */
  path: (string | number)[]
  /** Continues a sentence that begins with the key: `needs certFile as well`. */
  message: string
}

export const contradiction = (key: string, message: string): Contradiction => ({ path: [key], message })

/** These keys are set together or not at all. */
export function allOrNone(section: UncheckedSection, keys: readonly string[]): Contradiction[] {
  const present = keys.find((key) => section[key])
  const missing = keys.filter((key) => !section[key])
  if (present === undefined || missing.length === 0) return []
  return [contradiction(present, `needs ${missing.join(' and ')} as well`)]
}
