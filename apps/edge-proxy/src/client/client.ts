/**
 * The client's end of a session: commands read whole before login, replies written, one close. After login the splice
 * takes the link and what was read too early.
 */
import { CommandScanner } from '../imap/command-scanner.ts'
import { CR } from '../imap/bytes.ts'
import type { IdPairs } from '../imap/id.ts'
import type { Link, LinkEnd, LinkHandler } from '../net/link.ts'

/** Bounds on what a client may cost before anybody knows who it is. */
export interface PreloginLimits {
  lineBytesMax: number
  preloginBytesMax: number
  preloginCommandsMax: number
  loginTimeoutMs: number
  loginFailuresMax: number
}

export interface ClientFacts {
  link: Link
  /** Name of the listener it came in by. */
  listener: string
  /** Its address, as the PROXY header says where one is trusted. */
  address: () => string
  secure: boolean
  limits: PreloginLimits
  now: number
}

/** Why a client was sent away before it was anybody; the label of `client_refusals_total`. */
export type ClientRefusal =
  | 'line-too-long'
  | 'literal-too-long'
  | 'too-many-bytes'
  | 'too-many-commands'
  | 'too-many-failures'
  | 'login-timeout'

const empty: Buffer = Buffer.alloc(0)

export class Client implements LinkHandler {
  readonly link: Link
  readonly listener: string
  readonly #askAddress: () => string
  #address: string | undefined
  readonly #limits: PreloginLimits
  readonly #scanner: CommandScanner
  secure: boolean
  /** When it must have logged in. */
  readonly deadlineAt: number
  /** What ID commands said before login, to be said to the server after it, in order. */
  readonly ids: IdPairs[] = []
  /** What has come and was not taken. */
  #buffer: Buffer = empty
  /** How much of the buffer has been scanned: whole lines and literals of the command that is not complete. */
  #scanned = 0
  #bytes = 0
  #commands = 0
  #failures = 0
  #waiting: { kind: 'command' | 'line'; resolve: (bytes: Buffer | undefined) => void } | undefined
  #refused: ClientRefusal | undefined
  #end: LinkEnd | undefined

  constructor(facts: ClientFacts) {
    this.link = facts.link
    this.listener = facts.listener
    this.#askAddress = facts.address
    this.secure = facts.secure
    this.#limits = facts.limits
    this.deadlineAt = facts.now + facts.limits.loginTimeoutMs
    this.#scanner = new CommandScanner(facts.limits.preloginBytesMax)
    this.listen()
  }

  get address(): string {
    return (this.#address ??= this.#askAddress())
  }

  get isThere(): boolean {
    return this.link.isOpen
  }

  /** Why the client was sent away, if it was. */
  get refusal(): ClientRefusal | undefined {
    return this.#refused
  }

  /** Hears the link, also again after TLS has changed its socket. */
  listen(): void {
    this.link.handler = this
  }

  write(bytes: Buffer | string): void {
    this.link.write(bytes)
  }

  reply(tag: string, text: string): void {
    this.link.write(`${tag} ${text}\r\n`)
  }

  /** The next whole command, literals included; undefined when there will be none. */
  nextCommand(): Promise<Buffer | undefined> {
    if (++this.#commands > this.#limits.preloginCommandsMax) this.refuse('too-many-commands')
    return this.#next('command')
  }

  /** The next line, for a SASL exchange, without its line end. */
  nextLine(): Promise<Buffer | undefined> {
    return this.#next('line')
  }

  /** Counts a refused login; the client that has failed too often is disconnected. */
  countFailure(): void {
    if (++this.#failures >= this.#limits.loginFailuresMax) this.refuse('too-many-failures')
  }

  /** Sends the client away with a BYE that says why. */
  refuse(reason: ClientRefusal): void {
    if (this.#refused || this.#end) return
    this.#refused = reason
    this.bye(byeText[reason])
  }

  bye(text: string): void {
    this.link.write(`* BYE ${text}\r\n`)
    this.close()
  }

  /** Closes when everything written has left. */
  close(): void {
    this.link.closeWhenWritten(5000)
    this.#settle(undefined)
  }

  /** What the client has sent beyond its login; the splice begins with it. */
  takeEarly(): Buffer | undefined {
    const early = this.#buffer
    this.#buffer = empty
    return early.length > 0 ? early : undefined
  }

  #next(kind: 'command' | 'line'): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      if (!this.link.isOpen) return resolve(undefined)
      this.#waiting = { kind, resolve }
      this.#advance()
    })
  }

  onData(bytes: Buffer): void {
    this.#bytes += bytes.length
    this.#buffer = this.#buffer.length > 0 ? Buffer.concat([this.#buffer, bytes]) : bytes
    if (this.#bytes > this.#limits.preloginBytesMax) {
      // Nobody is logged in who could be entitled to more; while a login is under way, the rest may wait in the kernel.
      if (this.#waiting) this.refuse('too-many-bytes')
      else this.link.pause()
      return
    }
    this.#advance()
    // Copy a small rest, so that the large block that it arrived in can be freed (net/read-buffers.ts).
    if (this.#buffer.length > 0 && this.#buffer.buffer === bytes.buffer)
      this.#buffer = Buffer.from(this.#buffer)
  }

  /** Scans the buffer until the command or line that is waited for is complete. */
  #advance(): void {
    while (this.#waiting && this.#scanned < this.#buffer.length) {
      const start = this.#scanned
      const part = this.#scanner.next(this.#buffer, start, this.#limits.lineBytesMax)
      if (part === 'partial-line') return
      if (part === 'line-too-long') return this.refuse(part)
      this.#scanned = this.#scanner.end
      if (part === 'literal') continue
      if (this.#waiting.kind === 'line') return this.#settle(withoutLineEnd(this.#take()))
      const ending = this.#scanner.takeLine(this.#buffer, start)
      if (ending === 'complete') return this.#settle(this.#take())
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

  #settle(bytes: Buffer | undefined): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve(bytes)
  }

  onDrain(): void {}

  onEnd(end: LinkEnd): void {
    this.#end = end
    this.#settle(undefined)
  }
}

const byeText: Record<ClientRefusal, string> = {
  'line-too-long': 'Command line too long',
  'literal-too-long': 'Literal too long before login',
  'too-many-bytes': 'Too much data before login',
  'too-many-commands': 'Too many commands before login',
  'too-many-failures': 'Too many failed logins',
  'login-timeout': 'Login timed out',
}

const withoutLineEnd = (line: Buffer): Buffer => line.subarray(0, line.at(-2) === CR ? -2 : -1)
