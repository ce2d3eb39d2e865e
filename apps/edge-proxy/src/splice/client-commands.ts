/** The client's commands that have gone to the server and that it has not answered yet, as far as answer-ahead looks at them. */
import { isMistakable, type AnswerKind } from '../ahead/answers.ts'
import type { Response } from '../ahead/responses.ts'
import { isAboutSelection, type Command } from '../ahead/shapes.ts'
import type { Selection } from './selections.ts'
import type { SentCommand } from './sent-command.ts'

interface Unanswered {
  readonly sent: SentCommand
  readonly command: Command
  /** What it leaves, if the server does not refuse it (ADR 13). */
  readonly leaves?: Selection | undefined
}

export class ClientCommands {
  #unanswered: Unanswered[] = []

  /** @param leaves the mailbox that it leaves for no other one */
  add(sent: SentCommand, command: Command, leaves?: Selection): void {
    this.#unanswered.push({ sent, command, leaves })
  }

  /** The server has answered this one: takes it out. Undefined: it is not a command of the client. */
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

  /** What they are answered with. */
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

  /** Whether none of them is about the selected mailbox, or may be. */
  get isElsewhere(): boolean {
    return this.#unanswered.every(
      ({ command: { question } }) => question !== undefined && !isAboutSelection(question),
    )
  }

  /** Whether the answer to one of them may be taken for an answer of this kind, or the other way round. */
  isMistakableFor(answers: AnswerKind): boolean {
    return this.#unanswered.some(({ command }) => isMistakable(command.answers, answers))
  }

  /** The text of the search that a response answers, if only one is unanswered. */
  searchOf(response: Response): string | undefined {
    const searches = this.#unanswered.filter(({ command }) => command.isSearch)
    if (searches.length !== 1) return undefined
    const { sent, command } = searches[0]!
    return response.kind !== 'esearch' || response.tag === sent.tag ? command.text : undefined
  }
}
