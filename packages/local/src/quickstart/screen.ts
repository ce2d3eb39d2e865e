/**
 * The progress of a start: on a terminal a block of lines that is redrawn as parts come up, otherwise one line for
 * each event.
 */
import { styleText } from 'node:util'
import type { PartProgress } from '../bring-up.ts'

/** The displayed names of parts. */
const names: Record<string, string> = { postgres: 'Postgres', dovecot: 'Dovecot' }
const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

export interface Output {
  isTTY?: boolean
  columns?: number
  write(text: string): unknown
}

interface Line {
  text: string
  state: PartProgress['state']
}

export class QuickstartScreen {
  readonly #output: Output
  readonly #lines = new Map<string, Line>()
  #drawn = 0
  #frame = 0
  #timer: NodeJS.Timeout | undefined

  constructor(output: Output, parts: string[]) {
    this.#output = output
    for (const part of parts) this.#lines.set(part, { text: '', state: 'starting' })
    if (!output.isTTY) return
    this.#timer = setInterval(() => this.#draw(), 80)
    this.#draw()
  }

  show(progress: PartProgress): void {
    const text = textOf(progress)
    this.#lines.set(progress.part, { text, state: progress.state })
    if (!this.#timer && text !== '')
      this.#output.write(`${this.#lineOf(progress.part, progress.state, text)}\n`)
  }

  /** Leaves the block as it is. From now on each event is one line. */
  finish(): void {
    if (!this.#timer) return
    clearInterval(this.#timer)
    this.#draw()
    this.#timer = undefined
  }

  #draw(): void {
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : ''
    const lines = [...this.#lines].map(
      ([part, { state, text }]) => `\x1b[2K${this.#lineOf(part, state, text)}\n`,
    )
    this.#output.write(up + lines.join(''))
    this.#drawn = lines.length
    this.#frame += 1
  }

  #lineOf(part: string, state: PartProgress['state'], text: string): string {
    const name = (names[part] ?? part).padEnd(13)
    if (!this.#output.isTTY) return `  ${name} ${state === 'ready' ? 'ready  ' : ''}${text}`
    const [sign, colour] = {
      starting: [spinner[this.#frame % spinner.length] ?? '', 'cyan'] as const,
      ready: ['✓', 'green'] as const,
      trouble: ['!', 'yellow'] as const,
    }[state]
    // Shortened to one line each, because a wrapped line would break the redrawing.
    const room = (this.#output.columns ?? 80) - 20
    return `  ${styleText(colour, sign)} ${name} ${text.split('\n')[0]?.slice(0, room) ?? ''}`
  }
}

function textOf(progress: PartProgress): string {
  if (progress.state === 'starting') return progress.note
  if (progress.state === 'trouble') return progress.line
  return `${progress.version.padEnd(9)} ${progress.place}`
}
