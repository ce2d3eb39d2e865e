/**
 * What the server reports of the mailbox on its own, and the client has not been told. It waits behind held answers, because
 * sequence numbers in them are those of the moment before.
 */
import { tellsFlags, type Response } from '../ahead/responses.ts'
import type { HeldResponse } from './asked-ahead.ts'
import type { Selection, Selections } from './selections.ts'

interface Report extends HeldResponse {
  readonly hasFlags: boolean
  readonly isExpunge: boolean
  /** Of the mailbox that it is about. */
  readonly selection: Selection
}

/** Reports are a few bytes each. For more of them, nothing is held back. */
const reportsMax = 1000
/** With more, the session ends: without a command of the client there is no moment at which it may be told them all. */
const untoldMax = 20_000
const untoldBytesMax = 1_048_576

export class Reports {
  readonly #selections: Selections
  #reports: Report[] = []
  /** Of those that are not told. */
  #bytes = 0

  constructor(selections: Selections) {
    this.#selections = selections
  }

  get isEmpty(): boolean {
    return this.#reports.length === 0
  }

  get isFull(): boolean {
    return this.#reports.length >= reportsMax
  }

  get isTooMuch(): boolean {
    return this.#reports.length > untoldMax || this.#bytes > untoldBytesMax
  }

  get hasExpunge(): boolean {
    return this.#reports.some(({ isExpunge }) => isExpunge)
  }

  /** Whether a message of this mailbox was expunged before this place among all that the server sent. */
  hasExpungeBefore(order: number, selection: Selection | undefined): boolean {
    return this.#reports.some(
      (report) => report.isExpunge && report.selection === selection && report.order < order,
    )
  }

  /** Adds a report of the mailbox that the server has selected. Its bytes are still to come. */
  add(order: number, response: Response): HeldResponse {
    const report: Report = {
      order,
      chunks: [],
      isExpunge: response.kind === 'expunge',
      hasFlags: tellsFlags(response),
      selection: this.#selections.server,
    }
    this.#reports.push(report)
    return report
  }

  /** So many bytes of the last report have arrived. */
  grow(bytes: number): void {
    this.#bytes += bytes
  }

  /** The place of the last report of the client's mailbox that came before this one. Undefined: there is none. */
  lastBefore(order: number): number | undefined {
    return this.#reports.findLast((report) => this.#isOfClient(report) && report.order < order)?.order
  }

  /** Takes out the reports of the client's mailbox that came before this place: the client is told them now. */
  takeBefore(order: number): Buffer[] {
    if (this.#reports.length === 0) return []
    const isNow = (report: Report) => this.#isOfClient(report) && report.order < order
    const told = this.#reports.filter(isNow)
    this.#keep(this.#reports.filter((report) => !isNow(report)))
    if (told.some(({ hasFlags }) => hasFlags)) this.#selections.client.hasToldFlags = true
    return told.flatMap(({ chunks }) => chunks)
  }

  #isOfClient({ selection }: Report): boolean {
    return selection === this.#selections.client
  }

  /**
   * The server has selected the client's mailbox again.
   * @param lines the changes since the client had it, up to this place, in which all earlier reports are contained
   */
  replaceUpTo(order: number, lines: readonly string[]): void {
    const told = lines.map((line): Report => {
      const isExpunge = line.endsWith('EXPUNGE\r\n')
      return {
        order,
        chunks: [Buffer.from(line)],
        isExpunge,
        hasFlags: false,
        selection: this.#selections.server,
      }
    })
    const later = this.#reports.filter((report) => report.order > order)
    this.#keep([...told, ...later])
  }

  /** The client will not hear of this mailbox any more. */
  forgetOf(selection: Selection): void {
    this.#keep(this.#reports.filter((report) => report.selection !== selection))
  }

  /** The client hears of none of the mailboxes any more. */
  forget(): void {
    this.#keep([])
  }

  #keep(reports: Report[]): void {
    this.#reports = reports
    this.#bytes = 0
    for (const { chunks } of reports) for (const { length } of chunks) this.#bytes += length
  }
}
