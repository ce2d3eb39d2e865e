/**
 * Watches every byte on both sides of the edges, and says what must never happen. It knows the clients, the servers and what
 * operators have done, and nothing of how the edge works.
 */
import type { Command } from './command-reader.ts'
import type { MailServer, ServerWatcher } from './mail-server.ts'
import { neverValid, ownersIn } from './mail-store.ts'
import type { Scheduler } from './scheduler.ts'
import type { ServedConnection } from './served-connection.ts'
import { sessionNumberIn, type Belief, type SessionRecord } from './session-record.ts'

/** From this event on, connections that these secrets opened before must not serve a further login. */
interface Distrust {
  readonly since: number
  readonly why: string
  readonly affects: (secret: string) => boolean
}

interface ServedFacts {
  /** When its login was accepted, as a number of events. */
  acceptedAt: number
  /** The same as a time. */
  readonly openedAt: number
  /** The session whose command came last, and those before it. */
  session: number | undefined
  readonly past: Set<number>
}

/** For ages that are checked once a second, on a clock that is read every 100 ms. */
const slackMs = 1500

/** Commands that an edge sends itself, by their tags. */
const edgeTag = /^(?:[RE][0-9a-f]{24}|i\d+)$/
const edgeCommand =
  /^(?:NOOP|LIST "" ""|UNSELECT|EXAMINE INBOX|CLOSE|CAPABILITY|LOGOUT|STARTTLS|ID .*|LOGIN [^]*|AUTHENTICATE .*)$/
/** Commands that an edge may answer itself. */
const answeredHere =
  /^(?:LOGOUT|CAPABILITY|ID|ENABLE|SELECT|EXAMINE|LOGIN|AUTHENTICATE|STARTTLS|COMPRESS|UNAUTHENTICATE)$/

export class Auditor implements ServerWatcher {
  readonly findings: string[] = []
  /** Sessions that one connection may serve, and how old it may be. */
  readonly limits = { uses: 0, ageMs: 0 }
  /** Nothing goes wrong in this world, so every valid login must succeed. */
  expectsLogins = false
  readonly sessions = new Map<number, SessionRecord>()
  readonly #scheduler: Scheduler
  /** Client programs that enable CONDSTORE by a command: they may get a connection that has it. */
  readonly #condstoreFamilies: ReadonlySet<string>
  readonly #served = new WeakMap<ServedConnection, ServedFacts>()
  readonly #servedBy = new Map<number, ServedConnection>()
  readonly #distrusts = new Map<string, Distrust[]>()
  /** By user: the secrets that servers have accepted, as the edge knows it, and when a server last judged each. */
  readonly #known = new Map<string, Set<string>>()
  readonly #acceptedAt = new Map<string, number>()
  readonly #refusedKnownAt = new Map<string, number>()
  /** What has happened, so that a run that tests nothing is noticed. */
  readonly counts = { logins: 0, warm: 0, commands: 0, replies: 0, hereAnswered: 0 }

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
        acceptedAt: judgedAt,
        openedAt: this.#scheduler.now,
        session: undefined,
        past: new Set(),
      })
      this.#acceptedAt.set(key, judgedAt)
    }
    // What follows of it holds from the moment at which the edge has the whole answer.
    this.#scheduler.after(0, () =>
      connection.end.whenDelivered(() => {
        const known = this.#known.get(user) ?? new Set()
        this.#known.set(user, known)
        if (!isAccepted) {
          known.delete(secret)
          this.#refusedKnownAt.set(key, this.#scheduler.events)
          this.distrust(user, 'its secret was refused', (other) => other === secret)
        } else if (!known.has(secret)) {
          known.add(secret)
          this.distrust(user, 'another secret was accepted for the first time', (other) => other !== secret)
        }
      }),
    )
  }

  /** An operator or a server has said that connections of a user must not be reused. */
  distrust(user: string, why: string, affects: (secret: string) => boolean = () => true): void {
    const list = this.#distrusts.get(user) ?? []
    list.push({ since: this.#scheduler.events, why, affects })
    this.#distrusts.set(user, list)
  }

  onCommand(connection: ServedConnection, command: Command): void {
    if (connection.user === undefined) {
      if (!edgeTag.test(command.tag) || !edgeCommand.test(withoutEnd(command)))
        this.finding(`before a login, ${connection.name} got ${JSON.stringify(command.text.slice(0, 100))}`)
      return
    }
    this.counts.commands++
    for (const owner of ownersIn(command.text))
      if (owner !== connection.user)
        this.finding(
          `${connection.name} of ${connection.user} got data of ${owner}: ${JSON.stringify(command.text.slice(0, 120))}`,
        )
    if (edgeTag.test(command.tag)) return this.#onEdgeCommand(connection, command)
    const number = sessionNumberIn(command.tag)
    const session = number === undefined ? undefined : this.sessions.get(number)
    if (!session || session.isWild) return this.#onWildCommand(connection, command, session)
    this.#onSessionCommand(connection, command, session)
  }

  #onEdgeCommand(connection: ServedConnection, command: Command): void {
    if (!edgeCommand.test(withoutEnd(command)))
      this.finding(`the edge sent ${JSON.stringify(command.text.slice(0, 100))} to ${connection.name}`)
    if (command.verb === 'CLOSE' && connection.selection && !connection.selection.readOnly)
      this.finding(`the edge sent CLOSE to ${connection.name} while a mailbox can be expunged`)
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
    const isFirst = this.#noteSession(connection, session)
    if (isFirst) this.#checkTrust(connection, session)
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
      !sameSelection(sent.belief, connection)
    )
      this.finding(
        `session ${about} believes ${JSON.stringify(sent.belief)}, but ${selectionOf(connection)} is selected`,
      )
  }

  /** Returns whether it is the first command of the session on this connection. */
  #noteSession(connection: ServedConnection, session: SessionRecord): boolean {
    const facts = this.#served.get(connection)!
    if (facts.session === session.number) return false
    if (facts.past.has(session.number))
      this.finding(`sessions ${session.number} and ${facts.session} share ${connection.name}`)
    if (facts.session !== undefined) {
      facts.past.add(facts.session)
      this.counts.warm++
    }
    facts.session = session.number
    this.#servedBy.set(session.number, connection)
    return true
  }

  #checkTrust(connection: ServedConnection, session: SessionRecord): void {
    const { acceptedAt } = this.#served.get(connection)!
    const { loginAt } = session
    if (loginAt === undefined) return
    for (const { since, why, affects } of this.#distrusts.get(session.user) ?? [])
      if (acceptedAt < since && loginAt > since && affects(connection.secret!))
        return this.finding(
          `session ${session.number} of ${session.user} got ${connection.name}, although before its login ${why}`,
        )
    const { past, openedAt } = this.#served.get(connection)!
    if (past.size >= this.limits.uses)
      this.finding(`${connection.name} has served ${past.size} sessions before ${session.number}`)
    if (
      past.size > 0 &&
      session.loginTime !== undefined &&
      session.loginTime - openedAt > this.limits.ageMs + slackMs
    )
      this.finding(`${connection.name} is too old for session ${session.number}`)
    if (connection.secret !== session.secret)
      this.finding(
        `session ${session.number} of ${session.user} got ${connection.name}, which another secret has opened`,
      )
  }

  onAnswer(
    connection: ServedConnection,
    { tag }: Command,
    { status, isLast }: { status: string; isLast: boolean },
  ): void {
    const number = sessionNumberIn(tag)
    const sent = number === undefined ? undefined : this.sessions.get(number)?.tags.get(tag)
    if (sent) sent.answer = { status, exists: connection.selection?.view.length, isLast }
  }

  onClosed(): void {}

  // Clients.

  /** Whether an answer with the mark of this command may reach the session. */
  isOf(tag: string, session: SessionRecord): boolean {
    return sessionNumberIn(tag) === session.number || (session.isWild && session.sent.includes(tag))
  }

  /** Whether the stream of the session may end anywhere. */
  mayBeCut(session: SessionRecord): boolean {
    return session.isHarmed || session.mayBeCut || (this.#servedBy.get(session.number)?.isHarmed ?? true)
  }

  onReply(session: SessionRecord, tag: string, status: string, exists: number | undefined): void {
    this.counts.replies++
    const sent = session.tags.get(tag)!
    const verb = /^\S+ (\S+)/.exec(sent.text)?.[1]?.toUpperCase() ?? ''
    if (session.loggedInAt === undefined) return this.#onLoginReply(session, verb, status)
    if (!sent.answer) {
      this.counts.hereAnswered++
      if (!answeredHere.test(verb))
        this.finding(
          `session ${session.number}: ${tag} ${status} is an answer that no server gave to ${JSON.stringify(sent.text.slice(0, 80))}`,
        )
      return
    }
    if (sent.answer.status !== status)
      this.finding(
        `session ${session.number}: ${tag} was answered ${sent.answer.status}, and became ${status}`,
      )
    const { exists: told, isLast } = sent.answer
    if (sent.isAlone && isLast && exists !== undefined && told !== undefined && exists !== told)
      this.finding(
        `session ${session.number} counts ${exists} messages after ${tag}, but was told of ${told}`,
      )
  }

  #onLoginReply(session: SessionRecord, verb: string, status: string): void {
    if (verb !== 'LOGIN' && verb !== 'AUTHENTICATE') return
    if (status !== 'OK') {
      if (this.expectsLogins && session.secret !== neverValid)
        this.finding(`a valid login of ${session.user} was refused, although nothing is wrong`)
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

  /** A client has waited for a reply for so long that it leaves. */
  onImpatience(session: SessionRecord, tag: string): void {
    if (session.isHarmed) return
    const text = session.tags.get(tag)!.text.trim().slice(0, 80)
    const isForEdge = session.loggedInAt === undefined || /^\S+ LOGOUT/i.test(text)
    const served = this.#servedBy.get(session.number)
    if (isForEdge || (served && !served.isHarmed))
      this.finding(`session ${session.number} of ${session.user} got no reply to ${JSON.stringify(text)}`)
  }

  /** Every command that was begun and not completed at a server that an earlier session has left. */
  checkOpenCommands(servers: Iterable<MailServer>): void {
    for (const server of servers)
      for (const connection of server.connections)
        if (connection.user !== undefined && connection.begun !== '' && !connection.isHarmed)
          this.finding(`${connection.name} is left within ${JSON.stringify(connection.begun.slice(0, 80))}`)
  }
}

const withoutEnd = ({ text, tag }: Command): string => text.slice(tag.length + 1).replace(/\r\n$/, '')

function sameSelection(belief: Belief, { selection }: ServedConnection): boolean {
  if (belief.kind === 'unknown') return true
  if (belief.kind === 'none') return selection === undefined
  return selection?.mailbox.name === belief.mailbox && selection.readOnly === belief.readOnly
}

const selectionOf = ({ selection }: ServedConnection): string =>
  selection ? `${selection.mailbox.name}${selection.readOnly ? ' (read-only)' : ''}` : 'nothing'
