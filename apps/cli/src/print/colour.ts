/** Colours on terminals that support them; none in pipes, and none with NO_COLOR (node:util knows the rules). */
import { styleText } from 'node:util'

export type Style = Parameters<typeof styleText>[0]
export type Paint = (style: Style, text: string) => string

export const painterFor =
  (stream: NodeJS.WriteStream): Paint =>
  (style, text) =>
    styleText(style, text, { stream })

/** No colours. */
export const plain: Paint = (_style, text) => text
