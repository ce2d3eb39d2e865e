/** Predicts the values of holes. For each hole, the book keeps no value, but sources of the value and their scores. */
import { sizeOfSet, uidPage } from './facts.ts'

/** The state before a command, from which sources are read. */
export interface View {
  /** Hole `index` of the command `back` commands ago, from 1. */
  hole(back: number, index: number): string | undefined
  /** Number of messages in the selected mailbox. */
  readonly exists: number | undefined
  /** The known or expected result of the last search. */
  readonly found: readonly number[] | undefined
  /** A page hint, if the client program sent it in its ID. */
  hint(name: string): string | undefined
  readonly hints: readonly string[]
  /** The mailbox of the same user's last session, as the client wrote it. */
  readonly lastMailbox: string | undefined
  /** INBOX, and mailboxes in answers to LIST, as the server wrote them. */
  readonly listed: readonly string[]
  /** The other mailbox whose counts the same user's sessions request. */
  readonly companion: string | undefined
  /** The value that the same user last used at this place. */
  value(place: string): string | undefined
  /** The shape that followed the last time the same user sent this command. */
  readonly repeated: string | undefined
}

/** A place from which the value of a hole may come. */
export type Source =
  | { kind: 'hint'; name: string }
  | { kind: 'back'; back: number; index: number }
  | { kind: 'exists' }
  | { kind: 'page'; end: 'last' | 'first'; count: number }
  /** The message at this position of the result, from 1. For example, the one that moves onto a page after a removal. */
  | { kind: 'nth'; end: 'last' | 'first'; nth: number }
  | { kind: 'last-mailbox' }
  /** INBOX, if the session has not asked for it. The name contains no data of a user. */
  | { kind: 'inbox' }
  /** The first of the listed mailboxes that the session has not asked for. */
  | { kind: 'listed'; order: 'server' | 'special-first' }
  /** The last mailbox or its companion: the first in the order of folders that the session has not asked for. */
  | { kind: 'companion' }
  /** Like `companion`, if the companion is unknown: the last mailbox or the mailbox with this role, as for other users. */
  | { kind: 'role'; role: number }
  | { kind: 'remembered' }

export interface Scored {
  readonly source: Source
  score: number
  /** The source has been wrong at least once. */
  hasFailed: boolean
}

/** A value for a hole, and its confidence, 0 to 1. */
export interface Sourced {
  readonly value: string
  readonly confidence: number
}

const scoreDecay = 0.7
const scoreGain = 0.3
const scoreAtFirst = 0.6
const scoreMin = 0.3
/** Confidence of a source that was right once, and never wrong. */
const confidenceAtFirst = 0.9
const sourcesMax = 8
const backMax = 4
const pageMax = 1000

const inbox = 'INBOX'

/** Whether a value may still be used in this session. */
export type IsOpen = (value: string) => boolean

/**
 * The client has used this value: updates the scores, and adds sources that have it.
 * @returns how many sources were added
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
    // The caller remembers the value afterwards, so this source will have it.
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
 * The value of the best source that has one. Sources of earlier sessions are used only if the value does not come from this
 * session. A count or a UID set of an earlier session is wrong after the mailbox has changed.
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
  // Listed mailboxes are used only for a user who has not been at this place before.
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

/** The size of a page of the newest messages, and its confidence, 0 to 1. */
export interface PageSize {
  readonly count: number
  readonly confidence: number
}

/** The best source that is a page of the newest messages. `count` is Infinity if the page had all messages so far. */
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

/** Whether the source has values of earlier sessions. */
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
    // A page that has all messages does not show the size of a page.
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
      // Sequence numbers begin with 1.
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
      // For a new user, all listed mailboxes are requested instead.
      if (view.value(place) === undefined) return undefined
      const { listed, lastMailbox } = view
      return specialFirst(listed).find(
        (name) => (name === lastMailbox || roleOf(name) === source.role) && isOpen(name),
      )
    }
    case 'listed':
      // For users who have been here before, it says nothing, neither right nor wrong.
      if (view.value(place) !== undefined) return undefined
      return (source.order === 'server' ? view.listed : specialFirst(view.listed)).find(isOpen)
    case 'remembered':
      return view.value(place)
  }
}

function companions({ listed, lastMailbox, companion }: View): string[] {
  if (lastMailbox === undefined || companion === undefined) return []
  return specialFirst(listed).filter((name) => name === lastMailbox || name === companion)
}

/** Usual mailbox names, in the order in which webmails show them. */
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

/** The index of the name among the usual names, or their number if it is not one of them. */
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
