/**
 * Browses a mailbox that another client changes all the while. Each page must show what was true while it was made, and
 * the last lists must be what the server has.
 */
import { BenchError } from '../problem.ts'
import { MailboxChanger } from './changer.ts'
import type { PagesContestant } from './contestants.ts'
import { startPagesLine, type PagesLine } from './line.ts'
import { browsedFolders } from './mailbox.ts'
import { MailboxHistory, type Span } from './mailbox-history.ts'
import type { PagesBenchOptions } from './options.ts'
import { BrowsingSession, type PageRequest, type VisitPage } from './session.ts'
import { isListAnswer, recentFlagsOf, rowsOf, type MailRow, type WebmailAnswer } from './webmail.ts'

interface ChangingResult {
  contestant: PagesContestant
  pages: number
  /** Of all lists together. */
  rows: number
}

interface ShownPage {
  request: PageRequest
  answer: WebmailAnswer
  when: Span
}

const listKinds = ['list', 'folder', 'search', 'refresh'] as const

/** All contestants browse at the same time, each its own mailbox. Fails with what a page showed wrongly. */
export async function browseAllChanging(
  { contestants, repeat, seed, shorter }: PagesBenchOptions,
  delayMs: number,
): Promise<ChangingResult[]> {
  const lines: PagesLine[] = []
  try {
    for (const contestant of contestants)
      lines.push(await startPagesLine({ contestant, delayMs, mailboxSeed: 1 }))
    return await Promise.all(
      lines.map(async (line) => {
        const total = { contestant: line.contestant, pages: 0, rows: 0 }
        for (let index = 0; index < repeat; index++) {
          const { pages, rows, faults } = await browseChanging(line, seed + index, shorter)
          if (faults.length > 0)
            throw new BenchError(
              `${line.contestant}, a changing mailbox, seed ${seed + index}: ${faults.slice(0, 5).join('; ')}`,
            )
          total.pages += pages
          total.rows += rows
        }
        return total
      }),
    )
  } finally {
    for (const line of lines) await line.stop()
  }
}

async function browseChanging(
  line: PagesLine,
  seed: number,
  shorter: number,
): Promise<{ pages: number; rows: number; faults: string[] }> {
  const user = line.newUser()
  const history = new MailboxHistory()
  const changer = new MailboxChanger(line.tap.port, user, history, seed)
  await changer.start()
  try {
    const shown: ShownPage[] = []
    const visit: VisitPage = async (request, ask) => {
      const when = { from: performance.now(), to: Infinity }
      ownChange(history, request, when)
      const answer = await ask()
      when.to = performance.now()
      shown.push({ request, answer, when })
      return answer
    }
    const session = new BrowsingSession({ url: line.url, user, seed, shorter, visit, deliver: () => {} })
    await session.play()
    await changer.rest()
    const faults = [...faultsOfPages(history, shown), ...(await faultsAtTheEnd(session, changer, visit))]
    const rows = shown.reduce((sum, { request, answer }) => sum + listOf(request, answer).length, 0)
    return { pages: shown.length, rows, faults }
  } finally {
    await changer.close()
  }
}

/** What a page itself changes. */
function ownChange(history: MailboxHistory, request: PageRequest, when: Span): void {
  const { kind, folder, uid, isFlagged } = request
  if (uid === undefined) return
  if (kind === 'delete') history.remove(folder, uid, when)
  if (kind === 'flag') history.change(folder, uid, 'isFlagged', isFlagged ?? false, when)
  if (kind === 'preview' || kind === 'show' || kind === 'large')
    history.change(folder, uid, 'isSeen', true, when)
}

function listOf({ kind }: PageRequest, answer: WebmailAnswer): MailRow[] {
  return listKinds.some((each) => each === kind) ? rowsOf(answer) : []
}

function faultsOfPages(history: MailboxHistory, shown: readonly ShownPage[]): string[] {
  let list: MailRow[] = []
  let listed: Span = { from: 0, to: 0 }
  return shown.flatMap(({ request, answer, when }, at) => {
    const { kind, folder, page, isSearching, uid, what } = request
    const faults: string[] = []
    if (listKinds.some((each) => each === kind)) {
      const isWhole = kind !== 'refresh' || isListAnswer(answer)
      list = isWhole ? rowsOf(answer) : refreshed(list, answer)
      if (isWhole) listed = when
      // A refresh without a list shows only changed flags, and not removed mails. It may never show changes that happened
      // while the list was made, because Roundcube requests the modification sequence of the mailbox after the mails.
      const isTold = ({ uid: row }: MailRow) =>
        history.existed(folder, row, when) && !history.hasChanged(folder, row, listed)
      const rows = isWhole ? list : list.filter(isTold)
      faults.push(...history.faultsOfRows(folder, rows, when))
      if (isWhole && page === 1 && !isSearching) faults.push(...history.missingOf(folder, list, when))
    }
    if (uid !== undefined && (kind === 'preview' || kind === 'show'))
      faults.push(...faultsOfMail(history, folder, uid, answer, when))
    return faults.map((fault) => `page ${at + 1} (${kind}: ${what}): ${fault}`)
  })
}

/** The list that a browser shows after a refresh that contained only flags. */
function refreshed(list: readonly MailRow[], answer: WebmailAnswer): MailRow[] {
  const flags = recentFlagsOf(answer)
  return list.map((row) => ({ ...row, ...flags.get(row.uid) }))
}

/** A mail says in its text which one it is. */
function faultsOfMail(
  history: MailboxHistory,
  folder: string,
  uid: number,
  { text }: WebmailAnswer,
  when: Span,
): string[] {
  const name = history.subjectOf(folder, uid)?.split(' about ')[1]
  const said = /This is ([\w. ]+?)\.(?=[<\s])/.exec(text)?.[1]
  if (said !== undefined && said !== name) return [`shows the text of ${said}, not of ${name}`]
  if (said === undefined && history.existed(folder, uid, when)) return [`does not show the text of ${name}`]
  return []
}

/** Nothing changes any more: the lists are what the server has. */
async function faultsAtTheEnd(
  session: BrowsingSession,
  changer: MailboxChanger,
  visit: VisitPage,
): Promise<string[]> {
  const faults: string[] = []
  for (const folder of ['INBOX', ...browsedFolders]) {
    const params = { _refresh: 1, _layout: 'widescreen', _mbox: folder, _page: 1 }
    const request = { kind: 'folder', what: `${folder} at the end`, folder, page: 1 } as const
    const answer = await visit({ ...request, isSearching: false, uid: undefined, isFlagged: undefined }, () =>
      session.webmail.ajax('list', params),
    )
    const rows = rowsOf(answer).map(comparable)
    const server = (await changer.read(folder)).toReversed().slice(0, 50).map(comparable)
    if (rows.join('\n') !== server.join('\n'))
      faults.push(`${folder} at the end shows\n${rows.join('\n')}\nand the server has\n${server.join('\n')}`)
  }
  return faults
}

const comparable = ({ uid, subject, isSeen, isFlagged }: Omit<MailRow, 'hasAttachment'>) =>
  `${uid} ${subject} ${isSeen} ${isFlagged}`
