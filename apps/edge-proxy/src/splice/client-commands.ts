/** The client's unanswered commands, with the facts that answer-ahead needs. */
import { isMistakable, type AnswerKind } from '../ahead/answers.ts'
import type { Response } from '../ahead/responses.ts'
import { isAboutSelection, type Command } from '../ahead/shapes.ts'
import type { Selection } from './selections.ts'
import type { SentCommand } from './sent-command.ts'

interface Unanswered {
  readonly sent: SentCommand
  readonly command: Command
  /** The selection that the command leaves, if the server answers OK (ADR 13). */
  readonly leaves?: Selection | undefined
}

export class ClientCommands {
  #unanswered: Unanswered[] = []

  /** @param leaves the selection that UNSELECT or CLOSE leaves */
  add(sent: SentCommand, command: Command, leaves?: Selection): void {
    this.#unanswered.push({ sent, command, leaves })
  }

  /** Removes a command that the server has answered. Undefined: it is not a command of the client. */
  takeOut(sent: SentCommand): Unanswered | undefined {
    const answered = this.#unanswered.find((each) => each.sent === sent)
    this.#unanswered = this.#unanswered.filter((each) => each !== answered)
    return answered
  }

  get count(): number {
    return this.#unanswered.length
  }

  get first(): Command | undefined {
    return this.#unanswered[0]?.command
  }

  /** The kinds of responses that answer them. */
  get answers(): AnswerKind[] {
    return this.#unanswered.map(({ command }) => command.answers)
  }

  get isSelecting(): boolean {
    return this.#unanswered.some(({ command }) => command.selects !== undefined)
  }

  /** Whether one of them may be answered with FETCH responses. */
  get isFetching(): boolean {
    return this.#unanswered.some(
      ({ command: { answers, shape } }) =>
        answers.kind === 'fetch' || answers.kind === 'anything' || shape.endsWith('STORE'),
    )
  }

  get asksFlags(): boolean {
    return this.#unanswered.some(
      ({ command: { answers } }) => answers.kind === 'fetch' && answers.items.has('FLAGS'),
    )
  }

  /** Whether none of them can be about the selected mailbox. */
  get isElsewhere(): boolean {
    return this.#unanswered.every(
      ({ command: { question } }) => question !== undefined && !isAboutSelection(question),
    )
  }

  /** Whether an answer of this kind could be mistaken for the answer to one of them, or the reverse. */
  isMistakableFor(answers: AnswerKind): boolean {
    return this.#unanswered.some(({ command }) => isMistakable(command.answers, answers))
  }

  /** The text of the search that a response answers. Undefined unless exactly one search is unanswered. */
  searchOf(response: Response): string | undefined {
    const searches = this.#unanswered.filter(({ command }) => command.isSearch)
    if (searches.length !== 1) return undefined
    const { sent, command } = searches[0]!
    return response.kind !== 'esearch' || response.tag === sent.tag ? command.text : undefined
  }
}
