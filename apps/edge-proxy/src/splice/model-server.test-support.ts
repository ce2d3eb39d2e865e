/**
 * For tests: a mail server that knows UID, size and content type of its messages. It answers the commands of webmails in
 * order, with generated text, also commands that no recorded client has sent.
 */

export interface ModelMailbox {
  /** Number of messages. Their UIDs are 1 to `count`. */
  count: number
  /** By UID: size and content type, if the recorded client has received them. */
  messages: Record<string, [size: number, contentType: string]>
}

interface Mailbox {
  uids: number[]
  uidNext: number
  messages: Map<number, [size: number, contentType: string]>
  seen: Set<number>
}

const unknownMessage: [number, string] = [3000, 'text/plain']

export class ModelServer {
  /** Results of searches for words, by command. */
  found = new Map<string, string>()
  readonly #mailboxes = new Map<string, Mailbox>()
  #selected: Mailbox | undefined

  constructor(mailboxes: Record<string, ModelMailbox>) {
    for (const [name, { count, messages }] of Object.entries(mailboxes))
      this.#mailboxes.set(name, {
        uids: Array.from({ length: count }, (_, index) => index + 1),
        uidNext: count + 1,
        messages: new Map(Object.entries(messages).map(([uid, facts]) => [Number(uid), facts])),
        seen: new Set(),
      })
  }

  /** A client has logged in. */
  connect(): void {
    this.#selected = undefined
  }

  deliver(name: string, count: number): void {
    for (let each = 0; each < count; each++) this.#append(this.#mailboxes.get(name)!)
  }

  #append(mailbox: Mailbox, facts?: [number, string]): void {
    const uid = mailbox.uidNext++
    mailbox.uids.push(uid)
    if (facts && !mailbox.messages.has(uid)) mailbox.messages.set(uid, facts)
  }

  /** One text for each command in the bytes of a client. */
  *answer(bytes: string): Generator<string> {
    for (let rest = bytes; rest !== '';) {
      const end = rest.indexOf('\r\n')
      let line = rest.slice(0, end)
      rest = rest.slice(end + 2)
      const literal = /\{(\d+)\+?\}$/.exec(line)
      if (literal) {
        rest = rest.slice(Number(literal[1]))
        line += rest.slice(0, rest.indexOf('\r\n'))
        rest = rest.slice(rest.indexOf('\r\n') + 2)
      }
      const at = line.indexOf(' ')
      const tag = line.slice(0, at)
      const answer = this.#execute(tag, line.slice(at + 1))
      yield answer.endsWith('NO refused\r\n') ? `${tag} ${answer}` : `${answer}${tag} OK done\r\n`
    }
  }

  #execute(tag: string, text: string): string {
    const [verb = '', second = '', third = ''] = text.split(' ')
    switch (verb === 'UID' ? `UID ${second}` : verb) {
      case 'STATUS':
        return this.#status(text)
      case 'SELECT':
      case 'EXAMINE':
        return this.#select(second)
      case 'UNSELECT':
        this.#selected = undefined
        return ''
      case 'LIST':
        return /\*"?$/.test(text)
          ? [...this.#mailboxes.keys()]
              .filter((name) => name !== 'INBOX')
              .toSorted()
              .map((name) => `* LIST (\\Subscribed) "." ${name}\r\n`)
              .join('')
          : `* LIST () "." ${text.split(' ').at(-1)}\r\n`
      case 'LSUB':
        return `* LSUB () "." ${third}\r\n`
      case 'NAMESPACE':
        return '* NAMESPACE (("" ".")) NIL NIL\r\n'
      case 'UID SEARCH':
        return this.#search(tag, text)
      case 'UID FETCH':
      case 'FETCH':
        return this.#fetch(text)
      case 'UID STORE':
        if (text.includes('\\Seen')) this.#selected!.seen.add(Number(third))
        return ''
      case 'UID MOVE':
        return this.#move(Number(third), text.split(' ').at(-1)!)
      case 'APPEND':
        this.#append(this.#mailboxes.get(second)!)
        return ''
      case 'NOOP':
        return ''
      default:
        throw new Error(`the model does not know ${text}`)
    }
  }

  #status(text: string): string {
    const [, name = '', items = ''] = /^STATUS (\S+) \((.*)\)$/.exec(text) ?? []
    const mailbox = this.#mailboxes.get(name)
    if (!mailbox) return 'NO refused\r\n'
    const value = (item: string): number => {
      if (item === 'MESSAGES') return mailbox.uids.length
      if (item === 'UIDNEXT') return mailbox.uidNext
      return 1
    }
    const pairs = items.split(' ').map((item) => `${item} ${value(item)}`)
    return `* STATUS ${name} (${pairs.join(' ')})\r\n`
  }

  #select(name: string): string {
    this.#selected = this.#mailboxes.get(name)
    if (!this.#selected) return 'NO refused\r\n'
    const { uids, uidNext } = this.#selected
    return (
      `* FLAGS (\\Seen)\r\n* ${uids.length} EXISTS\r\n* 0 RECENT\r\n` +
      `* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT ${uidNext}] x\r\n`
    )
  }

  #search(tag: string, text: string): string {
    const { uids } = this.#selected!
    const plain = text.replace('RETURN (ALL) ', '')
    const keys = plain.slice('UID SEARCH '.length)
    const words = this.found.get(text) ?? this.found.get(plain) ?? ''
    const found = /^(?:\d+|\*)$/.test(keys)
      ? [keys === '*' ? uids.at(-1) : uids[Number(keys) - 1]].filter((uid) => uid !== undefined)
      : keys === 'ALL'
        ? uids
        : uidsIn(words).filter((uid) => uids.includes(uid))
    if (text === plain) return `* SEARCH ${found.join(' ')}\r\n`
    return `* ESEARCH (TAG "${tag}") UID${found.length > 0 ? ` ALL ${found.join(',')}` : ''}\r\n`
  }

  #fetch(text: string): string {
    const [, set = '', items = ''] = /FETCH (\S+) \((.*?)\)(?: \(CHANGEDSINCE \d+\))?$/.exec(text) ?? []
    const { uids, messages, seen } = this.#selected!
    const last = text.startsWith('UID') ? uids.at(-1) : uids.length
    const named = uidsIn(set.replace('*', `${last ?? 0}`))
    const asked = new Set(text.startsWith('UID') ? named : named.map((number) => uids[number - 1]))
    if (text.includes('CHANGEDSINCE')) return ''
    return uids
      .flatMap((uid, index) => {
        if (!asked.has(uid)) return []
        const [size, type] = messages.get(uid) ?? unknownMessage
        const parts = [...items.matchAll(/[A-Z0-9.]+(?:\[[^\]]*\](?:<0\.\d+>)?)?/g)].map(([item]) => {
          if (item === 'UID') return `UID ${uid}`
          if (item === 'RFC822.SIZE') return `RFC822.SIZE ${size}`
          if (item === 'FLAGS') return `FLAGS (${seen.has(uid) ? '\\Seen' : ''})`
          if (item === 'INTERNALDATE') return 'INTERNALDATE "05-Jan-2026 13:00:00 +0000"'
          if (item === 'BODYSTRUCTURE') return 'BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 1 1)'
          const content = item.includes('HEADER') ? `Content-Type: ${type}; x=y\r\n\r\n` : 'some text'
          return `${item.replace('.PEEK', '').replace(/(?<=<0)\.\d+/, '')} {${content.length}}\r\n${content}`
        })
        const whole = items.includes('UID') ? parts : [`UID ${uid}`, ...parts]
        return `* ${index + 1} FETCH (${whole.join(' ')})\r\n`
      })
      .join('')
  }

  #move(uid: number, to: string): string {
    const from = this.#selected!
    const at = from.uids.indexOf(uid)
    from.uids.splice(at, 1)
    this.#append(this.#mailboxes.get(to)!, from.messages.get(uid))
    return `* OK [COPYUID 1 ${uid} 1] moved\r\n* ${at + 1} EXPUNGE\r\n`
  }
}

function uidsIn(set: string): number[] {
  return set.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split(':').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}
