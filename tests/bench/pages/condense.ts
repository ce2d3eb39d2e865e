/**
 * Condenses the IMAP dialogue of a browsing session to what a model of the mail server cannot say itself: the commands of each
 * page, sizes and content types of mails, deliveries, and what searches by words have found. The first line has the mailboxes,
 * each further line a page.
 */
import { readFileSync, writeFileSync } from 'node:fs'

interface DialogueLine {
  page?: string
  what?: string
  connection: number
  from: 'client' | 'server'
  bytes: string | (string | number)[]
}

interface Exchange {
  text: string
  answer: string
}

interface DialoguePage {
  kind: string
  what: string
  sessions: Map<number, Exchange[]>
}

interface CondensedMailbox {
  count: number
  messages: Record<string, [size: number, contentType: string]>
}

export function condenseDialogue(dialogue: string, target: string): void {
  const pages = pagesIn(readFileSync(dialogue, 'utf8'))
  const mailboxes = new Map<string, CondensedMailbox>()
  /** The part that is known at this moment. */
  const counts = new Map<string, number>()
  const lines = pages.map((page) => condensePage(page, mailboxes, counts))
  const head = { mailboxes: Object.fromEntries(mailboxes) }
  writeFileSync(target, [head, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''))
}

function pagesIn(text: string): DialoguePage[] {
  const pages: DialoguePage[] = []
  for (const line of text.trim().split('\n')) {
    const part = JSON.parse(line) as DialogueLine
    if (part.page !== undefined) {
      pages.push({ kind: part.page, what: part.what ?? '', sessions: new Map() })
      continue
    }
    const { sessions } = pages.at(-1)!
    const exchanges = sessions.get(part.connection) ?? []
    sessions.set(part.connection, exchanges)
    const bytes = Array.isArray(part.bytes)
      ? part.bytes.map((each) => (typeof each === 'number' ? 'x'.repeat(each) : each)).join('')
      : part.bytes
    const command = /^[A-Z]+\d+ (.*)\r\n$/s.exec(bytes)
    if (part.from === 'client' && command) exchanges.push({ text: command[1]!, answer: '' })
    else if (part.from === 'server' && exchanges.length > 0) exchanges.at(-1)!.answer += bytes
  }
  return pages
}

const withoutQuestion = /^(?:AUTHENTICATE|LOGIN|LOGOUT|CAPABILITY|ID) ?/

function condensePage(
  { kind, what, sessions }: DialoguePage,
  mailboxes: Map<string, CondensedMailbox>,
  counts: Map<string, number>,
): object {
  const arrived: Record<string, number> = {}
  const found: Record<string, string> = {}
  const observe = (name: string, count: number) => {
    if (!mailboxes.has(name)) mailboxes.set(name, { count: count - (counts.get(name) ?? 0), messages: {} })
    else if (count > counts.get(name)!) arrived[name] = (arrived[name] ?? 0) + count - counts.get(name)!
    counts.set(name, count)
  }
  const commands = [...sessions.values()].map((exchanges) => {
    let selected = ''
    for (const { text, answer } of exchanges) {
      selected = /^(?:SELECT|EXAMINE) "?([^\s"]+)/.exec(text)?.[1] ?? selected
      for (const [, name, count] of answer.matchAll(/^\* STATUS "?([^\s"]+)"? \(MESSAGES (\d+)/gm))
        observe(name!, Number(count))
      const exists = /^\* (\d+) EXISTS/m.exec(answer)
      if (exists && /^(?:SELECT|EXAMINE)/.test(text)) observe(selected, Number(exists[1]))
      noteMessages(mailboxes.get(selected), answer)
      const words = /^\* ESEARCH .*? ALL (\S+)\r$/m.exec(answer)
      if (words) found[text] = words[1]!
      noteMove(text, selected, counts)
    }
    return exchanges.map(({ text }) => text).filter((text) => !withoutQuestion.test(text))
  })
  return {
    kind,
    what,
    ...(Object.keys(arrived).length > 0 && { arrived }),
    ...(Object.keys(found).length > 0 && { found }),
    sessions: commands.filter((each) => each.length > 0),
  }
}

function noteMessages(mailbox: CondensedMailbox | undefined, answer: string): void {
  for (const [line, uid, size] of answer.matchAll(/^\* \d+ FETCH \(UID (\d+) RFC822\.SIZE (\d+) .*$/gm)) {
    const header = answer.slice(answer.indexOf(line)).split('\r\n\r\n', 1)[0]!
    const type = /^content-type: *([a-z]+\/[a-z-]+)/im.exec(header)?.[1]?.toLowerCase()
    if (mailbox) mailbox.messages[uid!] = [Number(size), type ?? 'text/plain']
  }
}

function noteMove(text: string, from: string, counts: Map<string, number>): void {
  const to = /^UID MOVE \d+ (\S+)$/.exec(text)?.[1] ?? /^APPEND (\S+) /.exec(text)?.[1]
  if (to === undefined) return
  counts.set(to, (counts.get(to) ?? 0) + 1)
  if (text.startsWith('UID MOVE')) counts.set(from, (counts.get(from) ?? 0) - 1)
}
