/** Splits one command into tokens with their positions, so that the text between them can be kept. */

export interface Token {
  readonly text: string
  readonly from: number
  readonly to: number
}

/** A parenthesis, a quoted string, or an atom. A section such as `[HEADER.FIELDS (DATE)]<0.10>` is part of its atom. */
const token =
  /[()]|"(?:[^"\\\r\n\0]|\\["\\])*"|[^\s"(){}\\[\]]+(?:\[[^\]"{}\r\n]*\](?:<[\d.]+>)?)?|\\[^\s"(){}\\[\]]+/y

/** Longer texts are not parsed. */
const textMax = 8192

/**
 * The tokens of a text without line end. Undefined: the text is too long, or has a literal or unknown syntax.
 */
export function tokensOf(text: string): Token[] | undefined {
  if (text.length > textMax) return undefined
  const tokens: Token[] = []
  let depth = 0
  let at = 0
  while (at < text.length) {
    if (text[at] === ' ') {
      at++
      continue
    }
    token.lastIndex = at
    const found = token.exec(text)?.[0]
    if (found === undefined) return undefined
    if (found === '(') depth++
    if (found === ')' && --depth < 0) return undefined
    tokens.push({ text: found, from: at, to: at + found.length })
    at += found.length
  }
  return depth === 0 ? tokens : undefined
}

/** The tokens of the list that begins at `open`, and the index after its end. Undefined: there is no flat list. */
export function flatList(
  tokens: readonly Token[],
  open: number,
): { items: Token[]; next: number } | undefined {
  if (tokens[open]?.text !== '(') return undefined
  const close = tokens.findIndex(({ text }, index) => index > open && (text === ')' || text === '('))
  if (close < 0 || tokens[close]!.text !== ')') return undefined
  return { items: tokens.slice(open + 1, close), next: close + 1 }
}

/** A mailbox name as servers compare it: without quotes, and INBOX in upper case (RFC 9051 5.1). */
export function mailboxName(text: string): string {
  const name = text.startsWith('"') ? text.slice(1, -1).replaceAll(/\\(["\\])/g, '$1') : text
  return name.toUpperCase() === 'INBOX' ? 'INBOX' : name
}

/** Whether two names may mean the same mailbox: some servers change case, or omit a separator at the end. */
export const isSameName = (one: string, other: string): boolean => comparable(one) === comparable(other)

const comparable = (name: string): string => name.toUpperCase().replace(/[./]$/, '')
