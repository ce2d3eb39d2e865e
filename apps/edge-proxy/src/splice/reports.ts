/**
 * Unsolicited responses about the mailbox that the client has not received yet. They wait while an older answer is held,
 * because its sequence numbers are those before the report.
 */
import { tellsFlags, type Response } from '../ahead/responses.ts'
import type { HeldResponse } from './asked-ahead.ts'
import type { Selection, Selections } from './selections.ts'

interface Report extends HeldResponse {
  readonly hasFlags: boolean
  readonly isExpunge: boolean
  /** The selection that the report is about. */
  readonly selection: Selection
}

/** At this many reports, held answers are dropped so that the reports can pass. */
const reportsMax = 1000
/** With more reports the session ends: without a command of the client, they cannot be sent to it. */
const untoldMax = 20_000
const untoldBytesMax = 1_048_576

export class Reports {
  readonly #selections: Selections
  #reports: Report[] = []
  /** Bytes of all reports here. */
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

  /** Whether a message of this mailbox was expunged before this position. */
  hasExpungeBefore(order: number, selection: Selection | undefined): boolean {
    return this.#reports.some(
      (report) => report.isExpunge && report.selection === selection && report.order < order,
    )
  }

  /** Adds a report about the mailbox that the server has selected. Its bytes follow. */
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

  /** This many bytes of the last report have arrived. */
  grow(bytes: number): void {
    this.#bytes += bytes
  }

  /** The position of the last report about the client's mailbox before `order`. Undefined: there is none. */
  lastBefore(order: number): number | undefined {
    return this.#reports.findLast((report) => this.#isOfClient(report) && report.order < order)?.order
  }

  /** Removes and returns the reports about the client's mailbox before `order`. The caller sends them to the client now. */
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
   * @param lines all changes since the edge left it, up to `order`. They replace all earlier reports
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

  /** Drops the reports about this mailbox: the client leaves it. */
  forgetOf(selection: Selection): void {
    this.#keep(this.#reports.filter((report) => report.selection !== selection))
  }

  /** Drops all reports. */
  forget(): void {
    this.#keep([])
  }

  #keep(reports: Report[]): void {
    this.#reports = reports
    this.#bytes = 0
    for (const { chunks } of reports) for (const { length } of chunks) this.#bytes += length
  }
}
