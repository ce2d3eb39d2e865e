/** An SMTP server for tests. It keeps the mails that it accepts, and refuses what a test tells it to (RFC 5321). */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'

export interface SunkMail {
  from: string
  to: string[]
  /** With its header, lines ended by LF. */
  text: string
  /** Whether it came under TLS. */
  isSecure: boolean
  /** The login before it. */
  user: string | undefined
}

export interface SmtpSinkOptions {
  /** PEM. With it, STARTTLS is offered. */
  tls?: { cert: string; key: string }
  /** The login that it requires. */
  login?: { user: string; password: string }
  /** Recipients that it refuses. */
  refused?: string[]
}

export class SmtpSink {
  readonly mails: SunkMail[] = []
  /** All lines that clients sent, except those of mails. */
  readonly commands: string[] = []
  /** The reply to the next mails, instead of 250. */
  answer: string | undefined
  readonly #options: SmtpSinkOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(options: SmtpSinkOptions) {
    this.#options = options
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {})
      socket.write('220 sink ESMTP\r\n')
      this.#serve(socket, { isSecure: false, user: undefined })
    })
  }

  static async start(options: SmtpSinkOptions = {}): Promise<SmtpSink> {
    const sink = new SmtpSink(options)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    sink.#server.once('error', reject).listen(0, '127.0.0.1', resolve)
    await promise
    return sink
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    await promise
  }

  #serve(socket: Socket, session: Pick<SunkMail, 'isSecure' | 'user'>): void {
    let buffered = ''
    let mail: Pick<SunkMail, 'from' | 'to'> = { from: '', to: [] }
    let lines: string[] | undefined
    const reply = (text: string) => void socket.write(`${text}\r\n`)
    const onData = (bytes: Buffer) => {
      buffered += bytes.toString('latin1')
      for (let end = buffered.indexOf('\r\n'); end >= 0; end = buffered.indexOf('\r\n')) {
        const line = buffered.slice(0, end)
        buffered = buffered.slice(end + 2)
        if (lines === undefined) command(line)
        else if (line !== '.') lines.push(line.startsWith('.') ? line.slice(1) : line)
        else endOfMail(lines)
      }
    }
    const endOfMail = (text: readonly string[]) => {
      lines = undefined
      if (this.answer === undefined) this.mails.push({ ...mail, ...session, text: text.join('\n') })
      mail = { from: '', to: [] }
      reply(this.answer ?? '250 kept')
    }
    const command = (line: string) => {
      this.commands.push(line)
      const [, verb = '', rest = ''] = /^(\w+) ?(.*)$/.exec(line) ?? []
      const address = /<([^>]*)>/.exec(rest)?.[1] ?? ''
      switch (verb.toUpperCase()) {
        case 'EHLO':
          return reply(this.#greeting(session.isSecure).join('\r\n'))
        case 'STARTTLS':
          return startTls()
        case 'AUTH':
          return reply(logIn(rest) ? '235 welcome' : '535 5.7.8 wrong credentials')
        case 'MAIL':
          mail = { from: address, to: [] }
          return reply(this.#options.login && session.user === undefined ? '530 log in first' : '250 ok')
        case 'RCPT':
          if (this.#options.refused?.includes(address)) return reply('550 5.1.1 no such user')
          mail.to.push(address)
          return reply('250 ok')
        case 'DATA':
          if (mail.to.length === 0) return reply('554 no recipients')
          lines = []
          return reply('354 go on')
        case 'QUIT':
          return void socket.end('221 bye\r\n')
        default:
          return reply(['RSET', 'NOOP', 'HELO'].includes(verb.toUpperCase()) ? '250 ok' : '502 unknown')
      }
    }
    const logIn = (rest: string): boolean => {
      const [, user, password] = Buffer.from(rest.replace(/^PLAIN /i, ''), 'base64')
        .toString()
        .split('\0')
      const { login } = this.#options
      if (!login || login.user !== user || login.password !== password) return false
      session.user = user
      return true
    }
    const startTls = () => {
      const { tls } = this.#options
      if (!tls) return reply('502 unknown')
      socket.off('data', onData)
      reply('220 go on')
      const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(tls) })
      secure.on('error', () => {})
      this.#serve(secure, { ...session, isSecure: true })
    }
    socket.on('data', onData)
  }

  #greeting(isSecure: boolean): string[] {
    const { tls, login } = this.#options
    const offered = [...(tls && !isSecure ? ['STARTTLS'] : []), ...(login ? ['AUTH PLAIN'] : []), '8BITMIME']
    return ['sink', ...offered].map((text, index) => `250${index === offered.length ? ' ' : '-'}${text}`)
  }
}
