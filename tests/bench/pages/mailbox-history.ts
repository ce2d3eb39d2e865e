/**
 * What was true of every mail, and when. The moment of a change is known only to lie between a command and its reply, so
 * a page may show the state before or after each change that happened while it was made.
 */
import type { MailRow } from './webmail.ts'

/** Milliseconds of performance.now(). `to` is Infinity while it lasts. */
export interface Span {
  from: number
  to: number
}

export type ShownFlag = 'isSeen' | 'isFlagged'

interface MailLife {
  subject: string
  added: Span
  /** Commands that may have removed it: two clients may do so at the same time. */
  removed: Span[]
  changes: Change[]
}

interface Change {
  flag: ShownFlag
  value: boolean
  when: Span
}

const pageSize = 50
/** What Roundcube shows for a mail without a subject. */
const noSubject = '(no subject)'

export class MailboxHistory {
  readonly #folders = new Map<string, Map<number, MailLife>>()

  add(
    folder: string,
    { uid, subject, isSeen, isFlagged }: Omit<MailRow, 'hasAttachment'>,
    added: Span,
  ): void {
    const mails = this.#folders.get(folder) ?? new Map<number, MailLife>()
    this.#folders.set(folder, mails)
    const changes = Object.entries({ isSeen, isFlagged }).map(([flag, value]) => ({
      flag: flag as ShownFlag,
      value,
      when: added,
    }))
    mails.set(uid, { subject, added, removed: [], changes })
  }

  remove(folder: string, uid: number, removed: Span): void {
    this.#folders.get(folder)?.get(uid)?.removed.push(removed)
  }

  change(folder: string, uid: number, flag: ShownFlag, value: boolean, when: Span): void {
    this.#folders.get(folder)?.get(uid)?.changes.push({ flag, value, when })
  }

  subjectOf(folder: string, uid: number): string | undefined {
    return this.#folders.get(folder)?.get(uid)?.subject
  }

  /** True if the mail existed all the while. */
  existed(folder: string, uid: number, shown: Span): boolean {
    const mail = this.#folders.get(folder)?.get(uid)
    return (
      mail !== undefined && mail.added.to < shown.from && !mail.removed.some(({ from }) => from < shown.to)
    )
  }

  /** True if one of its flags may have changed in that time. */
  hasChanged(folder: string, uid: number, { from, to }: Span): boolean {
    const changes = this.#folders.get(folder)?.get(uid)?.changes ?? []
    return changes.some(({ when }) => when.from <= to && when.to >= from)
  }

  /** What a list shows that cannot have been true while it was made. */
  faultsOfRows(folder: string, rows: readonly MailRow[], shown: Span): string[] {
    return rows.flatMap((row) => {
      const mail = this.#folders.get(folder)?.get(row.uid)
      const name = `${row.uid} in ${folder}`
      if (!mail) return [`${name} has never existed`]
      // The server may answer with an empty header if the mail is being removed.
      const isEmpty = row.subject === noSubject && !this.existed(folder, row.uid, shown)
      const faults =
        mail.subject === row.subject || isEmpty ? [] : [`${name} is "${mail.subject}", not "${row.subject}"`]
      if (mail.added.from > shown.to) return [...faults, `${name} did not exist yet`]
      if (isGone(mail, shown)) faults.push(`${name} was removed before`)
      return [...faults, ...this.#faultsOfFlags(mail, row, name, shown)]
    })
  }

  /**
   * Mails that the first page of a list must have shown. Not those whose flags changed meanwhile: Roundcube leaves a mail
   * out if the server tells its flags again behind the answer.
   */
  missingOf(folder: string, rows: readonly MailRow[], shown: Span): string[] {
    const mails = [...(this.#folders.get(folder) ?? [])]
    const possible = mails
      .filter(([, mail]) => mail.added.from <= shown.to && !isGone(mail, shown))
      .toSorted(([a], [b]) => b - a)
      .slice(0, pageSize)
    return possible
      .filter(
        ([uid, mail]) =>
          this.existed(folder, uid, shown) &&
          mail.changes.every(({ when }) => when.to < shown.from || when.from > shown.to) &&
          !rows.some((row) => row.uid === uid),
      )
      .map(([uid]) => `${uid} in ${folder} is missing`)
  }

  #faultsOfFlags(mail: MailLife, row: MailRow, name: string, shown: Span): string[] {
    return (['isSeen', 'isFlagged'] as const).flatMap((flag) => {
      const changes = mail.changes.filter((change) => change.flag === flag && change.when.from <= shown.to)
      // A change that another one followed for certain, before the page began, shows no more.
      const possible = changes.filter(
        ({ when }) => !changes.some((later) => later.when.from > when.to && later.when.to < shown.from),
      )
      return possible.some(({ value }) => value === row[flag])
        ? []
        : [`${name}: ${flag} cannot have been ${row[flag]} (${changesText(changes, shown)})`]
    })
  }
}

/** The changes of a flag, in milliseconds since the page began. */
function changesText(changes: readonly Change[], shown: Span): string {
  const since = (at: number) => Math.round(at - shown.from)
  const texts = changes.map(({ value, when }) => `${value} from ${since(when.from)} to ${since(when.to)}`)
  return `${texts.slice(-4).join(', ')}; the page to ${since(shown.to)}`
}

/** True if it was removed before. */
const isGone = ({ removed }: MailLife, shown: Span) =>
  removed.length > 0 && removed.every(({ to }) => to < shown.from)
