/**
 * Hides mail in the responses of a server, by data item: ENVELOPE, BODY and similar items are hidden, whether the server sends them
 * as quoted strings, literals or lists. Flags, numbers, dates, names of mailboxes and the words of the protocol are shown. Unknown
 * or invalid data is hidden.
 */
import type { AskedCommands } from './asked-commands.ts'
import { LineTokens, MaskedLine, wordList } from './masked-line.ts'

/** How the data of an untagged response is shown. */
type Data = 'all' | 'numbers' | 'fetch' | 'metadata' | 'none'

const dataOf = new Map<string, Data>([
  ...wordList(
    `CAPABILITY ENABLED ID LANGUAGE COMPARATOR NAMESPACE FLAGS LIST LSUB XLIST STATUS QUOTA QUOTAROOT ACL MYRIGHTS LISTRIGHTS`,
  ).map((name) => [name, 'all'] as const),
  ...wordList('SEARCH SORT THREAD ESEARCH VANISHED').map((name) => [name, 'numbers'] as const),
  ['METADATA', 'metadata'],
])
/** Responses that begin with a number: `* 3 EXISTS`. */
const dataOfMessage = new Map<string, Data>([
  ...wordList('EXISTS RECENT EXPUNGE').map((name) => [name, 'numbers'] as const),
  ['FETCH', 'fetch'],
])
const resultWords = new Set(
  wordList('MODSEQ TAG UID MIN MAX ALL COUNT PARTIAL RELEVANCY ADDTO REMOVEFROM EARLIER NIL'),
)

/** The pattern of values of a FETCH item that are shown. Undefined: the value is never shown. */
const fetchItems = new Map<string, RegExp | undefined>([
  ...wordList('UID MODSEQ RFC822.SIZE BINARY.SIZE X-GM-MSGID X-GM-THRID').map(
    (name) => [name, /^\d+$/] as const,
  ),
  ...wordList('INTERNALDATE SAVEDATE').map(
    (name) => [name, /^(?:"[ \d]\d-[A-Za-z]{3}-\d{4} \d\d:\d\d:\d\d [+-]\d{4}"|NIL)$/] as const,
  ),
  ...wordList('EMAILID THREADID').map((name) => [name, /^[\w-]{1,255}$/] as const),
  ['FLAGS', /^[\\$\w.+\-!#&'/:;<=>?@^`|~,]+$/],
  ...wordList(
    `ENVELOPE BODY BODYSTRUCTURE BINARY RFC822 RFC822.HEADER RFC822.TEXT PREVIEW SNIPPET ANNOTATION X-GM-LABELS`,
  ).map((name) => [name, undefined] as const),
])
const itemPattern = /^([A-Z][A-Z0-9.-]*)(\[[A-Z0-9.-]*(?:\](?:<\d+>)?)?)?$/i
const sectionPart = /^(?:[\w-]+|\](?:<\d+>)?)$/
const tagPattern = /^[^ ]{1,32}$/
const entryName = /^"?\/[\w./*%-]{1,128}"?$/

/** Response codes, and those with numbers, flags or words of the protocol as arguments (RFC 5530, RFC 9051 7.1). */
const codeWords = new Set(
  wordList(
    `ALERT ALREADYEXISTS AUTHENTICATIONFAILED AUTHORIZATIONFAILED BADCHARSET CANNOT CLIENTBUG CLOSED CONTACTADMIN CORRUPTION
     EXPIRED EXPUNGEISSUED HASCHILDREN HIGHESTMODSEQ INPROGRESS INUSE LIMIT MODIFIED NOMODSEQ NONEXISTENT NOPERM NOTSAVED
     NOUPDATE OVERQUOTA PRIVACYREQUIRED READ-ONLY READ-WRITE SERVERBUG TRYCREATE UIDNOTSTICKY UNAVAILABLE UNKNOWN-CTE WEBALERT`,
  ),
)
const codeWithArguments =
  /^(?:(?:UIDNEXT|UIDVALIDITY|UNSEEN|HIGHESTMODSEQ|COPYUID|APPENDUID|MODIFIED|APPENDLIMIT|TOOBIG|METADATA (?:LONGENTRIES|MAXSIZE)) [\d:,* ]+|PERMANENTFLAGS \([^")]*\)|CAPABILITY [^"]+|MAILBOXID \([\w-]+\))$/

export class ResponseMask {
  readonly #asked: AskedCommands
  #data: Data = 'none'
  /** Everything to the end of the response is hidden. */
  #hidesRest: boolean
  /** The last response did not end according to the grammar. Lines are hidden until the reply to a known command. */
  #isBroken = false
  #depth = 0
  #expects: 'item' | 'section' | 'value' | 'end' = 'item'
  #item: RegExp | undefined
  #arguments = 0

  /** @param continues whether the trace begins within a response */
  constructor(asked: AskedCommands, continues: boolean) {
    this.#asked = asked
    this.#hidesRest = continues
  }

  /**
   * The text of a line that ends at `end`, without its line end.
   * @param continues whether the line continues a response after a literal
   * @param literal size of the literal that the line announces
   */
  line(bytes: Buffer, start: number, end: number, continues: boolean, literal: number | undefined): string {
    const tokens = new LineTokens(bytes, start, end, literal !== undefined)
    const line = new MaskedLine(bytes)
    if (!continues) this.#begin(tokens, line, start, end)
    while (tokens.next()) {
      if (tokens.kind === 'spaces') line.spaces(tokens.from, tokens.to)
      else if (tokens.kind === 'literal') {
        line.literal(tokens.from, tokens.to, literal ?? 0)
        this.#tookLiteral()
      } else if (this.#hidesRest) {
        this.#countHidden(tokens)
        line.mask(tokens)
      } else if (this.#mayShow(tokens)) line.show(tokens.from, tokens.to)
      else line.mask(tokens)
    }
    if (literal === undefined && this.#data === 'fetch' && this.#depth !== 0) this.#isBroken = true
    return line.end()
  }

  /** The rest of the line is not available, so the rest of the response is hidden. */
  lose(): void {
    this.#hidesRest = true
    if (this.#data === 'fetch') this.#isBroken = true
  }

  #begin(tokens: LineTokens, line: MaskedLine, start: number, end: number): void {
    this.#hidesRest = false
    this.#data = 'none'
    this.#depth = this.#arguments = 0
    this.#expects = 'item'
    const text = tokens.bytes.toString('latin1', start, Math.min(end, start + 2000))
    const show = (length: number) => {
      line.show(start, start + length)
      tokens.to = start + length
    }
    const [whole = '', tag = '', status = '', code = ''] =
      /^(\*|\+|[^ ]+)(?: (OK|NO|BAD|BYE|PREAUTH)(?= |$))? ?(\[[^\]]*\])?/i.exec(text) ?? []
    if (tag !== '*' && tag !== '+') {
      const command = status !== '' && tagPattern.test(tag) ? this.#asked.answer(tag) : undefined
      // Without a command with this tag, this is not a reply. It may be mail that the server did not send as a string.
      this.#hidesRest = true
      if (command === undefined) return
      this.#isBroken = false
      this.#showStatus(line, tokens, { start, end, whole, code, hidesText: command.hidesReply })
      return
    }
    this.#hidesRest = true
    if (this.#isBroken) return
    if (tag === '+' || status !== '') {
      this.#showStatus(line, tokens, { start, end, whole, code, hidesText: this.#asked.hideText })
      return
    }
    const [data = '', number, name = ''] = /^\* (?:(\d+) )?([A-Z]+)(?= |$)/i.exec(text) ?? []
    const kind = (number === undefined ? dataOf : dataOfMessage).get(name.toUpperCase())
    if (kind === undefined) return
    this.#data = kind
    this.#hidesRest = false
    show(data.length)
  }

  /** Shows a status and its code, and its text unless the text may repeat mail. */
  #showStatus(
    line: MaskedLine,
    tokens: LineTokens,
    { start, end, whole, code, hidesText }: StatusLine,
  ): void {
    // The text after PARSE may contain parts of a mail (RFC 9051 7.1).
    const hides = /^\[PARSE\b/i.test(code) || (hidesText && !/^\[ALERT\]/i.test(code))
    const words = code.slice(1, -1).toUpperCase()
    const isKnownCode = codeWords.has(words) || codeWithArguments.test(words)
    const shown = hides ? whole.length - (isKnownCode ? 0 : code.length) : end - start
    line.show(start, start + shown)
    tokens.to = start + shown
  }

  #mayShow(tokens: LineTokens): boolean {
    if (tokens.kind === 'open-string') {
      this.#hidesRest = true
      this.#isBroken = true
      return false
    }
    switch (this.#data) {
      case 'all':
        return true
      case 'none':
        return false
      case 'numbers':
        return this.#mayShowOfNumbers(tokens)
      case 'metadata':
        return this.#mayShowOfMetadata(tokens)
      case 'fetch':
        return this.#mayShowOfFetch(tokens)
    }
  }

  /** Hidden parentheses must be balanced too. */
  #countHidden({ kind }: LineTokens): void {
    if (this.#data !== 'fetch') return
    if (kind === 'open') this.#depth++
    else if (kind === 'close') this.#depth--
    else if (kind === 'open-string') this.#isBroken = true
  }

  #tookLiteral(): void {
    if (this.#data === 'metadata') this.#arguments++
    else if (this.#data === 'fetch' && !this.#hidesRest) {
      if (this.#expects === 'value' && this.#depth === 1) this.#expects = 'item'
      else if (this.#expects !== 'section' && this.#expects !== 'value') this.#hidesRest = true
    }
  }

  #mayShowOfNumbers(tokens: LineTokens): boolean {
    if (tokens.kind === 'open' || tokens.kind === 'close') return true
    const text = tokens.text
    return tokens.kind === 'atom' && (/^[\d:,*.-]+$/.test(text) || resultWords.has(text.toUpperCase()))
  }

  /** `mailbox (entry value entry value)`, or `mailbox entry entry` (RFC 5464 4.4). */
  #mayShowOfMetadata(tokens: LineTokens): boolean {
    if (tokens.kind === 'open' || tokens.kind === 'close') {
      this.#depth += tokens.kind === 'open' ? 1 : -1
      if (this.#depth === 1) this.#arguments = 0
      return this.#depth <= 1 || this.#refuse()
    }
    const place = this.#arguments++
    if (this.#depth === 0) return place === 0 || entryName.test(tokens.text)
    return place % 2 === 0 ? entryName.test(tokens.text) : tokens.text === 'NIL'
  }

  /** `(item value item value)`. */
  #mayShowOfFetch(tokens: LineTokens): boolean {
    const { kind } = tokens
    if (this.#expects === 'section') return this.#mayShowOfSection(tokens)
    if (kind === 'open') {
      this.#depth++
      if (this.#depth === 1) return true
      if (this.#expects !== 'value') return this.#refuse()
      return this.#item !== undefined && this.#depth === 2
    }
    if (kind === 'close') {
      this.#depth--
      if (this.#depth === 1 && this.#expects === 'value') {
        this.#expects = 'item'
        return this.#item !== undefined
      }
      if (this.#depth === 0 && this.#expects === 'item') {
        this.#expects = 'end'
        return true
      }
      return this.#depth > 1 ? false : this.#refuse()
    }
    if (this.#depth === 0) return this.#refuse()
    if (this.#expects === 'value') {
      if (this.#depth === 1) this.#expects = 'item'
      const text = tokens.text
      if (this.#depth === 1 && text === 'NIL') return true
      const isFlag = this.#item === fetchItems.get('FLAGS')
      return (
        this.#item !== undefined &&
        this.#depth <= 2 &&
        (!isFlag || this.#depth === 2) &&
        this.#item.test(text)
      )
    }
    return kind === 'atom' && this.#expects === 'item' ? this.#takeItem(tokens.text) : this.#refuse()
  }

  #takeItem(text: string): boolean {
    const [, name = '', section] = itemPattern.exec(text) ?? []
    if (!fetchItems.has(name.toUpperCase())) return this.#refuse()
    this.#item = fetchItems.get(name.toUpperCase())
    this.#expects = section === undefined || section.includes(']') ? 'value' : 'section'
    return true
  }

  /** Names of header fields, to the closing bracket: `BODY[HEADER.FIELDS (DATE FROM)]`. */
  #mayShowOfSection(tokens: LineTokens): boolean {
    if (tokens.kind === 'open' || tokens.kind === 'close') return true
    if (tokens.kind !== 'atom') return false
    const { text } = tokens
    if (text.startsWith(']')) this.#expects = 'value'
    return sectionPart.test(text) || this.#refuse()
  }

  /** The response does not follow the grammar: hides the rest of it. */
  #refuse(): false {
    this.#hidesRest = true
    return false
  }
}

interface StatusLine {
  start: number
  end: number
  /** Everything up to the code, including it. */
  whole: string
  code: string
  hidesText: boolean
}
