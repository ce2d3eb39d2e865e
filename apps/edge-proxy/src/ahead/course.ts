/**
 * The course of one session: the client's commands so far. It teaches the book, and predicts the commands that follow.
 */
import type { Book, View } from './book.ts'
import type { MailboxFacts, UserFacts } from './facts.ts'
import { commandOf, endShape, fillShape, type Command, type Question } from './shapes.ts'

interface Step {
  readonly command: Command
  /** The text of the command if it is a search. */
  readonly search: string | undefined
  /** The mailbox that is selected after it, if all goes well. */
  readonly mailbox: string | undefined
}

/** A question that is expected next. */
export interface Expected {
  readonly question: Question
  /** How often clients asked this in the same context, 0 to 1. */
  readonly share: number
}

const keptSteps = 8
/** Less likely questions cost the server more than they save the client. */
const likelihoodMin = 0.5
const noHints: ReadonlyMap<string, string> = new Map()

export class Course {
  readonly #book: Book
  readonly user: UserFacts
  readonly #hints: ReadonlyMap<string, string>
  /** The last ones. */
  #steps: Step[] = []
  #count = 0

  /** @param hints parameters of the page, from the ID of the client program */
  constructor(book: Book, user: UserFacts, hints: ReadonlyMap<string, string> = noHints) {
    this.#book = book
    this.user = user
    this.#hints = hints
  }

  /** The mailbox that the client has selected, or is about to select. */
  get mailbox(): string | undefined {
    return this.#steps.at(-1)?.mailbox
  }

  /** The text of the client's last command if it is a search. */
  get search(): string | undefined {
    return this.#steps.at(-1)?.search
  }

  facts(mailbox: string): MailboxFacts {
    return this.user.mailbox(mailbox)
  }

  /** The client has sent a command. */
  advance(command: Command): void {
    const view = this.#view(this.#steps)
    const places = this.#book.learn(this.#key(this.#steps, this.#count), command, view)
    for (const [index, place] of places.entries()) this.user.setValue(place, command.holes[index]!)
    const asked = messageOf(this.#steps)
    if (asked !== undefined) this.user.setFollowing(asked, command.shape)
    this.#steps.push(stepOf(command, this.mailbox))
    if (this.#steps.length > keptSteps) this.#steps.shift()
    this.#count++
  }

  /** The server has refused the SELECT that was the client's last one. */
  selectRefused(): void {
    const last = this.#steps.at(-1)
    if (last) this.#steps[this.#steps.length - 1] = { ...last, mailbox: undefined }
  }

  /** The session has ended in order. */
  end(): void {
    if (this.#count === 0) return
    const key = this.#key(this.#steps, this.#count)
    this.#book.learn(key, { shape: endShape, holes: [] }, this.#view(this.#steps))
  }

  /** What the client probably asks next, up to `max` questions in a row. */
  expected(max: number): Expected[] {
    const steps = [...this.#steps]
    const chain: Expected[] = []
    let likelihood = 1
    while (chain.length < max) {
      const next = this.#book.next(this.#key(steps, this.#count + chain.length), this.#view(steps))
      if (next?.holes === undefined) break
      const command = commandOf(fillShape(next.shape, next.holes))
      const { question } = command
      // A filled shape that reads differently is not what was learned.
      if (question === undefined || command.shape !== next.shape) break
      // It is of use only if all before it are right.
      likelihood *= next.share
      if (likelihood < likelihoodMin) break
      if (question.selects !== undefined && this.#mayEnable(steps, this.#count + chain.length)) break
      chain.push({ question, share: next.share })
      steps.push(stepOf(command, steps.at(-1)?.mailbox))
    }
    return chain
  }

  /** Whether clients enable extensions here: for that, nothing may be selected. */
  #mayEnable(steps: readonly Step[], count: number): boolean {
    return this.#book.knows(this.#key(steps, count), 'ENABLE')
  }

  #key(steps: readonly Step[], count: number): string {
    const page = this.#hints.get('page') ?? ''
    const last = steps.slice(-2).map(({ command }) => command.shape)
    return [page, Math.min(count, 20), ...last].join('\n')
  }

  #view(steps: readonly Step[]): View {
    const hints = this.#hints
    const { user } = this
    const mailbox = steps.at(-1)?.mailbox
    const search = steps.findLast((step) => step.search !== undefined)
    return {
      hole: (back, index) => steps.at(-back)?.command.holes[index],
      get exists() {
        return mailbox === undefined ? undefined : user.mailbox(mailbox).exists
      },
      get found() {
        return mailbox === undefined || search?.search === undefined || search.mailbox !== mailbox
          ? undefined
          : user.mailbox(mailbox).expected(search.search)
      },
      hint: (name) => hints.get(name),
      hints: [...hints.keys()],
      value: (place) => user.value(place),
      get repeated() {
        const asked = messageOf(steps)
        return asked === undefined ? undefined : user.following(asked)
      },
    }
  }
}

/** The last command with its mailbox, if it asks about messages; undefined otherwise. */
function messageOf(steps: readonly Step[]): string | undefined {
  const last = steps.at(-1)
  if (last?.mailbox === undefined || last.command.question?.name !== 'UID FETCH') return undefined
  return `${last.mailbox}\n${last.command.text}`
}

function stepOf(command: Command, mailbox: string | undefined): Step {
  const search = command.isSearch ? command.text : undefined
  const leaves = command.shape === 'UNSELECT' || command.shape === 'CLOSE'
  return { command, search, mailbox: leaves ? undefined : (command.selects ?? mailbox) }
}
