/**
 * A full-screen display: redrawn without flicker and when the window changes. The terminal is restored at the end.
 * `q` and Ctrl-C quit.
 */
import cliTruncate from 'cli-truncate'
import type { Streams } from '../shell.ts'
import { heightOf, widthOf } from './window.ts'

const enter = '\x1b[?1049h\x1b[?25l'
const leave = '\x1b[?25h\x1b[?1049l'
const home = '\x1b[H'
const clearLine = '\x1b[K'
const clearBelow = '\x1b[J'

export interface Screen {
  /** Draws the picture now, and again whenever the window changes. `rows`: how many lines it can have. */
  draw(picture: (rows: number) => readonly string[]): void
  close(): void
}

/** `quit` is called when the operator quits; `onKey` for every key, and returns whether it was used. */
export function openScreen(
  streams: Pick<Streams, 'stdin' | 'stdout'>,
  quit: () => void,
  onKey: (key: string) => boolean = () => false,
): Screen {
  const { stdin, stdout } = streams
  let shown: (rows: number) => readonly string[] = () => []
  const paint = () => {
    const rows = Math.max(1, heightOf(stdout) - 1)
    const lines = shown(rows).slice(0, rows)
    const text = lines.map((line) => `${cliTruncate(line, widthOf(stdout))}${clearLine}\n`).join('')
    stdout.write(`${home}${text}${clearBelow}`)
  }
  const onTyped = (typed: Buffer) => {
    for (const key of keysIn(typed.toString('utf8')))
      // In raw mode Ctrl-C is a normal byte.
      if (key === 'ctrl-c' || (!onKey(key) && key.toLowerCase() === 'q')) return quit()
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

/** What terminals send for keys without a character. */
const sequences: Readonly<Record<string, string>> = {
  '\x1b[A': 'up',
  '\x1bOA': 'up',
  '\x1b[B': 'down',
  '\x1bOB': 'down',
  '\x1b[5~': 'page-up',
  '\x1b[6~': 'page-down',
  '\x1b[H': 'home',
  '\x1bOH': 'home',
  '\x1b[1~': 'home',
  '\x1b[F': 'end',
  '\x1bOF': 'end',
  '\x1b[4~': 'end',
  '\x1b': 'escape',
  '\r': 'enter',
  '\n': 'enter',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\x15': 'ctrl-u',
  '\x03': 'ctrl-c',
  '\x04': 'ctrl-c',
}

/** The keys in what was typed: names for special ones, otherwise the character. Unknown sequences are left out. */
export function keysIn(typed: string): string[] {
  const parts = typed.match(/\x1b(?:\[[\d;]*[A-Za-z~]|O[A-Za-z])?|[^]/gu) ?? []
  return parts.flatMap((part) => {
    if (Object.hasOwn(sequences, part)) return [sequences[part] ?? '']
    return /^\P{Cc}$/u.test(part) ? [part] : []
  })
}
