/**
 * The course of one session: the client's commands so far. They are added to the book, which predicts the next commands.
 */
import { commute } from './answers.ts'
import type { Book } from './book.ts'
import { findsAll, type MailboxFacts, type SessionFacts, type UserFacts } from './facts.ts'
import { commandOf, endShape, fillShape, type Command, type Question } from './shapes.ts'
import type { IsOpen, View } from './sources.ts'
import { newestByNumber, partsIn, withAllParts } from './wider.ts'

interface Step {
  readonly command: Command
  /** The text of the command if it is a search. */
  readonly search: string | undefined
  /** The mailbox that is selected after the command, if the server answers OK. */
  readonly mailbox: string | undefined
}

/** A question that the client probably asks. */
export interface Expected {
  readonly question: Question
  /** Its probability, 0 to 1. */
  readonly chance: number
  /** The mailbox that is selected when the client asks it. */
  readonly mailbox: string | undefined
  /** How many mailboxes the client selects before it. */
  readonly selects: number
  /** The same question is also expected earlier, and that answer will be outdated when it is asked again. */
  readonly isAgain?: boolean
}

interface Candidate extends Expected {
  chance: number
  /** How many questions come before it. */
  depth: number
}

/** Limits of a prediction. */
export interface ExpectedOptions {
  /** Maximum number of questions. */
  readonly max: number
  /** Whether a mailbox may be selected ahead of the client. */
  readonly maySelect?: boolean
  /** Whether the client's mailbox may be left for that. */
  readonly mayLeave?: boolean
  /** The question to send in place of this one. */
  readonly inPlaceOf?: (question: Question, mailbox: string) => Question
  /** Whether this question may be sent, alone or joined with others. */
  readonly isOpen?: (question: Question, mailbox: string) => boolean
}

/** State of one exploration of the commands that may follow. */
interface Exploration {
  readonly found: Map<string, Candidate>
  readonly maySelect: boolean
  readonly mayLeave: boolean
  steps: number
  /** How many mailboxes are selected before the command that is being explored. */
  selects: number
}

const keptSteps = 8
/** Less probable questions cost the server more than they save the client. */
const chanceMin = 0.25
const bodyChanceMin = 0.35
/** Less probable branches are not explored. */
const branchMin = 0.05
const depthMax = 6
/** Limit on the steps explored for one prediction. */
const stepsMax = 40
/** Limit on messages that are requested by sequence numbers. */
const numberedMax = 100
/** A SELECT removes \Recent, so it is sent only where nearly all clients select. */
const selectChanceMin = 0.8
/** For a mailbox that the client has selected before, which has removed \Recent already. */
const againChanceMin = 0.5
const noHints: ReadonlyMap<string, string> = new Map()

export class Course {
  readonly #book: Book
  readonly user: UserFacts
  /** The previous session of the same user. */
  readonly #before: SessionFacts | undefined
  #hints: ReadonlyMap<string, string>
  #family = ''
  /** The last `keptSteps` steps. */
  #steps: Step[] = []
  #count = 0
  #firstShape = ''
  /** The mailbox that was selected last, as the client wrote it. */
  #lastMailbox: string | undefined
  /** Mailboxes that this user has selected for the first time in this session. */
  readonly #firstSelected = new Set<string>()
  /** Mailboxes for which the session has sent STATUS, apart from the last mailbox of the previous session. */
  readonly #counted = new Set<string>()
  /** The texts of the STATUS commands so far. */
  readonly #statuses = new Set<string>()

  /** @param hints parameters of the page, from the ID of the client program */
  constructor(book: Book, user: UserFacts, hints: ReadonlyMap<string, string> = noHints) {
    this.#book = book
    this.user = user
    this.#hints = hints
    this.#before = user.last
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

  /** Notes the form of the first tag, which tells apart client programs that begin with the same commands. */
  tagged(tag: string): void {
    if (this.#count === 0) this.#family = /^[A-Za-z]{0,6}(?=\d+$)/.exec(tag)?.[0] ?? ''
  }

  /** The client program has sent page hints. They are used only before its first command. */
  hinted(hints: ReadonlyMap<string, string>): void {
    if (this.#count === 0 && hints.size > 0) this.#hints = hints
  }

  /** The client has sent a command. */
  advance(command: Command): void {
    const view = this.#view(this.#steps)
    const keys = this.#keys(this.#steps, this.#count)
    const places = this.#book.learn(keys, command, view, this.#openIn(this.#steps, command.shape))
    for (const [index, place] of places.entries()) this.user.setValue(place, command.holes[index]!)
    const place = this.#book.idOf(keys[0])
    if (place !== undefined) this.user.visit(place)
    const asked = messageOf(this.#steps)
    if (asked !== undefined) this.user.setFollowing(asked, command.shape)
    if (this.#count === 0) this.#firstShape = command.shape
    if (command.selects !== undefined) {
      this.#lastMailbox = command.holes[0]
      const facts = this.user.mailbox(command.selects)
      if (!facts.wasSelected) this.#firstSelected.add(command.selects)
      facts.wasSelected = true
    }
    if (isStatus(command.shape)) this.#statuses.add(command.text)
    const status = isStatus(command.shape) ? command.holes[0] : undefined
    if (
      status !== undefined &&
      status !== this.#before?.mailbox &&
      this.mailbox === undefined &&
      this.#count > 0
    )
      this.#counted.add(status)
    if (command.isSearch && !isByNumbers(command)) this.user.lastSearch = command.shape
    this.#steps.push(stepOf(command, this.mailbox))
    if (this.#steps.length > keptSteps) this.#steps.shift()
    this.#count++
  }

  /** The server has refused the client's last command, a SELECT. */
  selectRefused(): void {
    const last = this.#steps.at(-1)
    if (last) this.#steps[this.#steps.length - 1] = { ...last, mailbox: undefined }
  }

  /** The client has logged out. */
  end(): void {
    const last = this.#steps.at(-1)
    if (last === undefined) return
    const keys = this.#keys(this.#steps, this.#count)
    this.#book.learn(keys, { shape: endShape, holes: [] }, this.#view(this.#steps))
    const [companion, ...others] = this.#counted
    // A session that asks for several mailboxes asks for all of them, and has no companion.
    if (companion !== undefined && others.length === 0) this.user.setCompanion(companion)
    this.user.setLast({
      mailbox: this.#lastMailbox ?? this.#before?.mailbox,
      first: this.#firstShape,
      last: last.command.shape,
    })
  }

  /** The questions that the client most probably asks next, in the expected order. */
  expected({
    max,
    maySelect = true,
    mayLeave = false,
    inPlaceOf = (question) => question,
    isOpen = () => true,
  }: ExpectedOptions): Expected[] {
    const found = new Map<string, Candidate>()
    this.#explore(this.#steps, 1, { found, steps: 0, maySelect, mayLeave, selects: 0 })
    const candidates = [...found.values()].map((each) => {
      const { question, mailbox } = each
      return mailbox === undefined ? each : { ...each, question: inPlaceOf(question, mailbox) }
    })
    const asked = new Map<string, Candidate>()
    for (const each of candidates) {
      const isAgain = isTooOld(each, candidates)
      const key = `${keyOf(each.question, each.selects)}${isAgain ? ' again' : ''}`
      const other = asked.get(key) ?? each
      const chance = Math.max(each.chance, other.chance)
      asked.set(key, { ...each, chance, depth: Math.min(each.depth, other.depth), isAgain })
    }
    return withParts([...asked.values()], isOpen)
      .filter(({ chance, question }) => chance >= chanceMinOf(question))
      .toSorted((one, other) => other.chance - one.chance)
      .slice(0, max)
      .toSorted((one, other) => one.depth - other.depth)
  }

  #explore(steps: readonly Step[], likelihood: number, search: Exploration): void {
    const { selects } = search
    const depth = steps.length - this.#steps.length
    if (depth === depthMax) return
    const count = this.#count + depth
    const keys = this.#keys(steps, count)
    const view = this.#view(steps)
    for (const { shape, share } of this.#book.next(keys, view)) {
      if (likelihood * share < branchMin || ++search.steps > stepsMax) return
      search.selects = selects
      if (shape === endShape) continue
      const filled = this.#filled(keys[0], shape, view, steps)
      if (filled === undefined) continue
      const { command } = filled
      const { question } = command
      const chance = likelihood * share * filled.confidence
      // A value may change how the filled shape is parsed. It is then not the learned command.
      if (question === undefined || command.shape !== shape || chance < branchMin) continue
      if (question.selects !== undefined) {
        const isFirst = steps.at(-1)?.mailbox === undefined
        const maySelect = isFirst ? search.maySelect : search.mayLeave
        if (!maySelect || chance < selectChanceMinOf(steps, question.selects) || this.#mayEnable(keys))
          continue
        search.selects++
      }
      const key = keyOf(question, selects)
      const candidate = search.found.get(key)
      const mailbox = steps.at(-1)?.mailbox
      if (candidate === undefined) search.found.set(key, { question, chance, mailbox, depth, selects })
      else {
        candidate.chance = Math.min(1, candidate.chance + chance)
        candidate.depth = Math.min(candidate.depth, depth)
      }
      this.#explore([...steps, stepOf(command, steps.at(-1)?.mailbox)], chance, search)
      search.selects = selects
    }
  }

  /** The command of this shape that is expected here, and the confidence of its values. */
  #filled(
    key: string,
    shape: string,
    view: View,
    steps: readonly Step[],
  ): { command: Command; confidence: number } | undefined {
    const filled = this.#book.fill(key, shape, view, this.#openIn(steps, shape))
    if (filled !== undefined)
      return { command: commandOf(fillShape(shape, filled.holes)), confidence: filled.confidence }
    // If the UIDs on a page are unknown, the messages may be requested by sequence numbers.
    const page = this.#book.pageSize(key, shape)
    const isFirstPage = !(Number(view.hint('number') ?? 1) > 1)
    if (page === undefined || view.exists === undefined || view.found !== undefined || !isFirstPage)
      return undefined
    const search = steps.findLast((step) => step.search !== undefined)?.search ?? ''
    // Messages found by a search for words may be anywhere in the mailbox.
    const first = findsAll(search) ? Math.max(1, view.exists - page.count + 1) : 1
    if (view.exists - first >= numberedMax) return undefined
    const command = commandOf(fillShape(shape, ['1']))
    const question = command.question && newestByNumber(command.question, first)
    return question && { command: { ...command, ...question, question }, confidence: page.confidence }
  }

  /** Whether clients send ENABLE here, which is not allowed while a mailbox is selected. */
  #mayEnable(keys: readonly [string, ...string[]]): boolean {
    return this.#book.knows(keys[0], 'ENABLE')
  }

  /** The contexts of the next command, the most general first. */
  #keys(steps: readonly Step[], count: number): [string, ...string[]] {
    const page = this.#hints.get('page') ?? ''
    const last = steps.slice(-2).map(({ command }) => command.shape)
    const place = [this.#family, page, Math.min(count, 20), ...last].join('\n')
    const here = [place, this.#relationOf(steps), this.#formOf(steps)].join('\n')
    const hasVisited = this.user.hasVisited(this.#book.idOf(place))
    const isKnown = this.#knowsMailbox(steps)
    const visits = `${hasVisited ? 'again' : 'new'} ${isKnown ? 'known' : 'first'}`
    const user = [here, visits, this.user.lastSearch].join('\n')
    return [place, here, user, [user, this.#before?.first, this.#before?.last].join('\n')]
  }

  /** Whether the user has selected this mailbox in an earlier session. Clients ask more questions about a new mailbox. */
  #knowsMailbox(steps: readonly Step[]): boolean {
    const mailbox = steps.at(-1)?.mailbox
    if (mailbox === undefined || this.#firstSelected.has(mailbox)) return false
    return this.user.mailbox(mailbox).wasSelected
  }

  /** Whether the session is about the last mailbox of the previous session. */
  #relationOf(steps: readonly Step[]): string {
    const named = steps.findLast(
      ({ command }) => command.selects !== undefined || command.answers.kind === 'status',
    )?.command
    if (named === undefined || this.#before?.mailbox === undefined) return ''
    return named.holes[0] === this.#before.mailbox ? 'same' : 'other'
  }

  /** The content type of the message in the last FETCH. */
  #formOf(steps: readonly Step[]): string {
    const about = steps.findLast(({ command }) => command.answers.kind === 'fetch')
    const uid = about?.command.holes[0]
    if (about?.mailbox === undefined || !isUid(uid)) return ''
    return this.user.mailbox(about.mailbox).contentTypeOf(Number(uid)) ?? ''
  }

  /** A session sends the same STATUS once. */
  #openIn(steps: readonly Step[], shape: string): IsOpen {
    if (!isStatus(shape)) return () => true
    const ahead = steps.slice(this.#steps.length)
    return (value) => {
      const text = fillShape(shape, [value])
      return !this.#statuses.has(text) && !ahead.some(({ command }) => command.text === text)
    }
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
      lastMailbox: this.#before?.mailbox,
      listed: user.listed,
      companion: user.companion,
      value: (place) => user.value(place),
      get repeated() {
        const asked = messageOf(steps)
        return asked === undefined ? undefined : user.following(asked)
      },
    }
  }
}

/** Whether an equal question is expected earlier, and a question in between makes the answer to that one outdated. */
function isTooOld(candidate: Candidate, candidates: readonly Candidate[]): boolean {
  const { question, selects, depth } = candidate
  const key = keyOf(question, selects)
  const earlier = candidates.filter(
    (each) => each.depth < depth && keyOf(each.question, each.selects) === key,
  )
  const first = Math.min(...earlier.map((each) => each.depth))
  return candidates.some(
    (each) =>
      first < each.depth &&
      each.depth < depth &&
      each.chance >= chanceMin &&
      !commute(question, each.question),
  )
}

/**
 * Joins questions for parts of one message. The client may ask for any of them, so the joined question can be probable enough
 * although each part alone is not.
 */
function withParts(
  candidates: readonly Candidate[],
  isOpen: NonNullable<ExpectedOptions['isOpen']>,
): Candidate[] {
  const isPart = ({ question, mailbox }: Candidate) =>
    partsIn(question) !== undefined && mailbox !== undefined && isOpen(question, mailbox)
  const [first, ...others] = candidates.filter(isPart)
  if (first === undefined) return [...candidates]
  const isSame = ({ question, mailbox, selects }: Candidate) =>
    question.holes[0] === first.question.holes[0] && mailbox === first.mailbox && selects === first.selects
  const joined = [first, ...others.filter(isSame)]
  const [one, ...more] = joined.map(({ question }) => question)
  const question = withAllParts([one!, ...more])
  if (!isOpen(question, first.mailbox!)) return [...candidates]
  const byDepth = Map.groupBy(joined, ({ depth }) => depth)
  const chances = [...byDepth.values()].map((each) => each.reduce((sum, { chance }) => sum + chance, 0))
  return [
    ...candidates.filter((each) => !joined.includes(each)),
    {
      ...first,
      question,
      chance: Math.min(1, Math.max(...chances)),
      depth: Math.min(...byDepth.keys()),
    },
  ]
}

/** The same question about another selection has another key. */
function keyOf({ text, needsMailbox, selects }: Question, selectsBefore: number): string {
  return needsMailbox || selects !== undefined ? `${selectsBefore} ${text}` : text
}

const isStatus = (shape: string): boolean => /^STATUS /i.test(shape)
/** @param mailbox the mailbox that is selected after these steps */
const selectChanceMinOf = (steps: readonly Step[], mailbox: string): number =>
  steps.some(({ command: { selects } }) => selects === mailbox) ? againChanceMin : selectChanceMin

/** Answers with the content of messages are the largest, so their questions must be more probable. */
const chanceMinOf = ({ bodiesOf }: Question): number => (bodiesOf === undefined ? chanceMin : bodyChanceMin)
const isUid = (text: string | undefined): boolean => text !== undefined && /^\d{1,10}$/.test(text)
const isByNumbers = ({ holes }: Command): boolean => holes.some((value) => /^[\d:,*]+$/.test(value))

/** The last command and its mailbox, if it fetches one message. Undefined otherwise. */
function messageOf(steps: readonly Step[]): string | undefined {
  const last = steps.at(-1)
  if (last?.mailbox === undefined || last.command.question?.name !== 'UID FETCH') return undefined
  if (!isUid(last.command.holes[0])) return undefined
  return `${last.mailbox}\n${last.command.text}`
}

function stepOf(command: Command, mailbox: string | undefined): Step {
  const search = command.isSearch ? command.text : undefined
  const leaves = command.shape === 'UNSELECT' || command.shape === 'CLOSE'
  return { command, search, mailbox: leaves ? undefined : (command.selects ?? mailbox) }
}
