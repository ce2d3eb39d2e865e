/** Makes text from outside safe for one line of a reply, a log or a trace: no control characters, at most `charactersMax`. */
export function oneLine(text: string, charactersMax = 200): string {
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, '?').slice(0, charactersMax)
}
