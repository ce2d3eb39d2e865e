/**
 * Makes text from the network safe for a terminal. Others control user names, trace lines and error texts, so these
 * must not move the cursor, change colours, or reverse the reading direction.
 */

// C0 and C1 controls, DEL, line separators, zero-width marks, and the bidirectional overrides of "trojan source".
const harmful = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu

const named: Readonly<Record<string, string>> = { '\t': '\\t', '\r': '\\r', '\n': '\\n', '\0': '\\0' }

/** The text with every control and direction character escaped, such as `\x1b`. */
export function safe(text: string): string {
  return text.replace(harmful, (character) => named[character] ?? escapeOf(character))
}

/** JSON that is the same data, and safe on a terminal. */
export function safeJson(data: unknown, indent?: number): string {
  const text = JSON.stringify(data, null, indent)
  return text.replace(harmful, (character) => (character === '\n' ? character : jsonEscapeOf(character)))
}

const hex = (character: string, digits: number) => character.charCodeAt(0).toString(16).padStart(digits, '0')
const escapeOf = (character: string) =>
  character.charCodeAt(0) < 0x100 ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`
// JSON.stringify has escaped all characters below U+0020. The remaining newlines are its own indentation.
const jsonEscapeOf = (character: string) => `\\u${hex(character, 4)}`
