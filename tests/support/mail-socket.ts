/**
 * A small mail client for tests of connection set-up: plain, implicit TLS, STARTTLS, from any loopback address, with bytes
 * sent before anything is read. Text is Latin-1, so that one character is one byte.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'

export interface MailSocketOptions {
  port: number
  /** Implicit TLS. */
  tls?: ConnectionOptions
  /** Sent before anything else, also before TLS, such as a PROXY header. */
  preamble?: string | Buffer
  localAddress?: string
}

export interface ImapAnswer {
  status: string
  text: string
  untagged: string[]
}

const patienceMs = 60_000

export class MailSocket {
  greeting = ''
  #socket: Socket
  #text = ''
  #ended = false
  #wake: (() => void) | undefined
  #count = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#listen(socket)
  }

  /** Connects without reading. Rejects if TLS or the connection fails. */
  static async open({ port, tls, preamble, localAddress }: MailSocketOptions): Promise<MailSocket> {
    const raw = connect({ port, host: '127.0.0.1', ...(localAddress !== undefined && { localAddress }) })
    await once(raw, 'connect')
    if (preamble !== undefined) raw.write(preamble)
    return new MailSocket(tls === undefined ? raw : await secured(raw, tls))
  }

  static async greeted(options: MailSocketOptions): Promise<MailSocket> {
    const client = await MailSocket.open(options)
    client.greeting = await client.line()
    return client
  }

  /** The TLS connection, for the certificate of the peer. */
  get tls(): TLSSocket {
    return this.#socket as TLSSocket
  }

  send(bytes: string): void {
    this.#socket.write(Buffer.from(bytes, 'latin1'))
  }

  /** The next line, without its end. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        return line
      }
      if (this.#ended) throw new Error(`the connection was closed after ${JSON.stringify(this.#text)}`)
      await this.#more()
    }
  }

  /** Everything up to the tagged reply. It must not contain literals with lines that look like that reply. */
  async reply(tag: string): Promise<ImapAnswer> {
    const untagged: string[] = []
    for (;;) {
      const line = await this.line()
      const [first = '', status = '', ...rest] = line.split(' ')
      if (first === tag) return { status, text: rest.join(' '), untagged }
      untagged.push(line)
    }
  }

  command(text: string): Promise<ImapAnswer> {
    this.#count += 1
    const tag = `m${this.#count}`
    this.send(`${tag} ${text}\r\n`)
    return this.reply(tag)
  }

  /** STARTTLS and the handshake. `behind` is sent in clear text, in one segment with the command. */
  async startTls(tls: ConnectionOptions, behind = ''): Promise<void> {
    this.send(`starttls STARTTLS\r\n${behind}`)
    const { status, text } = await this.reply('starttls')
    if (status !== 'OK') throw new Error(`STARTTLS was answered ${status} ${text}`)
    if (this.#text !== '') throw new Error(`${JSON.stringify(this.#text)} came before TLS`)
    const raw = this.#socket
    raw.removeAllListeners('data').removeAllListeners('close')
    this.#socket = await secured(raw, tls)
    this.#listen(this.#socket)
  }

  /** Everything until the server closes. */
  async rest(): Promise<string> {
    while (!this.#ended) await this.#more()
    return this.#text
  }

  async close(): Promise<void> {
    if (this.#socket.destroyed) return
    const closed = once(this.#socket, 'close')
    this.#socket.destroy()
    await closed
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1')
      this.#wake?.()
    })
    socket.on('error', () => socket.destroy())
    for (const event of ['end', 'close'])
      socket.on(event, () => {
        this.#ended = true
        this.#wake?.()
      })
  }

  async #more(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const late = setTimeout(
      () => reject(new Error(`nothing more came after ${JSON.stringify(this.#text)}`)),
      patienceMs,
    )
    this.#wake = resolve
    await promise.finally(() => clearTimeout(late))
  }
}

async function secured(raw: Socket, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ servername: 'localhost', ...options, socket: raw })
  await once(socket, 'secureConnect')
  return socket
}
