/**
 * Hides mail in the commands of a client: search words, messages, annotations. Names of mailboxes, flags, numbers, dates and
 * the words of the protocol are shown. A command that is unknown or cannot be parsed is hidden completely.
 */
import type { AskedCommands } from './asked-commands.ts'
import { LineTokens, MaskedLine, wordList } from './masked-line.ts'

/** How the arguments of a command are shown. */
type Policy = 'all' | 'search' | 'store' | 'append' | 'metadata' | 'none'

const policies = new Map<string, Policy>([
  ...wordList(
    `CAPABILITY NOOP LOGOUT CHECK CLOSE UNSELECT EXPUNGE IDLE NAMESPACE ENABLE ID STARTTLS COMPRESS UNAUTHENTICATE
     SELECT EXAMINE CREATE DELETE RENAME SUBSCRIBE UNSUBSCRIBE LIST LSUB XLIST RLIST RLSUB STATUS
     COPY MOVE FETCH LANGUAGE COMPARATOR GETQUOTA GETQUOTAROOT SETQUOTA GETACL SETACL DELETEACL MYRIGHTS LISTRIGHTS
     GETMETADATA GETANNOTATION NOTIFY GETJMAPACCESS RESETKEY`,
  ).map((verb) => [verb, 'all'] as const),
  ...wordList('SEARCH SORT THREAD ESEARCH').map((verb) => [verb, 'search'] as const),
  ...wordList('APPEND REPLACE').map((verb) => [verb, 'append'] as const),
  ['STORE', 'store'],
  ['SETMETADATA', 'metadata'],
  // The splice shows only the verb of these.
  ...wordList('LOGIN AUTHENTICATE PROXYAUTH').map((verb) => [verb, 'none'] as const),
])

/** Commands for which the server reads mail. The text of the reply may contain parts of it. */
const readsMail = new Set(wordList('FETCH SEARCH SORT THREAD ESEARCH'))

/** Words of SEARCH, SORT and THREAD that are shown, like dates, numbers and sets. Everything else is hidden. */
const searchWords = new Set(
  wordList(
    `ALL ANSWERED DELETED DRAFT FLAGGED NEW OLD RECENT SEEN UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNSEEN NOT OR UID
     BEFORE ON SINCE SENTBEFORE SENTON SENTSINCE SAVEDBEFORE SAVEDON SAVEDSINCE SAVEDATESUPPORTED LARGER SMALLER OLDER YOUNGER
     MODSEQ RETURN MIN MAX COUNT SAVE PARTIAL CONTEXT UPDATE RELEVANCY CHARSET IN FUZZY SUBJECT FROM TO CC BCC BODY TEXT
     HEADER KEYWORD UNKEYWORD EMAILID THREADID X-GM-RAW X-GM-MSGID X-GM-THRID X-GM-LABELS ANNOTATION FILTER PREVIEW
     ARRIVAL DATE DISPLAYFROM DISPLAYTO REVERSE SIZE ORDEREDSUBJECT REFERENCES REFS US-ASCII UTF-8 ISO-8859-1 ISO-8859-15
     SELECTED SELECTED-DELAYED INBOXES PERSONAL SUBSCRIBED SUBTREE SUBTREE-ONE MAILBOXES`,
  ),
)
/** How many values after a search key are hidden. */
const hiddenValues = new Map<string, number>([
  ...wordList('SUBJECT FROM TO CC BCC BODY TEXT X-GM-RAW X-GM-LABELS FILTER PREVIEW').map(
    (key) => [key, 1] as const,
  ),
  ['HEADER', 2],
  ['ANNOTATION', 3],
])
const headerFields = new Set(
  wordList(
    `SUBJECT FROM TO CC BCC DATE SENDER REPLY-TO MESSAGE-ID IN-REPLY-TO REFERENCES LIST-ID CONTENT-TYPE X-PRIORITY
     IMPORTANCE DELIVERED-TO RETURN-PATH RESENT-TO X-SPAM-FLAG`,
  ),
)
const tagPattern = /^[\w.+\-:$/]{1,32}$/
const numberOrSet = /^[\d:,*$]+$/
const date = /^"?[ \d]?\d-[A-Za-z]{3}-\d{4}(?: \d\d:\d\d:\d\d [+-]\d{4})?"?$/
const flag = /^[\\$\w.+-]{1,64}$/
const flagItem = /^[+-]?FLAGS(?:\.SILENT)?$/i
const entryName = /^"?\/[\w./*%-]{1,128}"?$/

interface Head {
  /** Tag and verb as the client writes them. */
  whole: string
  tag: string
  /** In upper case, without UID. */
  verb: string
  policy: Policy
}

/** The head of a known command. DONE ends IDLE and has no tag (RFC 2177). */
function headOf(bytes: Buffer, start: number, end: number): Head | 'DONE' | undefined {
  const text = bytesAsText(bytes, start, Math.min(end, start + 100))
  const [whole = '', tag = '', word = ''] = /^([^ ]+) +(?:UID +)?([A-Za-z-]+)(?= |$)/i.exec(text) ?? []
  const verb = word.toUpperCase()
  const policy = policies.get(verb)
  if (policy !== undefined && tagPattern.test(tag)) return { whole, tag, verb, policy }
  return /^DONE$/i.test(text) ? 'DONE' : undefined
}

/** Whether the line from `start` to `end`, without its line end, begins a known command. */
export const isKnownCommand = (bytes: Buffer, start: number, end: number): boolean =>
  headOf(bytes, start, end) !== undefined

export class CommandMask {
  readonly #asked: AskedCommands
  #tag: string | undefined
  #policy: Policy = 'none'
  /** Everything to the end of the command is hidden. */
  #hidesRest: boolean
  #depth = 0
  /** Arguments so far, outside of lists. */
  #arguments = 0
  /** How many of the next values, of a search key, are hidden. */
  #hidden = 0
  /** The kind of the next value, if the previous word determines it. */
  #expects: 'flag' | 'header-field' | 'flag-list' | 'entry' | 'value' | undefined
  /** Whether the current list has flags. */
  #inFlags = false
  #isSort = false
  /** Index of the mailbox among the arguments of APPEND and REPLACE. */
  #mailboxAt = 0

  /** @param continues whether the trace begins within a command */
  constructor(asked: AskedCommands, continues: boolean) {
    this.#asked = asked
    this.#hidesRest = continues
  }

  /**
   * The text of a line that ends at `end`, without its line end.
   * @param continues whether the line continues a command after a literal
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
        this.#took()
      } else if (this.#hidesRest || !this.#mayShow(tokens)) line.mask(tokens)
      else line.show(tokens.from, tokens.to)
    }
    if (line.hasMasked && this.#tag !== undefined) this.#asked.ask(this.#tag, true)
    return line.end()
  }

  /** The rest of the line is not available, so the rest of the command is hidden. */
  lose(): void {
    this.#hidesRest = true
    if (this.#tag !== undefined) this.#asked.ask(this.#tag, true)
  }

  /** Reads tag and verb. */
  #begin(tokens: LineTokens, line: MaskedLine, start: number, end: number): void {
    this.#tag = undefined
    this.#hidesRest = false
    this.#depth = this.#arguments = this.#hidden = 0
    this.#expects = undefined
    this.#inFlags = false
    const head = headOf(tokens.bytes, start, end)
    if (head === undefined || head === 'DONE') {
      this.#hidesRest = head === undefined
      this.#policy = head === undefined ? 'none' : 'all'
      return
    }
    const { whole, tag, verb, policy } = head
    this.#policy = policy
    this.#tag = tag
    this.#isSort = verb === 'SORT'
    this.#mailboxAt = verb === 'REPLACE' ? 1 : 0
    if (policy === 'metadata') this.#expects = 'entry'
    this.#asked.ask(tag, readsMail.has(verb) || policy === 'append')
    line.show(start, start + whole.length)
    tokens.to = start + whole.length
  }

  #mayShow(tokens: LineTokens): boolean {
    if (tokens.kind === 'open-string') {
      this.#hidesRest = true
      return false
    }
    switch (this.#policy) {
      case 'all':
        return true
      case 'none':
        return false
      case 'search':
        return this.#mayShowOfSearch(tokens)
      case 'store':
        return this.#mayShowOfStore(tokens)
      case 'append':
        return this.#mayShowOfAppend(tokens)
      case 'metadata':
        return this.#mayShowOfMetadata(tokens)
    }
  }

  /** A value has passed, shown or not. */
  #took(): void {
    if (this.#hidden > 0) this.#hidden--
    if (this.#depth === 0) this.#arguments++
    if (this.#policy !== 'metadata') this.#expects = undefined
    else if (this.#depth === 1) this.#expects = this.#expects === 'value' ? 'entry' : 'value'
  }

  #mayShowOfSearch(tokens: LineTokens): boolean {
    if (tokens.kind === 'open' || tokens.kind === 'close') {
      this.#depth += tokens.kind === 'open' ? 1 : -1
      return true
    }
    const text = tokens.text
    // The criteria of SORT name fields without a value: `SORT RETURN (COUNT) (SUBJECT) UTF-8 ALL`.
    const isCriterion = this.#isSort && this.#depth === 1 && this.#arguments === 0
    const expects = this.#expects
    const isHidden = this.#hidden > 0
    this.#took()
    if (expects === 'header-field') return headerFields.has(unquoted(text).toUpperCase())
    if (isHidden) return false
    if (expects === 'flag') return tokens.kind === 'atom' && flag.test(text)
    if (numberOrSet.test(text) || date.test(text)) return true
    const word = text.toUpperCase()
    if (tokens.kind !== 'atom' || !searchWords.has(word)) return false
    if (isCriterion) return true
    if (word === 'RETURN' && this.#depth === 0) this.#arguments--
    this.#hidden = hiddenValues.get(word) ?? 0
    if (word === 'HEADER') this.#expects = 'header-field'
    if (word === 'KEYWORD' || word === 'UNKEYWORD') this.#expects = 'flag'
    return true
  }

  /** `1:3 (UNCHANGEDSINCE 5) +FLAGS (\Seen)`. */
  #mayShowOfStore(tokens: LineTokens): boolean {
    if (tokens.kind === 'open') {
      this.#depth++
      this.#inFlags = this.#expects === 'flag-list'
      return this.#inFlags || this.#arguments === 1
    }
    if (tokens.kind === 'close') {
      this.#depth--
      return this.#inFlags || this.#arguments === 1
    }
    const text = tokens.text
    if (tokens.kind !== 'atom') {
      this.#hidesRest = true
      return false
    }
    if (this.#expects === 'flag-list') return flag.test(text)
    if (this.#depth === 0 && flagItem.test(text)) {
      this.#expects = 'flag-list'
      return true
    }
    if (this.#depth === 0) this.#arguments++
    if (numberOrSet.test(text)) return true
    if (this.#depth > 0 && /^UNCHANGEDSINCE$/i.test(text)) return true
    this.#hidesRest = true
    return false
  }

  /** `mailbox (\Seen) "date" {size}`; REPLACE has a message number first. */
  #mayShowOfAppend(tokens: LineTokens): boolean {
    if (tokens.kind === 'open' || tokens.kind === 'close') {
      this.#depth += tokens.kind === 'open' ? 1 : -1
      return true
    }
    const text = tokens.text
    const place = this.#depth === 0 ? this.#arguments++ : Infinity
    if (place === this.#mailboxAt) return true
    if (place < this.#mailboxAt) return numberOrSet.test(text)
    if (tokens.kind === 'string') return date.test(text)
    if (this.#depth === 1 && flag.test(text)) return true
    this.#hidesRest = true
    return false
  }

  /** `mailbox (entry value entry value)`. */
  #mayShowOfMetadata(tokens: LineTokens): boolean {
    if (tokens.kind === 'open' || tokens.kind === 'close') {
      this.#depth += tokens.kind === 'open' ? 1 : -1
      this.#hidesRest = this.#depth > 1
      return !this.#hidesRest
    }
    if (this.#depth === 0) {
      this.#hidesRest = this.#arguments++ > 0
      return !this.#hidesRest
    }
    const isEntry = this.#expects === 'entry' && entryName.test(tokens.text)
    this.#took()
    return isEntry
  }
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1) : text
}

function bytesAsText(bytes: Buffer, from: number, to: number): string {
  return bytes.toString('latin1', from, to)
}
