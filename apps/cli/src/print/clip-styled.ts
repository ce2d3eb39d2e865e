/** Shortens a line with colours: escape sequences have no width, and are never cut. */
import stringWidth from 'string-width'

const escape = '\x1b'
const sequences = new RegExp(`(${escape}\\[[0-9;]*m)`)

export function clipStyled(line: string, width: number): string {
  if (stringWidth(line) <= width) return line
  let kept = ''
  let room = width - 1
  for (const piece of line.split(sequences)) {
    if (sequences.test(piece)) {
      kept += piece
      continue
    }
    for (const { segment } of new Intl.Segmenter().segment(piece)) {
      const next = stringWidth(segment)
      if (next > room) room = -1
      if (room < 0) break
      kept += segment
      room -= next
    }
  }
  return `${kept}…`
}
