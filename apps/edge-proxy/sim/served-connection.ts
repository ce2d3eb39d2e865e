/** One connection at a simulated mail server: its state and its answers. */
import type { Chance } from './chance.ts'
import { argumentsIn, CommandReader, type Command } from './command-reader.ts'
import { isEdgeTag, isResetTag } from './edge-commands.ts'
import type { MailServer, SaidByServer } from './mail-server.ts'
import { isSealed, markOf, type Mailbox } from './mail-store.ts'
import { Selection, type Answer } from './selection.ts'
import type { WireEnd, WireHandler } from './wire.ts'

/** The result of a command. Data is sent before changes of the mailbox, and these before tagged replies. */
interface Executed extends Answer {
  readonly command: Command
}

const concurrent = /^(?:UID (?:FETCH|SEARCH)|FETCH|SEARCH|STATUS|LIST|LSUB|NOOP|NAMESPACE)$/

export class ServedConnection implements WireHandler {
  readonly server: MailServer
  readonly end: WireEnd
  readonly number: number
  /** When its last login arrived, as a number of events. The connection may have been opened before that login began. */
  loginAtEvent = 0
  /** When its login was accepted. The edge counts the age of the connection from the reply on. */
  loggedInAt = 0
  user: string | undefined
  secret: string | undefined
  selection: Selection | undefined
  readonly enabled = new Set<string>()
  /** The tag of the NOTIFY in force. */
  notifyTag: string | undefined
  /** The connection was disturbed, so answers may be missing. */
  isHarmed = false
  /** The reply to its login was not sent completely. */
  hasHiddenLogin = false
  /** It has answered a command twice. */
  hasRepeated = false
  readonly #chance: Chance
  readonly #reader = new CommandReader()
  readonly #queue: Command[] = []
  #isBusy = false
  #isHung = false
  #isOver = false
  #idleTag: string | undefined
  #saslTag: string | undefined
  #lastHeardAt: number

  constructor(server: MailServer, end: WireEnd, number: number, chance: Chance) {
    this.server = server
    this.end = end
    this.number = number
    this.#chance = chance
    this.#lastHeardAt = server.scheduler.now
    end.handler = this
    end.resume()
    server.scheduler.after(this.#thinkMs + server.takeTurn(), () => this.#greet())
    this.#watchSilence()
  }

  get name(): string {
    return `${this.server.address}#${this.number}`
  }

  get isOpen(): boolean {
    return !this.#isOver && this.end.isOpen
  }

  /** The received part of an incomplete command. */
  get begun(): string {
    return this.#reader.begun
  }

  get isIdling(): boolean {
    return this.#idleTag !== undefined
  }

  get #thinkMs(): number {
    const { slowestMs } = this.server.traits
    return this.#chance.happens(0.7) ? 0 : this.#chance.next() * slowestMs
  }

  #greet(): void {
    if (!this.isOpen) return
    if (this.server.isHung) return void (this.#isHung = true)
    const { greetsWithCapabilities, totalLimit } = this.server.traits
    if (this.server.connections.size > totalLimit) {
      this.end.write('* BYE [LIMIT] Too many connections\r\n')
      return this.die('finish')
    }
    if (this.#lies(0.3)) return this.#lie(undefined, '')
    const code = greetsWithCapabilities ? `[CAPABILITY ${this.#capabilities()}] ` : ''
    this.end.write(`* OK ${code}ready\r\n`)
  }

  #watchSilence(): void {
    const { scheduler, traits } = this.server
    if (!this.isOpen) return
    const leftMs = this.#lastHeardAt + traits.autologoutMs - scheduler.now
    if (leftMs > 0) return void scheduler.after(leftMs, () => this.#watchSilence())
    this.isHarmed = true
    this.end.write('* BYE Autologout\r\n')
    this.die('finish')
  }

  onBytes(bytes: Buffer): void {
    this.#lastHeardAt = this.server.scheduler.now
    this.#reader.feed(bytes)
    this.#read()
  }

  onFinish(): void {
    this.#over()
    this.end.close()
  }

  onReset(): void {
    this.#over()
    this.end.close()
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.server.connections.delete(this)
  }

  die(how: 'reset' | 'finish'): void {
    this.isHarmed = true
    this.#over()
    if (how === 'reset') this.end.reset()
    else {
      this.end.finish()
      this.server.scheduler.after(200, () => this.end.close())
    }
  }

  #read(): void {
    while (this.isOpen && !this.#isHung) {
      // The client's answer to AUTHENTICATE or IDLE waits until that command is executed.
      if ((this.#idleTag !== undefined || this.#saslTag !== undefined) && this.#queue.length > 0) return
      const asLine = this.#idleTag !== undefined || this.#saslTag !== undefined
      const read = this.#reader.next(asLine)
      if (!read) break
      if (read.kind === 'literal') {
        if (this.#queue.length > 0 || this.#isBusy) {
          // Sent in order, because a continuation request would overtake replies.
          this.#literalWaits = true
          break
        }
        this.#continueLiteral()
      } else if (read.kind === 'command') {
        if (isLogin(read.command)) this.loginAtEvent = this.server.scheduler.events
        this.#queue.push(read.command)
        if (read.command.verb === 'IDLE' || read.command.verb === 'AUTHENTICATE') break
      } else if (this.#idleTag !== undefined) this.#endIdle(read.line)
      else this.#endSasl(read.line)
    }
    this.work()
  }

  #literalWaits = false

  #continueLiteral(): void {
    this.#literalWaits = false
    this.end.write('+ go on\r\n')
  }

  /** Begins the next commands, if no command is in progress. */
  work(): void {
    if (this.#isBusy || !this.isOpen || this.#isHung || this.server.isHung) return
    const wave = this.#nextWave()
    if (wave.length === 0) {
      if (this.#literalWaits) {
        this.#continueLiteral()
        this.#read()
      }
      return
    }
    this.#isBusy = true
    this.server.scheduler.after(this.#thinkMs, () => {
      this.#isBusy = false
      if (!this.isOpen) return
      if (this.server.isHung) {
        this.#queue.unshift(...wave)
        return
      }
      this.#execute(wave)
      this.#read()
    })
  }

  #nextWave(): Command[] {
    const [first] = this.#queue
    if (!first) return []
    const isConcurrent = (command: Command) => concurrent.test(verbOf(command))
    let count = 1
    if (this.server.traits.reorders && this.selection && isConcurrent(first))
      while (count < this.#queue.length && isConcurrent(this.#queue[count]!)) count++
    return this.#queue.splice(0, count)
  }

  #execute(wave: readonly Command[]): void {
    for (const command of wave) this.server.watcher.onCommand(this, command)
    if (!this.isOpen) return
    const done: Executed[] = []
    for (const command of wave) {
      const result = this.#run(command)
      if (this.#isOver) return
      if (result) done.push({ command, ...result })
    }
    if (done.length === 0) return
    const isPlain = done.length === 1
    const data = this.#chance.interleaved(done.map((each) => each.data))
    const changes = done.some(({ command }) => mayNotExpunge(command))
      ? (this.selection?.tell(false) ?? [])
      : (this.selection?.tell(true) ?? [])
    const tagged = isPlain ? done : this.#chance.shuffled(done)
    const replies = tagged.map((each) => `${each.command.tag} ${each.tagged}\r\n`)
    const [last] = tagged.slice(-1)
    for (const { command, tagged: text } of done)
      this.server.watcher.onAnswer(this, command, {
        status: text.slice(0, text.indexOf(' ')),
        isLast: command === last?.command,
      })
    if (isPlain && this.user !== undefined && (this.#lies(1) || this.#spoilsReset(done[0]!.command))) {
      const [only] = done
      return this.#lie(only!.command, [...data, ...changes].join(''), only!.tagged)
    }
    this.end.write([...data, ...changes, ...replies].join(''))
    this.#reportChanges(
      changes,
      done.some(({ command }) => mayTellFlags(command)),
    )
    if (this.server.traits.greetsAfterLogin && done.some(({ command }) => isLogin(command)))
      this.end.write('* OK Your mail is older than it looks\r\n')
    if (done.some(({ command }) => command.verb === 'LOGOUT')) {
      this.#over()
      this.end.finish()
      this.server.scheduler.after(300, () => this.end.close())
    }
  }

  #lies(weight: number): boolean {
    const { server } = this
    return !server.isHonest && this.#chance.happens(server.traits.lieRate * weight)
  }

  /** Whether the server misbehaves because an edge resets the connection. */
  #spoilsReset({ tag }: Command): boolean {
    const { server } = this
    return !server.isHonest && isResetTag(tag) && this.#chance.happens(server.traits.resetLieRate)
  }

  /** Misbehaves. `data` would have been sent before the reply. */
  #lie(command: Command | undefined, data: string, tagged = ''): void {
    this.isHarmed = true
    const reply = command ? `${command.tag} ${tagged}\r\n` : ''
    const isReset = command !== undefined && isResetTag(command.tag)
    const hidesLogin = command !== undefined && isLogin(command)
    this.hasHiddenLogin ||= hidesLogin
    const mayFlood = isReset && this.server.noisyLines > 0
    const mayRepeat = command !== undefined && !hidesLogin && !isEdgeTag(command.tag)
    const how = this.#chance.pick([
      'silent',
      ...(hidesLogin ? [] : ['late']),
      'bye',
      'cut',
      'hang',
      'cut-reset',
      ...(mayRepeat || isReset ? ['bye-late'] : []),
      ...(mayRepeat ? ['twice'] : []),
      ...(mayFlood ? ['flood'] : []),
    ])
    this.server.scheduler.log.add(`${this.name} lies: ${how}`)
    switch (how) {
      case 'silent':
        return this.end.write(data)
      case 'late':
        this.end.write(data)
        this.server.scheduler.after(this.#chance.between(100, 40_000), () => {
          if (!this.isOpen) return
          const status = tagged.slice(0, tagged.indexOf(' '))
          if (command) this.server.watcher.onAnswer(this, command, { status, isLast: true })
          this.end.write(reply)
        })
        return
      case 'bye':
        this.end.write('* BYE Shutting down\r\n')
        return this.die('finish')
      case 'hang':
        this.#isHung = true
        return
      case 'bye-late':
        this.end.write(`${data}* BYE Shutting down soon\r\n`)
        this.#said('bye')
        this.end.write(reply)
        this.server.scheduler.after(this.#chance.between(0, 20_000), () => this.die('finish'))
        return
      case 'twice':
        this.hasRepeated = true
        this.end.write(data + reply)
        this.server.scheduler.after(this.#chance.pick([0, 5, 100, 3000]), () => {
          if (!this.isOpen) return
          this.end.write(reply)
          this.#said('twice')
        })
        return
      case 'flood':
        this.end.write(`* OK ${'noise '.repeat(10)}\r\n`.repeat(this.server.noisyLines) + data + reply)
        this.#said('flood')
        return
      default: {
        const all = data + reply
        // A remark may follow the reply to a login.
        const most = hidesLogin ? data.length + reply.indexOf('\n') : all.length
        this.end.write(all.slice(0, this.#chance.below(most + 1)))
        return this.die(how === 'cut' ? 'finish' : 'reset')
      }
    }
  }

  #said(what: SaidByServer): void {
    this.end.whenDelivered(() => this.server.watcher.onSaid(this, what))
  }

  /** Sends an unsolicited response. Its end may be sent later than its beginning. */
  remark(): void {
    if (!this.isOpen || this.user === undefined || this.#isHung) return
    const line = this.#chance.pick(['* OK Still here\r\n', '* NO [ALERT] The disk is nearly full\r\n'])
    const cut = this.#chance.happens(0.5) ? this.#chance.between(1, line.length - 1) : line.length
    this.end.write(line.slice(0, cut))
    this.#said('unasked')
    if (cut === line.length) return
    this.isHarmed = true
    this.end.lane.pauseBehind(this.#chance.pick([20, 1000, 8000]))
    this.end.write(line.slice(cut))
  }

  /** @param isFetching flags may be part of an answer, so an edge cannot recognize a change */
  #reportChanges(lines: readonly string[], isFetching: boolean): void {
    const { selection } = this
    if (selection && lines.some((line) => !isFetching || !line.includes(' FETCH ')))
      this.end.whenDelivered(() => selection.changed())
  }

  /** Another client has changed a mailbox. */
  onChanged(): void {
    if (!this.isOpen || this.#isHung || this.server.isHung || this.#isBusy) return
    if (this.notifyTag !== undefined)
      this.end.write(`* STATUS INBOX (MESSAGES 1 X-FOR ${this.notifyTag})\r\n`)
    const isIdling = this.#idleTag !== undefined
    if (!isIdling && (!this.server.traits.tellsUnasked || this.#queue.length > 0)) return
    const lines = this.selection?.tell(isIdling) ?? []
    if (lines.length === 0) return
    this.end.write(lines.join(''))
    this.#reportChanges(lines, false)
    if (!isIdling) this.#said('unasked')
  }

  #capabilities(): string {
    const { hasUnselect, hasId, hasCondstore } = this.server.traits
    const list = ['IMAP4rev1', 'LITERAL+', 'ENABLE', 'IDLE', 'NAMESPACE', 'ESEARCH', 'SEARCHRES', 'X-ODD=a&b']
    if (hasUnselect) list.push('UNSELECT')
    if (hasId) list.push('ID')
    if (hasCondstore) list.push('CONDSTORE', 'QRESYNC')
    return this.user === undefined
      ? [...list, 'SASL-IR', 'AUTH=PLAIN'].join(' ')
      : [...list, 'NOTIFY', 'COMPRESS=DEFLATE'].join(' ')
  }

  /** Marks data as the answer to this command. */
  #stampFor(command: Command): string {
    return isEdgeTag(command.tag) ? this.server.watcher.onEdgeQuestion(this, command) : `X-FOR ${command.tag}`
  }

  #run(command: Command): Answer | undefined {
    const answer = (tagged: string, ...data: string[]) => ({ tagged, data })
    switch (command.verb) {
      case 'CAPABILITY':
        return answer('OK done', `* CAPABILITY ${this.#capabilities()}\r\n`)
      case 'NOOP':
      case 'CHECK':
        return answer('OK done')
      case 'ID':
        return this.server.traits.hasId
          ? answer('OK done', '* ID ("name" "sim" "version" "1")\r\n')
          : answer('BAD no ID')
      case 'LOGOUT':
        return answer('OK bye', '* BYE logging out\r\n')
      case 'LOGIN': {
        const [user = '', secret = ''] = argumentsIn(command.rest)
        return this.#judge(user, secret)
      }
      case 'AUTHENTICATE': {
        const [mechanism, initial] = command.rest.split(' ')
        if (mechanism?.toUpperCase() !== 'PLAIN') return answer('NO unsupported')
        if (initial !== undefined) return this.#judgePlain(initial)
        this.#saslTag = command.tag
        this.end.write('+ \r\n')
        return undefined
      }
      default:
        return this.user === undefined ? answer('BAD log in first') : this.#runLoggedIn(command)
    }
  }

  #endSasl(line: string): void {
    const command = { tag: this.#saslTag!, verb: 'AUTHENTICATE', rest: '', text: '' }
    this.#saslTag = undefined
    const result = this.#judgePlain(line)
    if (this.isOpen) this.end.write([...result.data, `${command.tag} ${result.tagged}\r\n`].join(''))
  }

  #judgePlain(base64: string): Answer {
    const [, user = '', secret = ''] = Buffer.from(base64, 'base64').toString('utf8').split('\0')
    return this.#judge(user, secret)
  }

  #judge(user: string, secret: string): Answer {
    const { accounts, traits, watcher } = this.server
    const account = accounts.get(user)
    const refuse = (tagged: string) => ({ tagged, data: [] })
    if (this.server.failsLogins === 'closed') this.die('finish')
    if (this.server.failsLogins) return refuse('NO [UNAVAILABLE] Temporary authentication failure')
    if (!this.server.isHonest && this.#chance.happens(traits.lieRate / 2))
      return refuse('NO [UNAVAILABLE] not now')
    if (!account || account.isDisabled || !account.secrets.has(secret)) {
      watcher.onJudged(this, user, secret, false)
      return refuse(this.#chance.pick(['NO [AUTHENTICATIONFAILED] wrong', 'NO wrong']))
    }
    if (this.server.connectionsOf(user).length >= traits.userLimit)
      return refuse('NO [LIMIT] too many connections of this user')
    this.user = user
    this.secret = secret
    this.loggedInAt = this.server.scheduler.now
    this.server.accepted++
    watcher.onJudged(this, user, secret, true)
    const list = this.#capabilities()
    const code = traits.capabilitiesAfterLogin === 'code' ? `[CAPABILITY ${list}] ` : ''
    const data = traits.capabilitiesAfterLogin === 'untagged' ? [`* CAPABILITY ${list}\r\n`] : []
    return { tagged: `OK ${code}Logged in ${markOf(user)}`, data }
  }

  #runLoggedIn(command: Command): Answer | undefined {
    const { tag, rest } = command
    const answer = (tagged: string, ...data: string[]) => ({ tagged, data })
    const account = this.server.accounts.get(this.user!)!
    const words = argumentsIn(rest)
    const verb = verbOf(command)
    switch (verb) {
      case 'SELECT':
      case 'EXAMINE':
        return this.#select(account.mailboxes.get(words[0] ?? ''), verb === 'EXAMINE', command)
      case 'UNSELECT':
        if (!this.server.traits.hasUnselect) return answer('BAD unknown command')
        if (!this.selection) return answer('BAD no mailbox selected')
        if (this.#refusesToLeave(tag)) return answer('NO not now')
        this.selection = undefined
        return answer('OK done')
      case 'CLOSE':
        if (!this.selection) return answer('BAD no mailbox selected')
        if (this.#refusesToLeave(tag)) return answer('NO not now')
        this.selection.expunge()
        this.selection = undefined
        return answer('OK done')
      case 'STATUS': {
        const mailbox = account.mailboxes.get(words[0] ?? '')
        if (!mailbox) return answer('NO no such mailbox')
        if (/HIGHESTMODSEQ/i.test(rest)) this.#enable('CONDSTORE')
        const { messages, uidNext, modseq } = mailbox
        const counts = Object.entries({
          MESSAGES: messages.length,
          UIDNEXT: uidNext,
          // A server without CONDSTORE omits it.
          ...(this.enabled.has('CONDSTORE') ? { HIGHESTMODSEQ: modseq } : {}),
        }).flatMap(([item, count]) => (rest.toUpperCase().includes(item) ? [`${item} ${count}`] : []))
        return answer(
          'OK done',
          `* STATUS ${mailbox.name} (${[...counts, this.#stampFor(command)].join(' ')})\r\n`,
        )
      }
      case 'LIST':
      case 'LSUB': {
        if (words[1] === '') return answer('OK done', `* ${verb} (\\Noselect) "/" ""\r\n`)
        const names = [...account.mailboxes.keys()].sort()
        return answer('OK done', ...names.map((name) => `* ${verb} () "/" ${name}\r\n`))
      }
      case 'NAMESPACE':
        return answer('OK done', '* NAMESPACE (("" "/")) NIL NIL\r\n')
      case 'APPEND': {
        const mailbox = account.mailboxes.get(words[0] ?? '')
        const content = words.at(-1) ?? ''
        if (!mailbox) return answer('NO [TRYCREATE] no such mailbox')
        if (!isSealed(content)) return answer('BAD broken message')
        mailbox.add(content)
        return answer('OK done')
      }
      case 'ENABLE': {
        const wanted = rest
          .toUpperCase()
          .split(' ')
          .filter((name) => /^(?:CONDSTORE|QRESYNC)$/.test(name) && this.server.traits.hasCondstore)
        for (const name of wanted) this.#enable(name)
        return answer('OK done', `* ENABLED${wanted.map((name) => ` ${name}`).join('')}\r\n`)
      }
      case 'NOTIFY':
        this.notifyTag = /^NONE/i.test(rest) ? undefined : tag
        return answer('OK done')
      case 'LANGUAGE':
      case 'COMPARATOR':
        return answer('OK done')
      case 'IDLE':
        this.#idleTag = tag
        this.end.write('+ idling\r\n')
        return undefined
      default:
        return this.selection
          ? this.#runSelected(command, verb, this.selection)
          : answer('BAD select a mailbox first')
    }
  }

  #endIdle(line: string): void {
    const tag = this.#idleTag!
    this.#idleTag = undefined
    const isDone = line.toUpperCase() === 'DONE'
    const command = { tag, verb: 'IDLE', rest: '', text: '' }
    const changes = this.selection?.tell(true) ?? []
    this.server.watcher.onAnswer(this, command, { status: isDone ? 'OK' : 'BAD', isLast: true })
    this.end.write(`${changes.join('')}${tag} ${isDone ? 'OK done' : 'BAD what?'}\r\n`)
    this.#reportChanges(changes, false)
  }

  #enable(name: string): void {
    if (!this.server.traits.hasCondstore) return
    this.enabled.add(name)
  }

  /** Never for the UNSELECT before a command of the client, because the edge does not wait for its reply. */
  #refusesToLeave(tag: string): boolean {
    const { server } = this
    return !server.isHonest && !tag.startsWith('E') && this.#chance.happens(server.traits.unselectRefusalRate)
  }

  #select(mailbox: Mailbox | undefined, isExamined: boolean, { tag, rest }: Command): Answer {
    const isWritable = isResetTag(tag) && this.server.traits.examinesWritable && this.#chance.happens(0.5)
    const readOnly = isExamined && !isWritable
    const refuse = () => {
      if (!this.server.traits.refusedSelectKeeps) this.selection = undefined
      return { tagged: 'NO no such mailbox', data: [] }
    }
    if (!mailbox) return refuse()
    if (this.#lies(2)) {
      this.server.scheduler.log.add(`${this.name} refuses a SELECT`)
      return refuse()
    }
    if (/\(CONDSTORE\)/i.test(rest)) this.#enable('CONDSTORE')
    const closed = this.selection && this.enabled.has('QRESYNC') ? ['* OK [CLOSED] previous mailbox\r\n'] : []
    this.selection = new Selection(mailbox, readOnly, this.enabled, this.server.scheduler)
    const data = [
      ...closed,
      this.selection.flagList,
      `* ${this.selection.view.length} EXISTS\r\n`,
      '* 0 RECENT\r\n',
      `* OK [UIDVALIDITY ${mailbox.uidValidity}] ${markOf(mailbox.owner)}\r\n`,
      `* OK [UIDNEXT ${mailbox.uidNext}] next\r\n`,
      // A code that the edge does not know (RFC 5550).
      '* OK [URLMECH INTERNAL] urls\r\n',
      ...(this.server.traits.hasCondstore ? [`* OK [HIGHESTMODSEQ ${mailbox.modseq}] highest\r\n`] : []),
    ]
    return { tagged: `OK [READ-${readOnly ? 'ONLY' : 'WRITE'}] selected`, data }
  }

  #runSelected(command: Command, verb: string, selection: Selection): Answer {
    if (verb.endsWith('FETCH') && /MODSEQ|CHANGEDSINCE/i.test(command.rest)) this.#enable('CONDSTORE')
    return selection.run(command, verb, this.#stampFor(command))
  }
}

const verbOf = ({ verb, rest }: Command): string =>
  verb === 'UID' ? `UID ${rest.slice(0, rest.indexOf(' ')).toUpperCase()}` : verb

const mayTellFlags = ({ verb }: Command): boolean => /^(?:FETCH|UID|STORE)$/.test(verb)

const isLogin = ({ verb }: Command): boolean => verb === 'LOGIN' || verb === 'AUTHENTICATE'

/** While these are in progress, sequence numbers must not change (RFC 9051 7.5.1). */
const mayNotExpunge = (command: Command): boolean => /^(?:FETCH|STORE|SEARCH)$/.test(verbOf(command))
