/** A line of a trace on a terminal: when, which edge, which session, which direction, and what, made harmless. */
import type { TraceEvent } from '@imapfleet/protocol'
import type { Paint, Style } from './colour.ts'
import { safe } from './safe.ts'
import { clockMs } from './time.ts'

const direction: Readonly<Record<TraceEvent['from'], Style>> = { C: 'cyan', S: 'green', '*': 'dim' }
const edgeStyles: readonly Style[] = ['yellow', 'magenta', 'blue', 'red']

/** `user`: whose it is, where several are shown together. */
export function traceLine(line: TraceEvent, paint: Paint, user?: string): string {
  return [
    paint('dim', clockMs(line.at)),
    paint(edgeStyle(line.edge), safe(line.edge)),
    paint('dim', safe(line.session)),
    ...(user === undefined ? [] : [paint('bold', safe(user))]),
    paint(direction[line.from], `${line.from}: ${safe(line.text)}`),
  ].join(' ')
}

/** The same edge always has the same colour. */
function edgeStyle(edge: string): Style {
  const sum = Array.from(edge, (character) => character.codePointAt(0) ?? 0).reduce((a, b) => a + b, 0)
  return edgeStyles[sum % edgeStyles.length] ?? 'yellow'
}
