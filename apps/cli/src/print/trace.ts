/** Prints a line of a trace: time, edge, session, direction and text, safe for a terminal. */
import { safe, type TraceEvent } from '@imapfleet/api'
import type { Paint, Style } from './colour.ts'
import { clockMs } from './time.ts'

const direction: Readonly<Record<TraceEvent['from'], Style>> = { C: 'cyan', S: 'green', '*': 'dim' }
const edgeStyles: readonly Style[] = ['yellow', 'magenta', 'blue', 'red']

/** `user`: the user of the line, if several are traced. */
export function traceLine(line: TraceEvent, paint: Paint, user?: string): string {
  return [
    paint('dim', clockMs(line.at)),
    paint(edgeStyle(line.edge), safe(line.edge)),
    paint('dim', safe(line.session)),
    ...(user === undefined ? [] : [paint('bold', safe(user))]),
    paint(direction[line.from], `${line.from}: ${safe(line.text)}`),
  ].join(' ')
}

/** An edge always has the same colour. */
function edgeStyle(edge: string): Style {
  const sum = Array.from(edge, (character) => character.codePointAt(0) ?? 0).reduce((a, b) => a + b, 0)
  return edgeStyles[sum % edgeStyles.length] ?? 'yellow'
}
