/** Facts about one response of a server, read from its bytes without creating a string. */
import { OPEN_BRACKET, SP, startsWithWord, wordEnd } from './bytes.ts'

/**
 * The index of the content of the untagged response at `start`, after `* `. DavMail sends more spaces there, so that clients do
 * not time out while it works.
 */
export function untaggedAt(bytes: Uint8Array, start: number): number {
  let at = start + 2
  while (bytes[at] === SP) at++
  return at
}

/**
 * Whether an untagged response reports a change of the selected mailbox. A FETCH response does only if no unanswered
 * command has asked for it.
 * @param at the index after `* `
 */
export function reportsMailboxChange(bytes: Uint8Array, at: number, isFetchAsked: boolean): boolean {
  let word = at
  while (bytes[word]! >= 48 && bytes[word]! <= 57) word++
  if (word > at) {
    return (
      startsWithWord(bytes, word, ' EXISTS') ||
      startsWithWord(bytes, word, ' EXPUNGE') ||
      startsWithWord(bytes, word, ' RECENT') ||
      (!isFetchAsked && startsWithWord(bytes, word, ' FETCH'))
    )
  }
  return (
    startsWithWord(bytes, at, 'VANISHED') ||
    startsWithWord(bytes, at, 'FLAGS') ||
    startsWithWord(bytes, at, 'OK [')
  )
}

/** Whether a status (`OK`, `NO`, ...) that begins at `at` carries a capability list in its code. */
export function carriesCapabilities(bytes: Uint8Array, at: number, end: number): boolean {
  const code = wordEnd(bytes, at, end) + 1
  return bytes[code] === OPEN_BRACKET && startsWithWord(bytes, code, '[CAPABILITY')
}
