/**
 * A simulated client similar to webmails. It keeps a view of its mailbox from the responses, and checks every response against
 * that view (RFC 9051). It does not use the edge's parser.
 */
import type { Auditor } from './auditor.ts'
import { partsOf, uidsOf } from './edge-commands.ts'
import type { Chance } from './chance.ts'
import { isSealed, ownersIn, partMark } from './mail-store.ts'
import { ResponseReader, type ReadResponse } from './response-reader.ts'
import type { Scheduled, Scheduler } from './scheduler.ts'
import { printFlags } from './selection.ts'
import type { SentTag, SessionRecord } from './session-record.ts'
import type { WireEnd, WireHandler } from './wire.ts'

export interface ClientReply {
  status: string
  text: string
  untagged: string[]
}

interface Waiting {
  tag: string
  since: number
  untagged: string[]
  resolve: (reply: ClientReply | undefined) => void
}

/** What a client knows of the flags of a message. `isWhole`: all others are absent. */
interface KnownFlags {
  readonly isWhole: boolean
  readonly present: Set<string>
  readonly absent: Set<string>
}

const nothingKnown: KnownFlags = { isWhole: false, present: new Set(), absent: new Set() }

/** How long the client waits for a reply without receiving data, before it disconnects. */
const patienceMs = 90_000
/** More bytes than unsolicited data in this time: a large answer is arriving on a slow connection. */
const patienceBytes = 2000

export class MailClient implements WireHandler {
  readonly session: SessionRecord
  readonly #end: WireEnd
  readonly #auditor: Auditor
  readonly #scheduler: Scheduler
  readonly #reader = new ResponseReader()
  readonly #waiting: Waiting[] = []
  #onGreeting: ((line: string | undefined) => void) | undefined
  #greeting: string | undefined
  #onContinue: ((isAsked: boolean) => void) | undefined
  #isOver = false
  /** The tag of the last answered command that selects or unselects. Tags of a session are in ascending order. */
  #selectionTag = ''
  #hasLoggedOut = false
  /** The client has sent a part of a command, and will disconnect within it. */
  #hasSaidPart = false
  /** The known UIDs of the selected mailbox, by sequence number. */
  #uids: (number | undefined)[] = []
  #found: readonly number[] = []
  /** The last FLAGS response of the selected mailbox, and the keywords that its messages had. */
  #flagList: readonly string[] = []
  readonly #keywords = new Set<string>()
  /** Flags by UID, as responses and own STORE commands tell. */
  readonly #flags = new Map<number, KnownFlags>()
  #isSelecting = false
  /** Number of received bytes. */
  #received = 0
  #newsBytes = 0
  /** Runs when the connection has ended. */
  onOver: () => void = () => {}
  /** Whether a message of the user begins with this text. */
  isBeginningOfMail: (text: string) => boolean = () => true

  constructor(session: SessionRecord, end: WireEnd, auditor: Auditor, scheduler: Scheduler) {
    this.session = session
    this.#end = end
    this.#auditor = auditor
    this.#scheduler = scheduler
    end.handler = this
    end.resume()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Number of messages in the selected mailbox. */
  get exists(): number {
    return this.#uids.length
  }

  get uids(): number[] {
    return this.#uids.filter((uid) => uid !== undefined)
  }

  /** The last answer to a plain SEARCH. */
  get found(): readonly number[] {
    return this.#found
  }

  greeting(): Promise<string | undefined> {
    if (this.#greeting !== undefined || this.#isOver) return Promise.resolve(this.#greeting)
    const patience = this.#scheduler.after(patienceMs, () => {
      if (!this.session.isHarmed) this.#finding('got no greeting')
      this.leave('close')
    })
    return new Promise((resolve) => {
      this.#onGreeting = (line) => {
        this.#scheduler.cancel(patience)
        resolve(line)
      }
    })
  }

  say(text: string): void {
    this.session.sent += text
    this.#end.write(text)
  }

  /** Bytes that have crossed its connection in both directions. */
  get carried(): number {
    return this.#received + this.#end.lane.delivered
  }

  /** Received bytes without NOTIFY events (RFC 5465), which continue although the server does not answer. */
  get #answerBytes(): number {
    return this.#received - this.#newsBytes
  }

  /** Sends a command and waits for its reply. Undefined: the connection has ended. `@` in the text stands for the tag. */
  command(text: string): Promise<ClientReply | undefined> {
    const tag = this.session.nextTag()
    const full = `${tag} ${text.replaceAll('@', tag)}\r\n`
    const reply = this.#expect(tag, full)
    this.say(full)
    return reply
  }

  /** Sends a login command. */
  login(text: string): Promise<ClientReply | undefined> {
    const reply = this.command(text)
    this.#end.whenDelivered(() => {
      this.session.loginAt = this.#scheduler.events
      this.session.loginTime = this.#scheduler.now
    })
    return reply
  }

  /** Sends a command or its beginning, without waiting for the reply. */
  sayPart(text: string, chance: Chance): void {
    if (this.#isOver) return
    const tag = this.session.nextTag()
    const full = `${tag} ${text}\r\n`
    void this.#expect(tag, full)
    this.#hasSaidPart = true
    this.say(full.slice(0, chance.happens(0.4) ? full.length : chance.between(1, full.length)))
  }

  /** Sends a command up to its literal, waits for the continuation request, and sends the rest. */
  async withLiteral(before: string, literal: string, after = ''): Promise<ClientReply | undefined> {
    const tag = this.session.nextTag()
    const head = `${tag} ${before} {${literal.length}}\r\n`
    const rest = `${literal}${after}\r\n`
    const reply = this.#expect(tag, head + rest)
    this.say(head)
    const asked = new Promise<boolean>((resolve) => (this.#onContinue = resolve))
    const isAsked = await Promise.race([asked, reply.then(() => false)])
    this.#onContinue = undefined
    if (isAsked) this.say(rest)
    return reply
  }

  /** IDLE for a while. */
  async idle(ms: number): Promise<ClientReply | undefined> {
    const tag = this.session.nextTag()
    const full = `${tag} IDLE\r\n`
    const reply = this.#expect(tag, full)
    const asked = new Promise<boolean>((resolve) => (this.#onContinue = resolve))
    this.say(full)
    const isAsked = await Promise.race([asked, reply.then(() => false)])
    this.#onContinue = undefined
    if (!isAsked) return reply
    await Promise.race([this.#scheduler.sleep(ms), reply])
    if (!this.#isOver) this.say('DONE\r\n')
    return reply
  }

  #expect(tag: string, text: string): Promise<ClientReply | undefined> {
    const { session } = this
    session.tags.set(tag, {
      text,
      isAlone: this.#waiting.length === 0,
      belief: session.belief,
      enabled: new Set(session.enabled),
      sentAt: this.#scheduler.events,
      isAnswered: false,
      hasArrived: false,
    })
    if (/^\S+ (?:SELECT|EXAMINE) /.test(text)) {
      this.#isSelecting = true
      this.#keywords.clear()
      this.#flags.clear()
    }
    if (/^\S+ LOGOUT\r\n/.test(text))
      this.#scheduler.soon(() => this.#end.whenDelivered(() => this.#awaitGoodbye(tag)))
    if (this.#isOver) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      let patience: Scheduled | undefined
      const wait = (received: number) => {
        patience = this.#scheduler.after(patienceMs, () => {
          if (this.#answerBytes > received + patienceBytes) return wait(this.#answerBytes)
          this.#auditor.onImpatience(session, tag)
          this.leave('close')
        })
      }
      wait(this.#answerBytes)
      this.#waiting.push({
        tag,
        since: this.#scheduler.now,
        untagged: [],
        resolve: (reply) => {
          this.#scheduler.cancel(patience)
          resolve(reply)
        },
      })
    })
  }

  /** The edge should have ended the connection. */
  async mustBeOver(problem: string): Promise<void> {
    // A process that was frozen first reads the data that arrived in the meantime.
    while (this.#scheduler.now < this.#auditor.frozenUntil + 4000) await this.#scheduler.sleep(4000)
    if (this.#isOver) return
    if (!this.session.isHarmed) this.#finding(problem)
    this.leave('close')
  }

  /** The edge has received the LOGOUT. It waits for a server only while that sends data. */
  #awaitGoodbye(tag: string): void {
    const { limits } = this.#auditor
    const since = this.#scheduler.now
    const heard = () => this.#auditor.servedBytes(this.session) + this.#received
    const before = heard()
    this.#scheduler.after(2 * limits.replyMs + 3000, () => {
      const isSilent = heard() === before && this.#auditor.frozenUntil < since
      if (isSilent && !this.#isOver && !this.session.isHarmed && !this.session.tags.get(tag)!.isAnswered)
        this.#finding('got no reply to LOGOUT, although the server has said nothing for long')
    })
  }

  leave(how: 'close' | 'reset' | 'finish'): void {
    // A client that closes its sending side without LOGOUT may have disconnected, so the edge need not answer it.
    this.session.mayBeCut = true
    if (how === 'finish') return this.#end.finish()
    if (how === 'reset') this.#end.reset()
    else this.#end.close()
    this.#over()
  }

  onBytes(bytes: Buffer): void {
    this.#received += bytes.length
    this.#reader.feed(bytes)
    for (;;) {
      const read = this.#reader.next()
      if (read === undefined || this.#isOver) return
      if (typeof read === 'string') return this.#finding(read)
      this.#onResponse(read)
    }
  }

  onFinish(): void {
    this.#checkLiteral()
    this.#checkRest()
    this.#end.close()
    this.#over()
  }

  onReset(): void {
    this.#checkLiteral()
    this.#end.close()
    this.#over()
  }

  /** If the connection ends within a literal, the received part must be the beginning of a message. */
  #checkLiteral(): void {
    const { literalBegun } = this.#reader
    if (literalBegun !== undefined && !this.isBeginningOfMail(literalBegun))
      this.#finding(`a literal is damaged: ${JSON.stringify(literalBegun.slice(-200))}`)
  }

  /** The connection must end between responses, unless the server or the network has cut it. */
  #checkRest(): void {
    const { begun } = this.#reader
    if (begun === '' || this.session.isHarmed) return
    this.#checkOwners(begun)
    if (!this.#auditor.mayBeCut(this.session) && !this.#waitsForLong)
      this.#finding(`the connection ends within ${JSON.stringify(begun.slice(-100))}`)
  }

  /** A command that waits this long behind a long answer ends the session (`clients.idleTimeoutMs`). */
  get #waitsForLong(): boolean {
    const first = this.#waiting.length > 1 ? this.#waiting[0]! : undefined
    return first !== undefined && this.#scheduler.now - first.since >= this.#auditor.limits.idleMs
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.session.isOver = true
    for (const { resolve } of this.#waiting.splice(0)) resolve(undefined)
    this.#onGreeting?.(undefined)
    this.#onContinue?.(false)
    this.onOver()
  }

  #finding(text: string): void {
    this.#auditor.finding(`session ${this.session.number} of ${this.session.user}: ${text}`)
  }

  #checkOwners(text: string): void {
    for (const owner of ownersIn(text))
      if (owner !== this.session.user)
        this.#finding(`got data of ${owner}: ${JSON.stringify(text.slice(0, 200))}`)
  }

  #onResponse({ text, literals }: ReadResponse): void {
    this.#checkOwners(text)
    for (const literal of literals)
      if (!isSealed(literal)) this.#finding(`a literal is damaged: ${JSON.stringify(literal.slice(-200))}`)
    const stamp = /\bX-FOR ([^ )]+)/.exec(text)?.[1]
    if (stamp !== undefined && !this.#auditor.isOf(stamp, this.session))
      this.#finding(`got the answer to ${stamp}: ${JSON.stringify(text.slice(0, 120))}`)
    const asked = /\$A(\d+)\b/.exec(text)?.[1]
    const problem =
      asked === undefined ? undefined : this.#auditor.problemOfAnswer(Number(asked), this.session)
    if (problem !== undefined) this.#finding(`${problem}: ${JSON.stringify(text.slice(0, 120))}`)
    const extended = /^\* ESEARCH \(TAG "([^"]*)"\)/.exec(text)?.[1]
    if (extended !== undefined && !this.#auditor.isOf(extended, this.session))
      this.#finding(`an ESEARCH has the tag ${extended}`)
    if (this.#greeting === undefined) {
      this.#greeting = text
      if (!/^\* (?:OK|BYE)\b/.test(text)) this.#finding(`the greeting is ${JSON.stringify(text)}`)
      this.#onGreeting?.(text)
    } else if (this.session.isWild) return
    else if (text.startsWith('* ')) this.#onUntagged(text)
    else if (text.startsWith('+')) this.#onContinuation(text)
    else this.#onTagged(text)
  }

  #onContinuation(text: string): void {
    if (this.#hasSaidPart) return
    if (!this.#onContinue) return this.#finding(`no command asked for ${JSON.stringify(text)}`)
    this.#onContinue(true)
  }

  #onUntagged(text: string): void {
    for (const waiting of this.#waiting) waiting.untagged.push(text)
    if (text.startsWith('* STATUS ')) this.#newsBytes += text.length
    if (text.startsWith('* OK [URLMECH') && !this.#isSelecting)
      this.#finding(`no SELECT asked for ${JSON.stringify(text)}`)
    if (this.#hasLoggedOut) return this.#finding(`after the reply to LOGOUT: ${JSON.stringify(text)}`)
    const found = /^\* SEARCH ?([\d ]*)$/.exec(text)?.[1]
    if (found !== undefined) this.#onFound(found.split(' ').filter(Boolean).map(Number))
    const flagList = /^\* FLAGS \((.*)\)$/.exec(text)?.[1]
    if (flagList !== undefined) this.#flagList = flagList.split(' ')
    const [, number, what] = /^\* (\d+) (EXISTS|EXPUNGE|FETCH)\b/.exec(text) ?? []
    const { session } = this
    const enabled = /^\* ENABLED ?(.*)$/.exec(text)?.[1]
    if (enabled !== undefined) for (const name of enabled.split(' ')) if (name) session.enabled.add(name)
    if (/\b(?:UNAUTHENTICATE|COMPRESS=)/i.test(text) && /CAPABILITY/.test(text))
      this.#finding(`a capability that the edge must not offer: ${text}`)
    if (what === undefined) return
    // After a refused SELECT, the mailbox of the response is unknown.
    if (session.belief.kind === 'unknown' && !this.#isSelecting) return
    if (session.belief.kind === 'none' && !this.#isSelecting)
      return this.#finding(`nothing is selected, but: ${JSON.stringify(text.slice(0, 80))}`)
    if (what === 'EXISTS') this.#onExists(Number(number))
    // The response is about the previously selected mailbox.
    else if (this.#isSelecting) return
    else if (what === 'EXPUNGE') this.#onExpunge(Number(number))
    else this.#onFetch(Number(number), text)
  }

  #onExists(count: number): void {
    if (this.#isSelecting) this.#uids = []
    if (count < this.#uids.length)
      return this.#finding(`EXISTS ${count} after ${this.#uids.length} without EXPUNGE`)
    this.#uids = Array.from({ length: count }, (_, index) => this.#uids[index])
  }

  #onExpunge(number: number): void {
    if (number < 1 || number > this.#uids.length)
      return this.#finding(`EXPUNGE ${number} of ${this.#uids.length} messages`)
    if (this.#waiting.length === 0) this.#finding(`EXPUNGE while no command is in progress`)
    const blocked = this.#waiting.find(({ tag }) =>
      /^\S+ (?:FETCH|STORE|SEARCH) /.test(this.session.tags.get(tag)!.text),
    )
    if (
      blocked &&
      !this.#waiting.some(({ tag }) => !/^\S+ (?:FETCH|STORE|SEARCH) /.test(this.session.tags.get(tag)!.text))
    )
      this.#finding(`EXPUNGE while ${this.session.tags.get(blocked.tag)!.text.trim()} is in progress`)
    this.#uids.splice(number - 1, 1)
  }

  #onFound(found: readonly number[]): void {
    this.#found = found
    const number = Number(/^\S+ UID SEARCH (\d+)/.exec(this.#onlyWaiting)?.[1])
    const hasExpunge = this.#waiting[0]?.untagged.some((line) => line.endsWith(' EXPUNGE'))
    // After an EXPUNGE, it is unknown to which message the server applied the sequence number.
    if (!(number <= this.#uids.length) || hasExpunge || this.#isSelecting || found.length === 0) return
    const known = this.#uids[number - 1]
    const uid = found[0]!
    if (found.length > 1 || (known ?? uid) !== uid || this.#uids.slice(number).includes(uid))
      this.#finding(`message ${number} has the UID ${found.join(' ')}, and had ${known}`)
    this.#uids[number - 1] = uid
  }

  /** The text of the waiting command, if there is exactly one. */
  get #onlyWaiting(): string {
    return this.#waiting.length === 1 ? this.session.tags.get(this.#waiting[0]!.tag)!.text : ''
  }

  #onFetch(number: number, text: string): void {
    if (number < 1 || number > this.#uids.length)
      return this.#finding(`FETCH ${number} of ${this.#uids.length} messages`)
    const uid = Number(/\bUID (\d+)/.exec(text)?.[1])
    const known = this.#uids[number - 1]
    if (known !== undefined && known !== uid)
      this.#finding(`message ${number} has the UID ${uid}, and had ${known}`)
    this.#uids[number - 1] = uid
    const flags = / FLAGS \(([^)]*)\)/
      .exec(text)?.[1]
      ?.split(' ')
      .filter((flag) => flag && !flag.startsWith('$'))
    if (flags) this.#flags.set(uid, { isWhole: true, present: new Set(flags), absent: new Set() })
    for (const flag of flags ?? []) if (!flag.startsWith('\\')) this.#keywords.add(flag)
    this.#checkParts(uid, text)
    const set = /^\S+ UID FETCH ([\d:,]+) /.exec(this.#onlyWaiting)?.[1]
    // Flags of any message may be reported at any time.
    if (set !== undefined && text.includes('RFC822.SIZE') && !uidsOf(set).includes(uid))
      this.#finding(`it has not asked for ${JSON.stringify(text.slice(0, 80))}`)
  }

  /** An answer to a question for parts of a message must have all these parts, and no others. */
  #checkParts(uid: number, text: string): void {
    const command = this.#onlyWaiting.trimEnd().replace(/^\S+ /, '')
    const asked = partsOf(command)
    const names = Array.from(text.matchAll(/ BODY\[([\d.]+(?:MIME)?)\] /g), ([, name]) => name!)
    if (asked.length === 0 || names.length === 0) return
    const isAsked = (name: string) => asked.includes(`BODY.PEEK[${name}]`)
    const marks = Array.from(text.matchAll(/appended by (part \S+ of \d+)/g), ([, mark]) => mark!)
    if (uid !== Number(command.split(' ')[2]) || names.length !== asked.length || !names.every(isAsked))
      this.#finding(`it has not asked for ${JSON.stringify(text.slice(0, 80))}`)
    if (!marks.every((mark) => names.some((name) => mark === partMark(name, uid))))
      this.#finding(`message ${uid} has other parts: ${JSON.stringify(text.slice(0, 200))}`)
  }

  #onTagged(text: string): void {
    const [, tag = '', status = '', rest = ''] = /^(\S+) (\S+) ?([^]*)$/.exec(text) ?? []
    const index = this.#waiting.findIndex((waiting) => waiting.tag === tag)
    if (index < 0) {
      if (!this.#auditor.mayRepeat(this.session))
        this.#finding(`no command asked for ${JSON.stringify(text)}`)
      return
    }
    const unknown = [...this.#keywords].filter((keyword) => !this.#flagList.includes(keyword))
    if (unknown.length > 0 && !this.#isSelecting) this.#finding(`FLAGS has not listed ${unknown.join(' ')}`)
    const [waiting] = this.#waiting.splice(index, 1)
    const sent = this.session.tags.get(tag)!
    sent.isAnswered = true
    this.#checkFlags(sent)
    this.#learn(tag, sent.text, status, rest)
    this.#auditor.onReply(
      this.session,
      tag,
      { status, text: rest },
      this.session.belief.kind === 'selected' && !this.#isSelecting ? this.exists : undefined,
    )
    waiting!.resolve({ status, text: rest, untagged: waiting!.untagged })
  }

  /** After NOOP, the client knows the current flags of the messages whose flags it has got or set. */
  #checkFlags({ text, isAlone, answer }: SentTag): void {
    const [, uid, sign, flags] = /^\S+ UID STORE (\d+) ([+-])FLAGS\.SILENT \(([^)]*)\)/.exec(text) ?? []
    if (flags !== undefined && answer?.status === 'OK' && this.uids.includes(Number(uid))) {
      const known = this.#flags.get(Number(uid)) ?? { isWhole: false, present: new Set(), absent: new Set() }
      const [to, from] = sign === '+' ? [known.present, known.absent] : [known.absent, known.present]
      to.add(flags)
      from.delete(flags)
      this.#flags.set(Number(uid), known)
    }
    if (!/^\S+ NOOP\r\n/.test(text) || !isAlone || answer?.status !== 'OK') return
    // A server that misbehaves may have told its flags in an answer that was lost.
    if (this.#auditor.isServedHarmed(this.session) || this.#auditor.mayRepeat(this.session)) return
    for (const [message, now] of answer.flags ?? []) {
      const { isWhole, present, absent } = this.#flags.get(message) ?? nothingKnown
      const isRight = isWhole
        ? printFlags(present) === printFlags(now)
        : [...present].every((flag) => now.has(flag)) && ![...absent].some((flag) => now.has(flag))
      if (!isRight)
        this.#finding(
          `it knows the flags ${printFlags(present)} of message ${message}, which has ${printFlags(now)}`,
        )
    }
  }

  #learn(tag: string, text: string, status: string, rest: string): void {
    const { session } = this
    const verb = /^\S+ (\S+)/.exec(text)?.[1]?.toUpperCase()
    if (verb === 'LOGOUT') this.#hasLoggedOut = true
    // A server that answers in another order has still executed these commands in order.
    const isLast = tag >= this.#selectionTag
    if (/^(?:SELECT|EXAMINE|UNSELECT|CLOSE)$/.test(verb ?? '') && isLast) this.#selectionTag = tag
    if ((verb === 'SELECT' || verb === 'EXAMINE') && isLast) {
      this.#isSelecting = false
      const mailbox = /^\S+ \S+ (\S+)/.exec(text)![1]!
      if (status === 'OK')
        session.belief = {
          kind: 'selected',
          mailbox,
          readOnly: rest.includes('[READ-ONLY]'),
          savedBy: undefined,
        }
      else session.belief = session.belief.kind === 'none' ? { kind: 'none' } : { kind: 'unknown' }
      if (status !== 'OK') this.#uids = []
      if (status === 'OK' && rest.includes('[READ-ONLY]') !== (verb === 'EXAMINE'))
        this.#finding(`${text.trim()} was answered ${rest}`)
    }
    if (session.belief.kind === 'selected' && /^\S+ UID SEARCH RETURN \(SAVE/.test(text))
      session.belief = { ...session.belief, savedBy: status === 'OK' ? tag : 'unknown' }
    if ((verb === 'UNSELECT' || verb === 'CLOSE') && status === 'OK' && isLast)
      session.belief = { kind: 'none' }
    if (session.belief.kind === 'none') this.#uids = []
    if (status === 'OK' && /HIGHESTMODSEQ|\(CONDSTORE\)|MODSEQ|CHANGEDSINCE/.test(text))
      session.enabled.add('CONDSTORE')
  }
}
