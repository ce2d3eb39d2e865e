/**
 * A full-screen display: redrawn without flicker and when the window changes. The terminal is restored at the end.
 * `q` and Ctrl-C quit.
 */
import cliTruncate from 'cli-truncate'
import type { Streams } from '../shell.ts'

const enter = '\x1b[?1049h\x1b[?25l'
const leave = '\x1b[?25h\x1b[?1049l'
const home = '\x1b[H'
const clearLine = '\x1b[K'
const clearBelow = '\x1b[J'

export interface Screen {
  /** Draws the picture now, and again whenever the window changes. */
  draw(picture: () => readonly string[]): void
  close(): void
}

/** `quit` is called when the operator quits, `onKey` for every other key. */
export function openScreen(
  streams: Pick<Streams, 'stdin' | 'stdout'>,
  quit: () => void,
  onKey: (key: string) => void = () => {},
): Screen {
  const { stdin, stdout } = streams
  let shown: () => readonly string[] = () => []
  const paint = () => {
    const lines = shown().slice(0, Math.max(1, stdout.rows - 1))
    const text = lines.map((line) => `${cliTruncate(line, stdout.columns)}${clearLine}\n`).join('')
    stdout.write(`${home}${text}${clearBelow}`)
  }
  const onTyped = (typed: Buffer) => {
    const text = typed.toString('latin1')
    // In raw mode Ctrl-C is a normal byte.
    if (text.includes('q') || text.includes('Q') || text.includes('\x03') || text.includes('\x04'))
      return quit()
    for (const key of text) onKey(key)
    paint()
  }

  if (stdin.isTTY) {
    stdin.setRawMode(true)
    stdin.on('data', onTyped)
  }
  stdout.on('resize', paint)
  stdout.write(enter)
  return {
    draw: (picture) => {
      shown = picture
      paint()
    },
    close: () => {
      stdout.off('resize', paint)
      stdout.write(leave)
      if (!stdin.isTTY) return
      stdin.off('data', onTyped)
      stdin.setRawMode(false)
      stdin.pause()
    },
  }
}
