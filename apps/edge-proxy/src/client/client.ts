/**
 * A client, from accept to close: reads complete commands before the login, writes replies, and closes the connection. After
 * the login the splice handles the link, and begins with the bytes that arrived before.
 */
import type { SecureContext } from 'node:tls'
import { CommandScanner } from '../imap/command-scanner.ts'
import { CR, findByte, LF } from '../imap/bytes.ts'
import type { IdPairs } from '../imap/id.ts'
import { commandHead, isTag, type Verb } from '../imap/verb.ts'
import { tooMany } from '../net/accept.ts'
import type { Occupant, Place, Dismissal } from '../net/client-admission.ts'
import { Linked } from '../linked-members.ts'
import { familyOf, loginFormOf, type LoginForm } from './client-family.ts'
import type { Link, LinkHandler } from '../net/link.ts'
import { acceptTls } from '../net/tls.ts'

/** Limits for a client that has not logged in. */
export interface PreloginLimits {
  lineBytesMax: number
  preloginBytesMax: number
  preloginCommandsMax: number
  loginTimeoutMs: number
  loginFailuresMax: number
}

export interface ClientFacts {
  link: Link
  place: Place
  /** The address in the PROXY header, if there was one. */
  address: () => string
  secure: boolean
  limits: PreloginLimits
  /** When the client was accepted. */
  acceptedAt: number
}

/** Why a client was disconnected before its login; a label value of `client_refusals_total`. */
export type ClientRefusal =
  | 'line-too-long'
  | 'literal-too-long'
  | 'too-many-bytes'
  | 'too-many-commands'
  | 'too-many-failures'
  | 'login-timeout'
  | 'displaced'

/** Why the edge stops working on a login. */
export type LoginAbandonment = 'client-gone' | 'out-of-time' | 'shutdown'

const empty: Buffer = Buffer.alloc(0)

/** A complete command, literals included. */
export interface ClientCommand {
  readonly bytes: Buffer
  /** Undefined: the tag is not valid. */
  readonly tag: string | undefined
  readonly verb: Verb
  /** Where the arguments begin, with the space before them. */
  readonly argumentsAt: number
  /** Index of the first line feed. */
  readonly firstLineEnd: number
}

type Waiting =
  | { kind: 'command'; resolve: (command: ClientCommand | undefined) => void }
  | { kind: 'line'; resolve: (line: Buffer | undefined) => void }

export class Client extends Linked<Client> implements LinkHandler, Occupant {
  readonly link: Link
  readonly place: Place
  readonly #readAddress: () => string
  #address: string | undefined
  readonly #limits: PreloginLimits
  readonly #scanner: CommandScanner
  #secure: boolean
  /** A TLS handshake is in progress. */
  #startsTls = false
  /** When the client is disconnected unless it has logged in. */
  readonly deadlineAt: number
  #ids: IdPairs[] = []
  #mayNameUser = false
  /** Bytes that were not taken yet. */
  #buffer: Buffer = empty
  /** The scanned part of the buffer: complete lines and literals of an incomplete command. */
  #scanned = 0
  #bytes = 0
  #commands = 0
  #failures = 0
  #loginTag = ''
  #loginVerb = ''
  #loginForm: LoginForm = 0
  #waiting: Waiting | undefined
  #refused: ClientRefusal | undefined
  /** Created at first use. */
  #login: AbortController | undefined
  #abandoned: LoginAbandonment | undefined

  constructor(facts: ClientFacts) {
    super()
    this.link = facts.link
    this.place = facts.place
    this.#readAddress = facts.address
    this.#secure = facts.secure
    this.#limits = facts.limits
    this.deadlineAt = facts.acceptedAt + facts.limits.loginTimeoutMs
    this.#scanner = new CommandScanner(facts.limits.preloginBytesMax)
    this.link.handler = this
    this.place.occupant = this
  }

  /** Name of the listener that accepted the client. */
  get listener(): string {
    return this.place.listener
  }

  get address(): string {
    return (this.#address ??= this.#readAddress())
  }

  get isConnected(): boolean {
    return this.link.isOpen
  }

  /** A login that can be sent to a server. */
  noteLogin({ tag, verb, bytes, argumentsAt }: ClientCommand): void {
    // The address is needed for the log, and cannot be read after the client has disconnected.
    this.#address ??= this.#readAddress()
    this.#loginTag = tag ?? ''
    this.#loginVerb = verb
    this.#loginForm = loginFormOf(bytes, argumentsAt)
  }

  /** The family of the client program. Known after the login. Computed at each call. */
  get family(): string {
    return familyOf({
      listener: this.listener,
      address: this.address,
      secure: this.#secure,
      commands: this.#commands,
      tag: this.#loginTag,
      verb: this.#loginVerb,
      form: this.#loginForm,
      ids: this.#ids,
    })
  }

  /** Aborted when the login in progress is abandoned. The reason is a `LoginAbandonment`. */
  get loginSignal(): AbortSignal {
    if (!this.#login) {
      this.#login = new AbortController()
      if (this.#abandoned) this.#login.abort(this.#abandoned)
    }
    return this.#login.signal
  }

  /** Why the client was disconnected. Undefined: it was not. */
  get refusal(): ClientRefusal | undefined {
    return this.#refused
  }

  /** Whether the connection uses TLS. */
  get secure(): boolean {
    return this.#secure
  }

  /** The ID commands before login, in order, for the server. */
  get ids(): readonly IdPairs[] {
    return this.#ids
  }

  /** Whether the client may name the address of its user in its ID commands. */
  get mayNameUser(): boolean {
    return this.#mayNameUser
  }

  addId(pairs: IdPairs, mayNameUser: boolean): void {
    this.#ids.push(pairs)
    this.#mayNameUser = mayNameUser
  }

  /**
   * Starts TLS, after the OK to STARTTLS was written. Pending bytes and earlier IDs are discarded, because they may be forged
   * (RFC 9051 6.2.1). False: the handshake failed or took too long, and the connection is closed.
   */
  async startTls(context: SecureContext, timeoutMs: number): Promise<boolean> {
    this.takeEarly()
    this.#ids = []
    this.#startsTls = true
    this.#secure = (await acceptTls(this.link, context, timeoutMs)) === 'secure'
    this.#startsTls = false
    return this.#secure
  }

  write(bytes: Buffer | string): void {
    this.link.write(bytes)
  }

  reply(tag: string, text: string): void {
    this.link.write(`${tag} ${text}\r\n`)
  }

  /** The next complete command. Undefined: the client has disconnected or was disconnected. */
  nextCommand(): Promise<ClientCommand | undefined> {
    if (++this.#commands > this.#limits.preloginCommandsMax) this.refuse('too-many-commands')
    return new Promise((resolve) => this.#wait({ kind: 'command', resolve }))
  }

  /** The next line, for a SASL exchange, without its line end. */
  nextLine(): Promise<Buffer | undefined> {
    return new Promise((resolve) => this.#wait({ kind: 'line', resolve }))
  }

  /** Counts a refused login, and disconnects the client after too many. */
  countFailure(): void {
    if (++this.#failures >= this.#limits.loginFailuresMax) this.refuse('too-many-failures')
  }

  /** Disconnects the client, with a BYE that has the reason. */
  refuse(reason: ClientRefusal): void {
    if (this.#refused || !this.link.isOpen) return
    this.#refused = reason
    this.bye(byeText[reason])
  }

  /**
   * Ends the time before login. A client for whose command the edge waits gets BYE. A login in progress is abandoned, and the
   * session answers it.
   */
  endLoginTime(reason: 'out-of-time' | 'shutdown'): void {
    if (!this.#waiting && !this.#startsTls) this.#abandonLogin(reason)
    else if (reason === 'out-of-time') this.refuse('login-timeout')
    else this.bye(stoppingText)
  }

  /** Disconnects the client because another one displaces it or the edge stops. */
  dismiss(why: Dismissal): void {
    if (why === 'stopping') this.endLoginTime('shutdown')
    else this.refuse(why)
  }

  /** Closes the connection immediately, without BYE. */
  cut(): void {
    this.link.abort()
    this.#settle(this.#waiting, undefined)
  }

  /** Disconnects the client after the answer to a login that was abandoned. */
  sendAway(): void {
    if (this.#abandoned === 'shutdown') this.bye(stoppingText)
    else this.refuse('login-timeout')
  }

  #abandonLogin(reason: LoginAbandonment): void {
    this.#abandoned ??= reason
    this.#login?.abort(this.#abandoned)
  }

  bye(text: string): void {
    // Within a TLS handshake no BYE can be sent.
    if (!this.#startsTls) this.link.write(`* BYE ${text}\r\n`)
    this.close()
  }

  /** Closes the connection after all written bytes have been sent. */
  close(): void {
    this.#abandonLogin('client-gone')
    this.link.closeWhenWritten(5000)
    this.#settle(this.#waiting, undefined)
  }

  /** Takes the bytes that the client sent after the last command that was read. */
  takeEarly(): Buffer | undefined {
    const early = this.#buffer
    this.#buffer = empty
    return early.length > 0 ? early : undefined
  }

  #wait(waiting: Waiting): void {
    if (!this.link.isOpen) return waiting.resolve(undefined)
    this.#waiting = waiting
    this.#advance()
  }

  onData(bytes: Buffer): void {
    this.#bytes += bytes.length
    this.#buffer = this.#buffer.length > 0 ? Buffer.concat([this.#buffer, bytes]) : bytes
    if (this.#bytes > this.#limits.preloginBytesMax) {
      // No client needs this many bytes before its login. During a login, the rest may wait in the kernel.
      if (this.#waiting) this.refuse('too-many-bytes')
      else this.link.pause()
      return
    }
    this.#advance()
    // Copy a small rest, so that its large block can be reused (net/read-buffers.ts).
    if (this.#buffer.length > 0 && this.#buffer.buffer === bytes.buffer)
      this.#buffer = Buffer.from(this.#buffer)
  }

  /** Scans the buffer until the awaited command or line is complete. */
  #advance(): void {
    while (this.#waiting && this.#scanned < this.#buffer.length) {
      const start = this.#scanned
      const part = this.#scanner.next(this.#buffer, start, this.#limits.lineBytesMax)
      if (part === 'partial-line') return
      if (part === 'line-too-long') return this.refuse(part)
      this.#scanned = this.#scanner.end
      if (part === 'literal') continue
      if (this.#waiting.kind === 'line') return this.#settle(this.#waiting, withoutLineEnd(this.#take()))
      const ending = this.#scanner.takeLine(this.#buffer, start)
      if (ending === 'complete') return this.#settle(this.#waiting, commandOf(this.#take()))
      if (ending === 'literal-too-long') return this.refuse(ending)
      if (ending === 'synchronizing-literal') this.link.write('+ OK\r\n')
    }
  }

  #take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#scanned)
    this.#buffer = this.#scanned === this.#buffer.length ? empty : this.#buffer.subarray(this.#scanned)
    this.#scanned = 0
    return taken
  }

  #settle<Result>(waiting: { resolve: (result: Result) => void } | undefined, result: Result): void {
    this.#waiting = undefined
    waiting?.resolve(result)
  }

  onEnd(): void {
    this.#abandonLogin('client-gone')
    this.#settle(this.#waiting, undefined)
  }
}

const stoppingText = 'Server is stopping, try again'

const byeText: Record<ClientRefusal, string> = {
  'line-too-long': 'Command line too long',
  'literal-too-long': 'Literal too long before login',
  'too-many-bytes': 'Too much data before login',
  'too-many-commands': 'Too many commands before login',
  'too-many-failures': 'Too many failed logins',
  'login-timeout': 'Login timed out',
  displaced: tooMany,
}

const withoutLineEnd = (line: Buffer): Buffer => line.subarray(0, line.at(-2) === CR ? -2 : -1)

function commandOf(bytes: Buffer): ClientCommand {
  const firstLineEnd = findByte(bytes, LF, 0)
  const { tagEnd, verb, verbEnd } = commandHead(bytes, 0, firstLineEnd)
  const tag = isTag(bytes, 0, tagEnd) ? bytes.toString('latin1', 0, tagEnd) : undefined
  return { bytes, tag, verb, argumentsAt: verbEnd, firstLineEnd }
}
