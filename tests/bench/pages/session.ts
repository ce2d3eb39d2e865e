/**
 * A seeded browsing session: which pages, in which order, of which mails. Its choices depend on the seed and on what the
 * pages show, so that two sessions on equal mailboxes ask for the same pages.
 */
import { Random } from '../../fuzz/random.ts'
import { BenchError } from '../problem.ts'
import { browsedFolders, largeSubject, subjectWords } from './mailbox.ts'
import { environmentValue, pageValue, rowsOf, Webmail, type MailRow, type WebmailAnswer } from './webmail.ts'

/** Kinds of pages, and how often a session visits each after its beginning. */
const visits = {
  list: 9,
  folder: 8,
  preview: 12,
  show: 5,
  unread: 4,
  refresh: 7,
  search: 4,
  flag: 3,
  delete: 3,
  draft: 2,
  attachment: 2,
  large: 1,
} as const

/** `compose` precedes each `draft`, and `download` follows `large`. */
export const pageKinds = [
  'login',
  'start',
  'list',
  'folder',
  'preview',
  'show',
  'unread',
  'refresh',
  'search',
  'flag',
  'delete',
  'compose',
  'draft',
  'attachment',
  'large',
  'download',
] as const
export type PageKind = (typeof pageKinds)[number]

export interface PageRequest {
  kind: PageKind
  /** In words. */
  what: string
  folder: string
  /** Of the list of mails, from 1. */
  page: number
  isSearching: boolean
  /** The mail that it is about. */
  uid: number | undefined
  /** The flag that it sets or removes. */
  isFlagged: boolean | undefined
}

/** Called for each page. It asks for the page, and does what it likes before and afterwards. */
export type VisitPage = (request: PageRequest, ask: () => Promise<WebmailAnswer>) => Promise<WebmailAnswer>

export interface BrowsingUser {
  name: string
  password: string
}

export interface BrowsingOptions {
  url: string
  user: BrowsingUser
  seed: number
  visit: VisitPage
  /** Delivers a mail to a folder of the user, by its number. */
  deliver: (folder: string, number: number) => void
  /** Divides the number of visits, for a short session. */
  shorter?: number | undefined
}

/** Pages between two deliveries. */
const deliverEvery = 7

export class BrowsingSession {
  readonly webmail: Webmail
  readonly #options: BrowsingOptions
  readonly #random: Random
  #folder = 'INBOX'
  #page = 1
  #pages = 1
  #search = ''
  #rows: MailRow[] = []
  #visited = 0
  #delivered = 0

  constructor(options: BrowsingOptions) {
    this.#options = options
    this.#random = new Random(options.seed)
    this.webmail = new Webmail(options.url)
  }

  async play(): Promise<void> {
    await this.#login()
    await this.#visit('start', 'the page after the login', () =>
      this.webmail.page({ _task: 'mail', _mbox: 'INBOX' }),
    )
    await this.#list(1)
    await this.#unread()
    for (const kind of this.#plan()) await this.#act(kind)
  }

  #plan(): (keyof typeof visits)[] {
    const { shorter = 1 } = this.#options
    const plan = Object.entries(visits).flatMap(([kind, count]) =>
      Array.from({ length: Math.ceil(count / shorter) }, () => kind as keyof typeof visits),
    )
    return shuffle(this.#random, plan)
  }

  async #act(kind: keyof typeof visits): Promise<void> {
    switch (kind) {
      case 'list':
        return this.#list(this.#random.chance(0.25) && this.#pages > 1 ? 2 : 1)
      case 'folder':
        return this.#openFolder(this.#random.pick(browsedFolders.filter(this.#isElsewhere) as [string]))
      case 'preview':
      case 'show':
        return this.#open(kind, await this.#anyMail())
      case 'unread':
        return this.#unread()
      case 'refresh':
        return this.#refresh()
      case 'search':
        return this.#searchFor(this.#random.pick(subjectWords))
      case 'flag':
        return this.#flag(await this.#anyMail())
      case 'delete':
        return this.#delete(await this.#anyMail())
      case 'draft':
        return this.#draft()
      case 'attachment':
        return this.#part('attachment', await this.#anyMail((row) => row.hasAttachment))
      case 'large':
        return this.#large()
    }
  }

  readonly #isElsewhere = (folder: string) => folder !== this.#folder

  async #visit(
    kind: PageKind,
    what: string,
    ask: () => Promise<WebmailAnswer>,
    about: Partial<PageRequest> = {},
  ): Promise<WebmailAnswer> {
    if (++this.#visited % deliverEvery === 0)
      this.#options.deliver(this.#random.chance(0.8) ? 'INBOX' : 'Archive', ++this.#delivered)
    const where = { folder: this.#folder, page: this.#page, isSearching: this.#search !== '' }
    return this.#options.visit({ kind, what, uid: undefined, isFlagged: undefined, ...where, ...about }, ask)
  }

  async #login(): Promise<void> {
    await this.webmail.openForm()
    const { name, password } = this.#options.user
    await this.#visit('login', 'login', async () => {
      const answer = await this.webmail.form(
        { _task: 'login' },
        { _task: 'login', _action: 'login', _timezone: 'UTC', _url: '', _user: name, _pass: password },
      )
      if (answer.status !== 302) throw new BenchError(`Roundcube refused the login of ${name}`)
      return answer
    })
  }

  async #list(page: number): Promise<void> {
    const again = page === 1 ? { _refresh: 1 } : {}
    const params = { ...again, _layout: 'widescreen', _mbox: this.#folder, _page: page }
    this.#search = ''
    const what = `page ${page} of ${this.#folder}`
    this.#listed(await this.#visit('list', what, () => this.webmail.ajax('list', params), { page }), page)
  }

  async #openFolder(folder: string): Promise<void> {
    this.#folder = folder
    this.#search = ''
    const params = { _refresh: 1, _layout: 'widescreen', _mbox: folder, _page: 1 }
    const ask = () => this.webmail.ajax('list', params)
    this.#listed(await this.#visit('folder', folder, ask, { page: 1 }), 1)
  }

  #listed(answer: WebmailAnswer, page: number): void {
    this.#rows = rowsOf(answer)
    this.#page = page
    this.#pages = Number(environmentValue(answer, 'pagecount') ?? 1)
  }

  async #unread(): Promise<void> {
    await this.#visit('unread', 'unread counts', () => this.webmail.ajax('getunread', { _page: this.#page }))
  }

  async #refresh(): Promise<void> {
    const params = {
      _mbox: this.#folder,
      _folderlist: 1,
      _quota: 1,
      _list: 1,
      _uids: this.#rows.map(({ uid }) => uid).join(','),
      _last: Math.floor(Date.now() / 1000) - 60,
      ...this.#searching,
    }
    const answer = await this.#visit('refresh', this.#folder, () => this.webmail.ajaxPost('refresh', params))
    if (answer.text.includes('message_list.clear')) this.#rows = rowsOf(answer)
  }

  async #searchFor(word: string): Promise<void> {
    const params = {
      _q: word,
      _headers: 'subject,from',
      _layout: 'widescreen',
      _filter: 'ALL',
      _scope: 'base',
      _mbox: this.#folder,
    }
    const what = `${word} in ${this.#folder}`
    const ask = () => this.webmail.ajax('search', params)
    const answer = await this.#visit('search', what, ask, { page: 1, isSearching: true })
    this.#listed(answer, 1)
    this.#search = String(environmentValue(answer, 'search_request') ?? '')
  }

  async #open(kind: 'preview' | 'show' | 'large', row: MailRow): Promise<void> {
    const action = kind === 'show' ? 'show' : 'preview'
    const params = {
      _task: 'mail',
      _caps: 'pdf=0,flash=0,tiff=0,webp=1,pgpmime=0',
      _uid: row.uid,
      _mbox: this.#folder,
      ...(action === 'preview' ? { _framed: 1 } : {}),
      ...this.#searching,
      _action: action,
    }
    await this.#visit(kind, `${row.uid} in ${this.#folder}`, () => this.webmail.page(params), {
      uid: row.uid,
    })
  }

  async #flag(row: MailRow): Promise<void> {
    const flag = row.isFlagged ? 'unflagged' : 'flagged'
    const params = { _uid: row.uid, _flag: flag, _mbox: this.#folder, ...this.#searching }
    const what = `${row.uid} in ${this.#folder}, ${flag}`
    await this.#visit('flag', what, () => this.webmail.ajaxPost('mark', params), {
      uid: row.uid,
      isFlagged: !row.isFlagged,
    })
    row.isFlagged = !row.isFlagged
  }

  async #delete(row: MailRow): Promise<void> {
    const params = { _target_mbox: 'Trash', _uid: row.uid, _mbox: this.#folder, ...this.#searching }
    const what = `${row.uid} in ${this.#folder}`
    const answer = await this.#visit('delete', what, () => this.webmail.ajaxPost('move', params), {
      uid: row.uid,
    })
    this.#rows = [...this.#rows.filter(({ uid }) => uid !== row.uid), ...rowsOf(answer)]
  }

  async #draft(): Promise<void> {
    const compose = { _task: 'mail', _action: 'compose', _mbox: this.#folder }
    const form = await this.#visit('compose', 'a new mail', () => this.webmail.page(compose))
    const id = pageValue(form, 'compose_id')
    const fields = {
      ...{ _task: 'mail', _action: 'send', _id: id, _attachments: '', _draft: 1, _draft_saveid: '' },
      ...{ _from: /<option value="(\d+)"/.exec(form.text)?.[1] ?? '', _is_html: 0 },
      ...{ _to: 'ada@imapfleet.example', _cc: '', _bcc: '', _subject: `Draft ${this.#visited}` },
      _message: 'Dear Ada,\r\n\r\nI am still writing this.\r\n',
    }
    const target = { _task: 'mail', _action: 'send', _unlock: 'loading1', _framed: 1, _lang: 'en' }
    await this.#visit('draft', 'save a draft', async () => {
      const answer = await this.webmail.form(target, fields)
      if (!answer.text.includes('set_draft_id'))
        throw new BenchError(`Roundcube did not save a draft: ${answer.text.slice(0, 400)}`)
      return answer
    })
  }

  async #part(kind: 'attachment' | 'download', { uid }: MailRow): Promise<void> {
    const params = { _mbox: this.#folder, _uid: uid, _part: 2 }
    await this.#visit(kind, `part 2 of ${uid} in ${this.#folder}`, () => this.webmail.part(params))
  }

  async #large(): Promise<void> {
    const isLarge = ({ subject }: MailRow) => subject === largeSubject
    if (!this.#rows.some(isLarge)) await this.#openFolder('INBOX')
    const row = this.#rows.find(isLarge)
    if (!row) throw new BenchError('the large mail is not on the first page of INBOX')
    await this.#open('large', row)
    await this.#part('download', row)
  }

  /** A mail of the list, after another list if there is none. */
  async #anyMail(suits: (row: MailRow) => boolean = () => true): Promise<MailRow> {
    const candidates = () => this.#rows.filter((row) => row.subject !== largeSubject && suits(row))
    if (candidates().length === 0) await this.#openFolder('INBOX')
    return this.#random.pick(candidates() as [MailRow])
  }

  get #searching() {
    return this.#search ? { _search: this.#search } : {}
  }
}

function shuffle<T>(random: Random, items: T[]): T[] {
  const shuffled = [...items]
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = random.below(last + 1)
    const [a, b] = [shuffled[last]!, shuffled[other]!]
    shuffled[last] = b
    shuffled[other] = a
  }
  return shuffled
}
