/**
 * Checks every byte on both sides of the edges for violations. The auditor knows the clients, the servers and what
 * operators have done, but not how the edge works.
 */
import type { Command } from './command-reader.ts'
import {
  asAsked,
  enablesCondstore,
  hasWhole,
  isEdgeCommand,
  isEdgeTag,
  isQuestion,
  isQuestionAnywhere,
  isResetTag,
  isShared,
  mayAnswer,
} from './edge-commands.ts'
import type { MailServer, SaidByServer, ServerWatcher } from './mail-server.ts'
import { neverValid, ownersIn } from './mail-store.ts'
import type { Scheduler } from './scheduler.ts'
import { describe, isAsBelieved } from './selection.ts'
import type { ServedConnection } from './served-connection.ts'
import { sessionNumberIn, type Belief, type SessionRecord } from './session-record.ts'

/** After this event, connections that these secrets opened earlier must not serve another login. */
interface Distrust {
  /** When it was decided. A login that the server accepted later is not affected. */
  readonly decidedAt: number
  /** When the edge knew it. An affected connection must not be leased after this time. */
  readonly since: number
  readonly why: string
  readonly affects: (secret: string) => boolean
}

/** A question that an edge has asked ahead of a client. */
interface AskedAhead {
  readonly connection: ServedConnection
  readonly tag: string
  /** The command as the client would send it, without a tag. */
  readonly text: string
  /** When the server executed it, as a number of events. */
  readonly at: number
  /** The selected mailbox at that time. */
  mailbox: { name: string | undefined; count: number; uids: readonly number[] }
  status: string | undefined
  isClaimed: boolean
}

interface ServedFacts {
  /** The session whose command came last, and those before it. */
  session: number | undefined
  readonly past: Set<number>
  /** The edge has begun to reset the connection after the last command of that session. The session has ended. */
  isGivenBack: boolean
  /** When the edge got the last answer that proves the connection: number of events, and time. */
  proven: { at: number; time: number }
  /** When the edge got unsolicited data. */
  unaskedAt: number
  /** Barriers whose replies the edge has not received. */
  readonly barriers: Set<string>
  /** When and why the edge learned that the connection must not be used any more. */
  spoiled: { at: number; why: string } | undefined
}

/** Tolerance for ages that are checked once a second, on a clock with a resolution of 100 ms. */
const slackMs = 1500
/** Tolerance for ages that are checked at each login, on the same clock. */
const clockSlackMs = 150

/** Commands that an edge may answer itself. */
const answeredHere =
  /^(?:LOGOUT|CAPABILITY|ID|ENABLE|SELECT|EXAMINE|LOGIN|AUTHENTICATE|STARTTLS|COMPRESS|UNAUTHENTICATE)$/
/** Commands of a client that must not reach a server. */
const neverPassed = /^(?:LOGIN|AUTHENTICATE|STARTTLS|COMPRESS|UNAUTHENTICATE|LOGOUT)$/
/** Codes of a refusal that says nothing about the credentials. */
const isTemporary = /^\[(?:UNAVAILABLE|LIMIT|INUSE)\]/
/** Commands with changes that the answer to a later question must include. */
const changing = /^\S+ (?:UID )?(?:STORE|EXPUNGE|APPEND|COPY|MOVE|CLOSE|SELECT|EXAMINE)\b/

export class Auditor implements ServerWatcher {
  readonly findings: string[] = []
  /**
   * Limits: sessions of one connection, its age and that of its last proof, and the wait of a client for a server
   * that sends nothing, and for one that sends data.
   */
  readonly limits = { uses: 0, ageMs: 0, unprovenMs: 0, replyMs: 0, idleMs: Infinity }
  /** No fault of this world makes a login fail, so every valid login must succeed. */
  expectsLogins = false
  /** The mail server restarts: a login may wait this long, and must then be refused with a code. */
  loginMsMax = Infinity
  /** Whether the edge asks questions ahead of its clients. */
  isAhead = false
  /** End of the last time during which the process was frozen. */
  frozenUntil = 0
  readonly sessions = new Map<number, SessionRecord>()
  readonly #scheduler: Scheduler
  /** Client programs that enable CONDSTORE by a command. They may get a connection that has it. */
  readonly #condstoreFamilies: ReadonlySet<string>
  readonly #served = new WeakMap<ServedConnection, ServedFacts>()
  readonly #servedBy = new Map<number, ServedConnection>()
  readonly #distrusts = new Map<string, Distrust[]>()
  /** By user: the secrets that servers have accepted, as far as the edge knows, and when a server last checked each. */
  readonly #known = new Map<string, Set<string>>()
  readonly #asked: AskedAhead[] = []
  readonly #acceptedAt = new Map<string, number>()
  readonly #refusedKnownAt = new Map<string, number>()
  /** Counts of events, to detect a run that tests nothing. */
  readonly counts = {
    logins: 0,
    warm: 0,
    commands: 0,
    replies: 0,
    hereAnswered: 0,
    claimed: 0,
    wider: 0,
    behindBarriers: 0,
    leftAhead: 0,
  }

  constructor(scheduler: Scheduler, condstoreFamilies: ReadonlySet<string>) {
    this.#scheduler = scheduler
    this.#condstoreFamilies = condstoreFamilies
  }

  finding(text: string): void {
    this.findings.push(text)
    this.#scheduler.log.add(`FINDING ${text}`)
  }

  // Servers.

  onJudged(connection: ServedConnection, user: string, secret: string, isAccepted: boolean): void {
    const judgedAt = this.#scheduler.events
    const key = `${user} ${secret}`
    if (isAccepted) {
      this.#served.set(connection, {
        session: undefined,
        past: new Set(),
        proven: { at: judgedAt, time: this.#scheduler.now },
        unaskedAt: -1,
        barriers: new Set(),
        isGivenBack: false,
        spoiled: undefined,
      })
      this.#acceptedAt.set(key, judgedAt)
    }
    // The consequences apply after the edge has received the complete answer.
    this.#scheduler.after(0, () => {
      if (connection.hasHiddenLogin) return
      const known = this.#known.get(user) ?? new Set()
      this.#known.set(user, known)
      // The edge may read the reply before a remark behind it is delivered: a slow client delays the remark.
      const isNew = isAccepted && !known.has(secret)
      if (isNew) known.add(secret)
      connection.end.whenDelivered(() => {
        if (isAccepted) this.#onProven(connection)
        if (!isAccepted) {
          known.delete(secret)
          this.#refusedKnownAt.set(key, this.#scheduler.events)
          this.distrust(user, 'its secret was refused', (other) => other === secret, judgedAt)
        } else if (isNew) {
          const why = 'another secret was accepted for the first time'
          this.distrust(user, why, (other) => other !== secret, judgedAt)
        }
      })
    })
  }

  /** An operator or a server has decided that connections of a user must not be reused. */
  distrust(
    user: string,
    why: string,
    affects: (secret: string) => boolean = () => true,
    decidedAt = this.#scheduler.events,
  ): void {
    const list = this.#distrusts.get(user) ?? []
    list.push({ decidedAt, since: this.#scheduler.events, why, affects })
    this.#distrusts.set(user, list)
  }

  #onProven(connection: ServedConnection): void {
    const facts = this.#served.get(connection)
    if (facts) facts.proven = { at: this.#scheduler.events, time: this.#scheduler.now }
  }

  onSaid(connection: ServedConnection, what: SaidByServer): void {
    const facts = this.#served.get(connection)
    if (!facts) return
    const at = this.#scheduler.events
    if (what === 'unasked') facts.unaskedAt = at
    else if (what === 'flood') facts.spoiled ??= { at: -1, why: 'has sent too much during a reset' }
    else
      facts.spoiled ??= {
        at,
        why: what === 'bye' ? 'has said BYE' : 'has answered a command for a second time',
      }
  }

  onCommand(connection: ServedConnection, command: Command): void {
    if (connection.user === undefined) {
      if (!isEdgeTag(command.tag) || !isEdgeCommand(withoutEnd(command)))
        this.finding(`before a login, ${connection.name} got ${JSON.stringify(command.text.slice(0, 100))}`)
      return
    }
    this.counts.commands++
    for (const owner of ownersIn(command.text))
      if (owner !== connection.user)
        this.finding(
          `${connection.name} of ${connection.user} got data of ${owner}: ${JSON.stringify(command.text.slice(0, 120))}`,
        )
    if (isEdgeTag(command.tag)) return this.#onEdgeCommand(connection, command)
    const number = sessionNumberIn(command.tag)
    const session = number === undefined ? undefined : this.sessions.get(number)
    if (!session || session.isWild) return this.#onWildCommand(connection, command, session)
    this.#onSessionCommand(connection, command, session)
  }

  #onEdgeCommand(connection: ServedConnection, command: Command): void {
    const text = withoutEnd(command)
    if (!isEdgeCommand(text) && !(this.isAhead && isQuestion(text)))
      this.finding(`the edge sent ${JSON.stringify(command.text.slice(0, 100))} to ${connection.name}`)
    if (command.verb === 'CLOSE' && connection.selection && !connection.selection.readOnly)
      this.finding(`the edge sent CLOSE to ${connection.name} while a mailbox can be expunged`)
    const facts = this.#served.get(connection)
    const barriers = facts?.barriers
    if (facts !== undefined && isResetTag(command.tag)) {
      facts.barriers.add(command.tag)
      facts.isGivenBack = true
    }
    if (!command.tag.startsWith('E') || !isQuestion(text)) return
    if (barriers !== undefined && barriers.size > 0) {
      this.counts.behindBarriers++
      if (!isQuestionAnywhere(text))
        this.finding(
          `the edge sent ${JSON.stringify(text)} to ${connection.name} behind an unanswered barrier`,
        )
    }
    const mayEnable = connection.server.traits.hasCondstore && enablesCondstore(text)
    if (mayEnable && !connection.enabled.has('CONDSTORE') && !connection.enabled.has('QRESYNC'))
      this.finding(`the edge enabled CONDSTORE on ${connection.name}: ${JSON.stringify(text)}`)
    this.#asked.push({
      connection,
      tag: command.tag,
      text: asAsked(text),
      at: this.#scheduler.events,
      mailbox: { name: undefined, count: 0, uids: [] },
      status: undefined,
      isClaimed: false,
    })
  }

  onEdgeQuestion({ selection }: ServedConnection, { tag }: Command): string {
    const index = this.#asked.findLastIndex((asked) => asked.tag === tag)
    if (index >= 0 && selection)
      this.#asked[index]!.mailbox = {
        name: selection.mailbox.name,
        count: selection.view.length,
        uids: selection.answerable,
      }
    return `$A${index}`
  }

  #onWildCommand(connection: ServedConnection, command: Command, session: SessionRecord | undefined): void {
    const isOwn = ({ user, sent }: SessionRecord) => user === connection.user && sent.includes(command.text)
    const sender = session && isOwn(session) ? session : [...this.sessions.values()].find(isOwn)
    if (!sender && command.verb !== 'ENABLE')
      return this.finding(
        `no session of ${connection.user} has sent ${JSON.stringify(command.text.slice(0, 200))} to ${connection.name}`,
      )
    if (session && isOwn(session)) this.#noteSession(connection, session)
  }

  #onSessionCommand(connection: ServedConnection, command: Command, session: SessionRecord): void {
    const { tag, text } = command
    const about = `${session.number} of ${session.user} on ${connection.name}: ${JSON.stringify(text.slice(0, 100))}`
    if (session.user !== connection.user)
      return this.finding(`a command of session ${about} is on a connection of ${connection.user}`)
    const sent = session.tags.get(tag)
    if (!sent) return this.finding(`session ${about} was never sent`)
    if (
      sent.text !== text &&
      !(command.verb === 'ENABLE' && sent.text.toUpperCase().startsWith(`${tag} ENABLE`))
    )
      return this.finding(`session ${about} is not what it sent: ${JSON.stringify(sent.text.slice(0, 100))}`)
    if (sent.hasArrived) this.finding(`session ${about} has arrived twice`)
    sent.hasArrived = true
    sent.arrivedAt = this.#scheduler.events
    if (neverPassed.test(command.verb)) this.finding(`session ${about} must not pass`)
    if (this.#served.get(connection)!.barriers.size > 0)
      this.finding(`session ${about} went behind an unanswered barrier`)
    const isFirst = this.#noteSession(connection, session)
    if (isFirst) this.#checkTrust(connection, session)
    this.#checkSelectedHere(connection, session)
    if (connection.notifyTag !== undefined && sessionNumberIn(connection.notifyTag) !== session.number)
      this.finding(`session ${about} has the NOTIFY of ${connection.notifyTag}`)
    for (const name of connection.enabled) {
      const isExpected =
        sent.enabled.has(name) ||
        (name === 'CONDSTORE' && (sent.enabled.has('QRESYNC') || this.#condstoreFamilies.has(session.family)))
      if (!isExpected) this.finding(`session ${about} has ${name}, which it has not enabled`)
    }
    if (
      sent.isAlone &&
      command.verb !== 'SELECT' &&
      command.verb !== 'EXAMINE' &&
      !isAsBelieved(connection.selection, sent.belief)
    )
      this.finding(
        `session ${about} believes ${JSON.stringify(sent.belief)}, but ${describe(connection.selection)} is selected`,
      )
  }

  /** Returns whether this is the first command of the session on this connection. */
  #noteSession(connection: ServedConnection, session: SessionRecord): boolean {
    const facts = this.#served.get(connection)!
    facts.isGivenBack = false
    if (facts.session === session.number) return false
    if (facts.past.has(session.number))
      this.finding(`sessions ${session.number} and ${facts.session} share ${connection.name}`)
    if (facts.session !== undefined) {
      facts.past.add(facts.session)
      this.counts.warm++
    }
    facts.session = session.number
    session.hasMoved ||= this.#servedBy.has(session.number)
    this.#servedBy.set(session.number, connection)
    return true
  }

  #checkTrust(connection: ServedConnection, session: SessionRecord): void {
    const { past, proven, unaskedAt, spoiled } = this.#served.get(connection)!
    const { loginAt, loginTime } = session
    const about = `session ${session.number} of ${session.user} got ${connection.name}`
    if (connection.secret !== session.secret) this.finding(`${about}, which another secret has opened`)
    if (past.size >= this.limits.uses) this.finding(`${about}, which ${past.size} sessions have used`)
    if (loginAt === undefined || loginTime === undefined) return
    for (const { decidedAt, since, why, affects } of this.#distrusts.get(session.user) ?? [])
      if (connection.loginAtEvent < decidedAt && loginAt > since && affects(connection.secret!))
        return this.finding(`${about}, although before its login ${why}`)
    if (spoiled && spoiled.at < loginAt) this.finding(`${about}, which ${spoiled.why} before its login`)
    if (past.size === 0) return
    if (unaskedAt > proven.at && unaskedAt < loginAt)
      this.finding(`${about}, which has sent data since its last proof`)
    // The clock of the edge stops while its process is frozen.
    if (loginTime - this.frozenUntil < slackMs) return
    if (loginTime - connection.loggedInAt > this.limits.ageMs + slackMs)
      this.finding(`${about}, which is too old`)
    if (loginTime - proven.time > this.limits.unprovenMs + clockSlackMs && !connection.isHarmed)
      this.finding(`${about}, whose last proof is ${Math.round(loginTime - proven.time)} ms old`)
  }

  onAnswer(
    connection: ServedConnection,
    command: Command,
    { status, isLast }: { status: string; isLast: boolean },
  ): void {
    const { tag } = command
    const number = sessionNumberIn(tag)
    const sent = number === undefined ? undefined : this.sessions.get(number)?.tags.get(tag)
    const at = this.#scheduler.events
    const { selection } = connection
    if (sent) sent.answer = { status, exists: selection?.view.length, flags: selection?.flags, isLast, at }
    if (isResetTag(tag)) {
      const barriers = this.#served.get(connection)?.barriers
      this.#scheduler.after(0, () =>
        connection.end.whenDelivered(() => {
          barriers?.delete(tag)
          if (status === 'OK') this.#onProven(connection)
        }),
      )
    }
    const asked = isEdgeTag(tag) ? this.#asked.findLast((each) => each.tag === tag) : undefined
    if (asked) asked.status = status
  }

  // Clients.

  /** Whether an answer that is marked for this command may reach the session. */
  isOf(tag: string, session: SessionRecord): boolean {
    return sessionNumberIn(tag) === session.number || (session.isWild && session.sent.includes(tag))
  }

  /** Why data of the question with this number must not reach the session. */
  problemOfAnswer(index: number, session: SessionRecord): string | undefined {
    session.namedQuestion = index
    const asked = this.#asked[index]
    const isOwn = asked && asked.at > session.askedFrom && this.#mayBeOf(asked, session)
    if (!isOwn) return 'got what was asked for another session'
    const change = this.#laterChange(session, asked)
    return change && `got what was asked before its ${change}`
  }

  /** Bytes that the edge has received from the server for this session. */
  servedBytes(session: SessionRecord): number {
    return this.#servedBy.get(session.number)?.end.lane.delivered ?? 0
  }

  /** Whether the server of this session has misbehaved, or its connection was disturbed. */
  isServedHarmed(session: SessionRecord): boolean {
    return this.#servedBy.get(session.number)?.isHarmed ?? false
  }

  /** Whether the server of this session has answered a command twice. */
  mayRepeat(session: SessionRecord): boolean {
    const served = this.#servedBy.get(session.number)
    if (served !== undefined) return served.hasRepeated
    // The server has received no command of the session yet, so its connection may be any of its user.
    return [...this.#servedBy.values()].some(({ user, hasRepeated }) => user === session.user && hasRepeated)
  }

  /** Whether the stream of the session may end anywhere. */
  mayBeCut(session: SessionRecord): boolean {
    return session.isHarmed || session.mayBeCut || (this.#servedBy.get(session.number)?.isHarmed ?? true)
  }

  onReply(
    session: SessionRecord,
    tag: string,
    { status, text }: { status: string; text: string },
    exists: number | undefined,
  ): void {
    this.counts.replies++
    const { namedQuestion } = session
    session.namedQuestion = undefined
    const sent = session.tags.get(tag)!
    const verb = /^\S+ (\S+)/.exec(sent.text)?.[1]?.toUpperCase() ?? ''
    if (session.loggedInAt === undefined) return this.#onLoginReply(session, verb, status, text)
    if (!sent.answer) return this.#onEdgeReply(session, tag, verb, { status, text, namedQuestion })
    if (sent.answer.status !== status)
      this.finding(
        `session ${session.number}: ${tag} was answered ${sent.answer.status}, and became ${status}`,
      )
    const { exists: told, isLast } = sent.answer
    // If questions were asked ahead, changes of the mailbox may be reported later.
    if (this.isAhead) return
    if (sent.isAlone && isLast && exists !== undefined && told !== undefined && exists !== told)
      this.finding(
        `session ${session.number} counts ${exists} messages after ${tag}, but was told of ${told}`,
      )
  }

  /** The edge itself has answered a command. */
  #onEdgeReply(
    session: SessionRecord,
    tag: string,
    verb: string,
    { status, text, namedQuestion }: { status: string; text: string; namedQuestion: number | undefined },
  ): void {
    this.counts.hereAnswered++
    const sent = session.tags.get(tag)!
    const about = `session ${session.number}: ${JSON.stringify(sent.text.slice(0, 80))}`
    const earlier = [...session.tags].find(([other, { isAnswered }]) => other < tag && !isAnswered)
    if (earlier && verb !== 'LOGOUT') this.finding(`${about} was answered before ${earlier[1].text.trim()}`)
    if (this.#claim(session, tag, status, namedQuestion)) return
    if (this.isAhead && text.startsWith('[EXPUNGEISSUED]')) return
    if (!answeredHere.test(verb)) return this.finding(`${about} has an answer that no server gave`)
    if ((verb === 'SELECT' || verb === 'EXAMINE') && status === 'OK') session.selectedHere = sent
  }

  /** A cached answer to SELECT must still be valid. The next command shows the connection to compare. */
  #checkSelectedHere({ selection, name }: ServedConnection, session: SessionRecord): void {
    const { selectedHere } = session
    session.selectedHere = undefined
    if (selectedHere && selection?.changedAt !== undefined && selection.changedAt < selectedHere.sentAt)
      this.finding(
        `session ${session.number} has an old answer to ${JSON.stringify(selectedHere.text)}: the mailbox had changed on ${name}`,
      )
  }

  /** The command was asked ahead. The server must have executed it after the login and after all changes by the client. */
  #claim(session: SessionRecord, tag: string, status: string, namedQuestion: number | undefined): boolean {
    const { loginAt = Infinity } = session
    const { text, belief } = session.tags.get(tag)!
    const wanted = asAsked(text.trimEnd().slice(tag.length + 1))
    const candidates = this.#asked.filter(
      (each) =>
        (!each.isClaimed || isShared(each.text)) &&
        mayAnswer(each.text, wanted) &&
        each.status === status &&
        each.at > loginAt &&
        this.#mayBeOf(each, session) &&
        isAbout(each, belief),
    )
    // If there are several and no data names one, the last one: the others were dropped. Another one may be for a later
    // selection of the same mailbox.
    const named = namedQuestion === undefined ? undefined : this.#asked[namedQuestion]
    const asked =
      candidates.find((each) => each === named) ??
      candidates.findLast((each) => hasWhole(each.text, each.mailbox, wanted)) ??
      candidates.at(-1)
    if (!asked) return false
    asked.isClaimed = true
    this.counts.claimed++
    if (asked.text !== wanted) this.counts.wider++
    if (wanted.startsWith('SELECT ') && belief.kind === 'selected') this.counts.leftAhead++
    if (!hasWhole(asked.text, asked.mailbox, wanted))
      this.finding(`session ${session.number}: the answer to ${tag} is that to ${asked.text}`)
    const change = this.#laterChange(session, asked)
    if (change) this.finding(`session ${session.number}: the answer to ${tag} is older than its ${change}`)
    return true
  }

  /** Whether it was asked on the connection of the session, which is unknown before its first command at a server. */
  #mayBeOf({ connection }: AskedAhead, session: SessionRecord): boolean {
    const served = this.#servedBy.get(session.number)
    if (served !== undefined && !session.hasMoved) return served === connection
    return connection.user === session.user && !this.#isOfAnother(connection, session)
  }

  /** Whether another running session is known to use this connection. */
  #isOfAnother(connection: ServedConnection, session: SessionRecord): boolean {
    if (this.#served.get(connection)?.isGivenBack) return false
    for (const [number, served] of this.#servedBy) {
      if (served !== connection) continue
      const other = this.sessions.get(number)
      if (other !== session && other?.isEnding === false && !other.hasMoved) return true
    }
    return false
  }

  /** A change by the session after the server received this question. Servers execute changes in order. */
  #laterChange(session: SessionRecord, { at }: AskedAhead): string | undefined {
    for (const { text, isAnswered, arrivedAt = 0 } of session.tags.values())
      if (isAnswered && arrivedAt > at && changing.test(text)) return text.trim().slice(0, 60)
    return undefined
  }

  #onLoginReply(session: SessionRecord, verb: string, status: string, text: string): void {
    if (verb !== 'LOGIN' && verb !== 'AUTHENTICATE') return
    const waitedMs = this.#scheduler.now - (session.loginTime ?? Infinity)
    if (waitedMs > this.loginMsMax + slackMs)
      this.finding(`the login of session ${session.number} was answered after ${Math.round(waitedMs)} ms`)
    if (status !== 'OK') {
      if (this.loginMsMax < Infinity && !isTemporary.test(text))
        this.finding(`a valid login of ${session.user} was refused without a code that says why: ${text}`)
      if (this.expectsLogins && session.secret !== neverValid)
        this.finding(`a valid login of ${session.user} was refused, although nothing is wrong: ${text}`)
      return
    }
    this.counts.logins++
    session.loggedInAt = this.#scheduler.now
    const key = `${session.user} ${session.secret}`
    const acceptedAt = this.#acceptedAt.get(key)
    const refusedAt = this.#refusedKnownAt.get(key)
    if (acceptedAt === undefined)
      this.finding(
        `session ${session.number} of ${session.user} has logged in with a secret that no server has accepted`,
      )
    else if (
      refusedAt !== undefined &&
      session.loginAt !== undefined &&
      refusedAt < session.loginAt &&
      acceptedAt < refusedAt
    )
      this.finding(
        `session ${session.number} of ${session.user} has logged in with a secret that the server refuses`,
      )
  }

  /** A client has waited too long for a reply, and disconnects. */
  onImpatience(session: SessionRecord, tag: string): void {
    if (session.isHarmed) return
    const text = session.tags.get(tag)!.text.trim().slice(0, 80)
    const isForEdge = session.loggedInAt === undefined || /^\S+ LOGOUT/i.test(text)
    const served = this.#servedBy.get(session.number)
    if (isForEdge || (served && !served.isHarmed))
      this.finding(`session ${session.number} of ${session.user} got no reply to ${JSON.stringify(text)}`)
  }

  /**
   * Checks commands that were begun but not completed on connections that a session has left. A server may still have to
   * notice that the edge has closed its connection.
   */
  checkOpenCommands(servers: Iterable<MailServer>): void {
    for (const server of servers)
      for (const connection of server.connections)
        if (
          connection.user !== undefined &&
          connection.begun !== '' &&
          !connection.isHarmed &&
          !connection.end.wire.near.isClosed
        )
          this.finding(`${connection.name} is left within ${JSON.stringify(connection.begun.slice(0, 80))}`)
  }
}

/** Whether it was executed in the mailbox that the client believes to be selected, if it depends on the mailbox. */
function isAbout({ text, mailbox }: AskedAhead, belief: Belief): boolean {
  const dependsOnSelection = /^(?:UID |FETCH|SEARCH|SORT|THREAD)/.test(text)
  return !dependsOnSelection || belief.kind !== 'selected' || mailbox.name === belief.mailbox
}

const withoutEnd = ({ text, tag }: Command): string => text.slice(tag.length + 1).replace(/\r\n$/, '')
