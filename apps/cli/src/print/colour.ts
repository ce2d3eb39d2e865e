/** Colour, where the stream is a terminal that wants it: not in pipes, not with NO_COLOR (node:util knows the rules). */
import { styleText } from 'node:util'

export type Style = Parameters<typeof styleText>[0]
export type Paint = (style: Style, text: string) => string

export const painterFor =
  (stream: NodeJS.WriteStream): Paint =>
  (style, text) =>
    styleText(style, text, { stream })

/** No colour at all. */
export const plain: Paint = (_style, text) => text
