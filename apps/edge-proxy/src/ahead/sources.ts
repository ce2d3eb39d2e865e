/** Where clients take the values of their commands from. A hole of a template has sources with scores, and no value. */
import { sizeOfSet, uidPage } from './facts.ts'

/** What a source is read from, at the moment before a command. */
export interface View {
  /** Hole `index` of the command `back` commands ago, from 1. */
  hole(back: number, index: number): string | undefined
  /** Messages in the mailbox that is selected. */
  readonly exists: number | undefined
  /** What the last search has found, or will find. */
  readonly found: readonly number[] | undefined
  /** A parameter of the page, if the client program sent it in its ID. */
  hint(name: string): string | undefined
  readonly hints: readonly string[]
  /** The mailbox of the same user's last session, as the client wrote it. */
  readonly lastMailbox: string | undefined
  /** INBOX, and mailboxes in answers to LIST, as the server wrote them. */
  readonly listed: readonly string[]
  /** Another mailbox whose counts the same user's sessions ask for. */
  readonly companion: string | undefined
  /** What the same user last used at this place. */
  value(place: string): string | undefined
  /** The shape that followed when the same user last sent the same command here. */
  readonly repeated: string | undefined
}

/** Where the value of a hole comes from. */
export type Source =
  | { kind: 'hint'; name: string }
  | { kind: 'back'; back: number; index: number }
  | { kind: 'exists' }
  | { kind: 'page'; end: 'last' | 'first'; count: number }
  /** The message at this place of the result, from 1: the one that moves onto a page when another one is removed. */
  | { kind: 'nth'; end: 'last' | 'first'; nth: number }
  | { kind: 'last-mailbox' }
  /** INBOX, if the session has not asked for it. The name belongs to no user. */
  | { kind: 'inbox' }
  /** The first of the listed mailboxes that the session has not asked for. */
  | { kind: 'listed'; order: 'server' | 'special-first' }
  /** Of the last mailbox and its companion, the one that comes first and that the session has not asked for. */
  | { kind: 'companion' }
  /** The same for a user whose companion is not known yet: the mailbox with this role, as other users of the program have. */
  | { kind: 'role'; role: number }
  | { kind: 'remembered' }

export interface Scored {
  readonly source: Source
  score: number
  /** It has been tried and was wrong. */
  hasFailed: boolean
}

/** A value for a hole, and how sure it is, 0 to 1. */
export interface Sourced {
  readonly value: string
  readonly confidence: number
}

const scoreDecay = 0.7
const scoreGain = 0.3
const scoreAtFirst = 0.6
const scoreMin = 0.3
/** Of a source that was right once, and never wrong. */
const confidenceAtFirst = 0.9
const sourcesMax = 8
const backMax = 4
const pageMax = 1000

const inbox = 'INBOX'

/** Whether a value may still be used in this session. */
export type IsOpen = (value: string) => boolean

/**
 * The client used this value.
 * @returns by how many the number of sources has grown
 */
export function learnHole(
  sources: Scored[],
  value: string,
  view: View,
  place: string,
  isOpen: IsOpen,
): number {
  const before = sources.length
  for (const scored of sources) {
    const said = read(scored.source, view, place, isOpen)
    if (said === undefined) continue
    const isRight = said === value
    scored.score = scored.score * scoreDecay + (isRight ? scoreGain : 0)
    if (!isRight) scored.hasFailed = true
  }
  for (const source of candidates(value, view)) {
    // The value is about to be remembered.
    if (source.kind !== 'remembered' && read(source, view, place, isOpen) !== value) continue
    if (sources.some((scored) => isSame(scored.source, source))) continue
    if (sources.length >= sourcesMax) {
      const worst = sources.reduce((one, each) => (each.score < one.score ? each : one))
      if (worst.score >= scoreMin) continue
      sources.splice(sources.indexOf(worst), 1)
    }
    sources.push({ source, score: scoreAtFirst, hasFailed: false })
  }
  return sources.length - before
}

/**
 * The value of the best source that has one. What the user last used counts only if the value comes from nowhere else: where
 * it is usually a count or a set of the mailbox, an old one is wrong as soon as the mailbox has changed.
 */
export function valueOf(
  sources: readonly Scored[],
  view: View,
  place: string,
  isOpen: IsOpen,
): Sourced | undefined {
  const usable = sources.filter(({ score }) => score >= scoreMin)
  const ofSession = usable.filter(({ source }) => !isOfUser(source))
  if (ofSession.some(({ source }) => source.kind !== 'inbox')) return best(ofSession)
  // Any of the listed mailboxes is a guess only for a user who has not been here before.
  const isNew = view.value(place) === undefined
  return (
    best(usable.filter(({ source }) => source.kind === 'inbox' || (source.kind === 'listed') === isNew)) ??
    best(usable.filter(({ source }) => source.kind === 'last-mailbox'))
  )

  function best(among: readonly Scored[]): Sourced | undefined {
    let chosen: (Sourced & { score: number }) | undefined
    for (const { source, score, hasFailed } of among) {
      if (chosen !== undefined && score <= chosen.score) continue
      const value = read(source, view, place, isOpen)
      if (value === undefined || !isOpen(value)) continue
      chosen = { value, score, confidence: hasFailed ? score : Math.max(score, confidenceAtFirst) }
    }
    return chosen
  }
}

/** How many messages are on a page of the newest ones, and how sure that is, 0 to 1. */
export interface PageSize {
  readonly count: number
  readonly confidence: number
}

/** The best source that is such a page. A page that had all messages says only that it may be longer. */
export function newestPage(sources: readonly Scored[]): PageSize | undefined {
  let best: (PageSize & { score: number }) | undefined
  for (const { source, score, hasFailed } of sources) {
    if (source.kind !== 'page' || source.end !== 'last' || score < scoreMin) continue
    if (best !== undefined && score <= best.score) continue
    best = {
      count: source.count,
      score,
      confidence: hasFailed ? score : Math.max(score, confidenceAtFirst),
    }
  }
  return best
}

/** From an earlier session. */
const isOfUser = ({ kind }: Source): boolean =>
  kind === 'remembered' ||
  kind === 'last-mailbox' ||
  kind === 'listed' ||
  kind === 'companion' ||
  kind === 'role'

/** Sources that may have the value. */
function candidates(value: string, view: View): Source[] {
  const sources: Source[] = view.hints.map((name) => ({ kind: 'hint', name }))
  for (let back = 1; back <= backMax; back++)
    for (let index = 0; index < 3; index++) sources.push({ kind: 'back', back, index })
  sources.push({ kind: 'exists' })
  const count = view.found === undefined ? undefined : sizeOfSet(value, pageMax)
  if (count !== undefined) {
    // A page that holds all messages says nothing about the size of a page.
    const isAll = count >= view.found!.length
    sources.push({ kind: 'page', end: 'last', count: isAll ? Infinity : count })
    if (!isAll) sources.push({ kind: 'page', end: 'first', count })
  }
  const at = view.found?.indexOf(/^\d{1,10}$/.test(value) ? Number(value) : 0) ?? -1
  if (at >= 0) {
    sources.push({ kind: 'nth', end: 'last', nth: view.found!.length - at })
    sources.push({ kind: 'nth', end: 'first', nth: at + 1 })
  }
  if (value === inbox) sources.push({ kind: 'inbox' })
  sources.push({ kind: 'last-mailbox' }, { kind: 'companion' })
  sources.push({ kind: 'listed', order: 'special-first' }, { kind: 'listed', order: 'server' })
  for (let role = 1; role < specialNames.length; role++) sources.push({ kind: 'role', role })
  sources.push({ kind: 'remembered' })
  return sources
}

function read(source: Source, view: View, place: string, isOpen: IsOpen): string | undefined {
  switch (source.kind) {
    case 'hint':
      return view.hint(source.name)
    case 'back':
      return view.hole(source.back, source.index)
    case 'exists':
      // No message has the number 0.
      return view.exists === undefined || view.exists === 0 ? undefined : String(view.exists)
    case 'page':
      return view.found === undefined
        ? undefined
        : uidPage(view.found, source.end, source.count, Number(view.hint('number') ?? 1))
    case 'nth': {
      const uid = view.found?.at(source.end === 'last' ? -source.nth : source.nth - 1)
      return uid === undefined ? undefined : String(uid)
    }
    case 'last-mailbox':
      return view.lastMailbox
    case 'inbox':
      return isOpen(inbox) ? inbox : undefined
    case 'companion':
      return companions(view).find(isOpen)
    case 'role': {
      // A user who is new here is asked for all of them.
      if (view.value(place) === undefined) return undefined
      const { listed, lastMailbox } = view
      return specialFirst(listed).find(
        (name) => (name === lastMailbox || roleOf(name) === source.role) && isOpen(name),
      )
    }
    case 'listed':
      return (source.order === 'server' ? view.listed : specialFirst(view.listed)).find(isOpen)
    case 'remembered':
      return view.value(place)
  }
}

function companions({ listed, lastMailbox, companion }: View): string[] {
  if (lastMailbox === undefined || companion === undefined) return []
  return specialFirst(listed).filter((name) => name === lastMailbox || name === companion)
}

/** In the order in which webmails show them. */
const specialNames: readonly RegExp[] = [
  /^inbox$/i,
  /(?:^|[./])drafts$/i,
  /(?:^|[./])sent(?: (?:items|mail|messages))?$/i,
  /(?:^|[./])(?:junk|spam)$/i,
  /(?:^|[./])(?:trash|deleted items)$/i,
]

/** Mailboxes with the usual names first, then the others as the server has listed them. */
function specialFirst(names: readonly string[]): string[] {
  return names.toSorted((one, other) => roleOf(one) - roleOf(other))
}

/** Its place among the usual names; their number if it has none of them. */
function roleOf(name: string): number {
  const text = name.startsWith('"') ? name.slice(1, -1) : name
  const index = specialNames.findIndex((special) => special.test(text))
  return index < 0 ? specialNames.length : index
}

function isSame(one: Source, other: Source): boolean {
  if (one.kind !== other.kind) return false
  switch (one.kind) {
    case 'hint':
      return other.kind === 'hint' && one.name === other.name
    case 'back':
      return other.kind === 'back' && one.back === other.back && one.index === other.index
    case 'page':
      return other.kind === 'page' && one.end === other.end && one.count === other.count
    case 'nth':
      return other.kind === 'nth' && one.end === other.end && one.nth === other.nth
    case 'role':
      return other.kind === 'role' && one.role === other.role
    case 'listed':
      return other.kind === 'listed' && one.order === other.order
    case 'exists':
    case 'last-mailbox':
    case 'inbox':
    case 'companion':
    case 'remembered':
      return true
  }
}
