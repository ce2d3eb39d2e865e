/**
 * A mail client that sends exactly the given bytes and checks every byte that arrives: a reply to a command that it did not
 * send is a finding. Text is Latin-1, so that one character is one byte.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A broken guarantee. The message goes into the report. */
export class Mismatch extends Error {}

export interface WireReply {
  status: string
  /** The text after the status. */
  text: string
  /** The untagged responses before it, with literals, without the last CRLF. */
  untagged: string[]
}

export class WireClient {
  readonly #socket: Socket
  readonly #patienceMs: number
  readonly #outstanding = new Set<string>()
  #unread = ''
  /** Chunks after `#unread`, joined on the next read, so that a body of many chunks is copied once. */
  #arrived: string[] = []
  #arrivedBytes = 0
  #arrivedLine = false
  #ended = false
  #wake: (() => void) | undefined
  #count = 0
  /** Prefix of the tags of this client, unique within a run. */
  readonly prefix: string

  private constructor(socket: Socket, prefix: string, patienceMs: number) {
    this.#socket = socket
    this.#patienceMs = patienceMs
    this.prefix = prefix
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#arrived.push(chunk.toString('latin1'))
      this.#arrivedBytes += chunk.length
      this.#arrivedLine ||= chunk.includes('\n')
      this.#wake?.()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#ended = true
      this.#wake?.()
    })
    socket.on('end', () => {
      this.#ended = true
      this.#wake?.()
    })
  }

  static async open(port: number, prefix: string, patienceMs: number): Promise<WireClient> {
    const socket = connect(port, '127.0.0.1')
    const client = new WireClient(socket, prefix, patienceMs)
    try {
      await once(socket, 'connect')
    } catch {
      throw new Mismatch('the proxy accepts no connection')
    }
    return client
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Sends bytes. Tags in them must be announced with `expect`, so that `reply` accepts them. */
  send(data: string): void {
    this.#socket.write(Buffer.from(data, 'latin1'))
  }

  /** The same, one segment for each byte. */
  async sendSlowly(data: string): Promise<void> {
    for (const byte of Buffer.from(data, 'latin1')) {
      this.#socket.write(Buffer.of(byte))
      await new Promise(setImmediate)
    }
  }

  /** Announces a tag for which a reply may arrive. */
  tag(): string {
    this.#count += 1
    const tag = `${this.prefix}${this.#count}`
    this.#outstanding.add(tag)
    return tag
  }

  /** Sends one command and waits for its reply. */
  command(text: string): Promise<WireReply> {
    const tag = this.tag()
    this.send(`${tag} ${text}\r\n`)
    return this.reply(tag)
  }

  /** Everything up to the reply to this tag. */
  async reply(tag: string): Promise<WireReply> {
    const untagged: string[] = []
    for (;;) {
      const response = await this.response(() => {
        const told = untagged.length > 0 ? ` behind ${quote(untagged.slice(-3).join('\r\n'))}` : ''
        return `the reply to ${tag}${told}`
      })
      const [first = '', status = '', ...rest] = response.split(' ')
      if (first === tag) {
        this.#outstanding.delete(tag)
        return { status, text: rest.join(' '), untagged }
      }
      if (first !== '*' && first !== '+') throw new Mismatch(this.#foreign(first, response, tag))
      untagged.push(response)
    }
  }

  /** One response, with its literals, without the last CRLF. */
  async response(what: string | (() => string) = 'a response'): Promise<string> {
    let end = 0
    for (;;) {
      const newline = this.#look().indexOf('\r\n', end)
      if (newline < 0) {
        do await this.#more(what)
        while (!this.#arrivedLine)
        continue
      }
      const literal = /\{(\d+)\}$/.exec(this.#unread.slice(end, newline))
      if (!literal) {
        const response = this.#unread.slice(0, newline)
        this.#unread = this.#unread.slice(newline + 2)
        return response
      }
      end = newline + 2 + Number(literal[1])
      while (this.#unread.length + this.#arrivedBytes < end) await this.#more(what)
    }
  }

  /** Waits for `+ ...`. Returns the untagged responses before it. */
  async invitation(): Promise<string[]> {
    const untagged: string[] = []
    for (;;) {
      const response = await this.response('an invitation to go on (+)')
      if (response.startsWith('+')) return untagged
      if (!response.startsWith('* '))
        throw new Mismatch(`${quote(response)} came in place of an invitation (+)`)
      untagged.push(response)
    }
  }

  /** Everything until the other side closes. */
  async rest(): Promise<string> {
    const deadline = Date.now() + this.#patienceMs
    while (!this.#ended) {
      if (Date.now() > deadline) throw new Mismatch(`the connection went on and on: ${quote(this.#look())}`)
      await this.#more('the end of the connection')
    }
    const rest = this.#look()
    this.#unread = ''
    return rest
  }

  /** Stops reading, so that the other side must buffer what it sends. */
  pause(): void {
    this.#socket.pause()
  }

  /** Half-closes the connection, and keeps reading. */
  halfClose(): void {
    this.#socket.end()
  }

  /** Disconnects without LOGOUT, by a reset or by an ordinary close. */
  async kill(how: 'close' | 'reset' = 'reset'): Promise<void> {
    const isWhole = !this.#ended && this.#socket.readyState === 'open'
    this.#ended = true
    if (this.#socket.closed) return
    const closed = new Promise((resolve) => this.#socket.on('close', resolve))
    if (how === 'reset' && isWhole) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
    await closed
  }

  #look(): string {
    if (this.#arrived.length > 0) this.#unread += this.#arrived.join('')
    this.#arrived = []
    this.#arrivedBytes = 0
    this.#arrivedLine = false
    return this.#unread
  }

  async #more(awaited: string | (() => string)): Promise<void> {
    const what = () => (typeof awaited === 'string' ? awaited : awaited())
    const seen = () => (this.#look() === '' ? 'nothing' : quote(this.#look()))
    if (this.#ended) throw new Mismatch(`the connection was closed where ${what()} was due, after ${seen()}`)
    const late = Promise.withResolvers<boolean>()
    const timer = setTimeout(() => late.resolve(true), this.#patienceMs)
    const arrived = new Promise<boolean>((resolve) => (this.#wake = () => resolve(false)))
    const isLate = await Promise.race([arrived, late.promise])
    clearTimeout(timer)
    if (isLate) throw new Mismatch(`${what()} never came; seen instead: ${seen()}`)
  }

  #foreign(first: string, response: string, tag: string): string {
    const own = this.#outstanding.has(first)
    const before = own ? 'out of order' : 'to a command that this client never sent'
    return `a reply ${before} came before the reply to ${tag}: ${quote(response)}`
  }
}

/** Bytes for a report: escaped, and cut in the middle if long. */
export function quote(bytes: string): string {
  const escaped = JSON.stringify(
    bytes.length > 300 ? `${bytes.slice(0, 200)} ... ${bytes.slice(-80)}` : bytes,
  )
  return escaped.replace(/[\u007f-\u00ff]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`)
}
