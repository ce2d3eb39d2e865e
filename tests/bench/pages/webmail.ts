/**
 * A browser of Roundcube: it sends the requests that Roundcube's own script sends for each click, and reads from the
 * answers what the next click needs.
 */
import { BenchError } from '../problem.ts'
import { askOnce } from './http.ts'

export interface WebmailAnswer {
  status: number
  location: string | undefined
  text: string
}

/** A row of the list of mails. */
export interface MailRow {
  uid: number
  subject: string
  isSeen: boolean
  isFlagged: boolean
  hasAttachment: boolean
}

type Params = Record<string, string | number>

export class Webmail {
  readonly #url: string
  readonly #cookies = new Map<string, string>()
  #token = ''

  constructor(url: string) {
    this.#url = url
  }

  /** Texts of this session alone, which no comparison of pages may see. */
  get secrets(): string[] {
    return [this.#token, ...this.#cookies.values()].filter((text) => text.length > 8)
  }

  /** Gets the login form, which does not need the mail server. */
  async openForm(): Promise<void> {
    await this.#ask('/', {})
  }

  /** A page of HTML, at its final address. */
  async page(params: Params): Promise<WebmailAnswer> {
    let answer = await this.#ask(`/?${query(params)}`, {})
    for (let hops = 0; answer.location && hops < 3; hops++)
      answer = await this.#ask(new URL(answer.location, `${this.#url}/`).href.slice(this.#url.length), {})
    return this.#expect(answer)
  }

  /** What the script on a page asks for, which is answered in JSON. */
  async ajax(action: string, params: Params): Promise<WebmailAnswer> {
    const all = { ...params, _remote: 1, _unlock: 'loading1' }
    return this.#expect(await this.#ask(`/?_task=mail&_action=${action}&${query(all)}`, this.#ajaxHeaders))
  }

  async ajaxPost(action: string, params: Params): Promise<WebmailAnswer> {
    const body = query({ ...params, _remote: 1, _unlock: 'loading1' })
    return this.#expect(
      await this.#ask(`/?_task=mail&_action=${action}`, {
        method: 'POST',
        body,
        headers: { ...this.#ajaxHeaders.headers, ...formType },
      }),
    )
  }

  async form(params: Params, fields: Params): Promise<WebmailAnswer> {
    const body = query({ _token: this.#token, ...fields })
    return this.#ask(`/?${query(params)}`, { method: 'POST', body, headers: formType })
  }

  /** A part of a mail, which needs the token in its address. */
  async part(params: Params): Promise<WebmailAnswer> {
    const all = { _task: 'mail', _action: 'get', ...params, _token: this.#token, _download: 1 }
    return this.#expect(await this.#ask(`/?${query(all)}`, {}))
  }

  get #ajaxHeaders() {
    return { headers: { 'X-Requested-With': 'XMLHttpRequest', 'X-Roundcube-Request': this.#token } }
  }

  async #ask(path: string, question: Parameters<typeof askOnce>[1]): Promise<WebmailAnswer> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const { status, headers, text } = await askOnce(`${this.#url}${path}`, {
      ...question,
      headers: { ...question?.headers, ...(cookie && { cookie }) },
    })
    for (const line of headers['set-cookie'] ?? []) {
      const [name, value] = /^([^=]+)=([^;]*)/.exec(line)?.slice(1) ?? []
      if (name && value !== undefined) this.#cookies.set(name, value)
    }
    const token = /"request_token":"(\w+)"/.exec(text)?.[1]
    if (token) this.#token = token
    return { status, location: headers.location, text }
  }

  #expect(answer: WebmailAnswer): WebmailAnswer {
    const { status, text } = answer
    const isLoggedOut = text.includes('this.session_error(') || text.includes('name="_pass"')
    if (status !== 200 || isLoggedOut)
      throw new BenchError(
        `Roundcube answered ${status}${isLoggedOut ? ', not logged in' : ''}: ${text.slice(0, 400)}`,
      )
    return answer
  }
}

const formType = { 'Content-Type': 'application/x-www-form-urlencoded' }

const query = (params: Params) =>
  new URLSearchParams(Object.entries(params).map(([key, value]) => [key, String(value)])).toString()

/** The rows that an answer adds to the list of mails. */
export function rowsOf({ text }: WebmailAnswer): MailRow[] {
  const { exec } = jsonOf(text)
  const rows = [...exec.matchAll(/^this\.add_message_row\((.*)\);$/gm)]
  return rows.map(([, args]) => {
    const [uid, columns, flags] = JSON.parse(`[${args}]`) as [
      number | string,
      { subject: string },
      Record<string, unknown>,
    ]
    return {
      uid: Number(uid),
      subject: columns.subject,
      isSeen: Boolean(flags['seen']),
      isFlagged: Boolean(flags['flagged']),
      hasAttachment: flags['ctype'] === 'multipart/mixed',
    }
  })
}

/** A value that an answer in JSON passes to the script. */
export function environmentValue(answer: WebmailAnswer, name: string): string | number | undefined {
  const value = jsonOf(answer.text).env[name]
  return typeof value === 'string' || typeof value === 'number' ? value : undefined
}

/** A value in a page of HTML: of the script's environment, or of a field of a form. */
export function pageValue({ text }: WebmailAnswer, name: string): string {
  const found =
    new RegExp(`"${name}":"?([^",}]+)`).exec(text) ??
    new RegExp(`name="${name}"[^>]*value="([^"]*)"`).exec(text)
  if (found?.[1] === undefined) throw new BenchError(`no ${name} in a page of Roundcube`)
  return found[1]
}

function jsonOf(text: string): { env: Record<string, unknown>; exec: string } {
  const { env = {}, exec = '' } = JSON.parse(text) as { env?: Record<string, unknown>; exec?: string }
  return { env, exec }
}

/** True if the answer to a refresh brings the whole list, false if only flags. */
export function isListAnswer({ text }: WebmailAnswer): boolean {
  return jsonOf(text).exec.includes('this.message_list.clear(')
}

/** The flags that an answer to a refresh tells, by UID. */
export function recentFlagsOf({ text }: WebmailAnswer): Map<number, { isSeen: boolean; isFlagged: boolean }> {
  const { recent_flags: recent = {} } = jsonOf(text).env as {
    recent_flags?: Record<string, Record<string, number>>
  }
  return new Map(
    Object.entries(recent).map(([uid, flags]) => [
      Number(uid),
      { isSeen: Boolean(flags['seen']), isFlagged: Boolean(flags['flagged']) },
    ]),
  )
}
