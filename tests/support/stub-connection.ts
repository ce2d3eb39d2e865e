/**
 * One connection to the stub server. It keeps every byte that arrived, reads commands on demand (only then does it send the
 * continuation for a literal, as a real server does), and remembers what this session has set. It shares no code with the
 * proxy, so that it does not repeat a mistake of the proxy's scanner.
 */
import type { Socket } from 'node:net'
import type { Signal } from './stub-signal.ts'

export interface StubCommand {
  tag: string
  /** Upper case; `UID FETCH` is one name. */
  name: string
  /** Atoms, decoded strings and literals; a parenthesised list is one text with its parentheses. Latin-1. */
  args: string[]
  literals: Buffer[]
}

/** Thrown inside the loop of a connection when the peer has disconnected. */
export class Gone extends Error {}

export class StubConnection {
  readonly commands: StubCommand[] = []
  /** The logged-in user. */
  user: string | undefined
  selected: string | undefined
  /** The mailbox was selected by EXAMINE. */
  isReadOnly = false
  /** State that cannot be undone, such as `ENABLE CONDSTORE`, `NOTIFY`, `LANGUAGE DE`, in order. */
  readonly lasting = new Set<string>()
  idling = false
  /** Untagged lines to send with the next reply. */
  news = ''
  /** Writes one byte at a time. */
  dribble = false
  readonly #socket: Socket
  readonly #signal: Signal
  readonly number: number
  readonly #all: Buffer[] = []
  #unread: Buffer = Buffer.alloc(0)
  #wake: (() => void) | undefined
  #queue: Buffer[] = []
  #open = true

  constructor(number: number, socket: Socket, signal: Signal) {
    this.number = number
    this.#socket = socket
    this.#signal = signal
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#all.push(chunk)
      this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk])
      this.#happened()
    })
    socket.on('error', () => socket.destroy())
    socket.on('end', () => socket.end())
    socket.on('close', () => {
      this.#open = false
      this.#happened()
    })
  }

  get open(): boolean {
    return this.#open
  }

  /** Every byte that this connection received, as Latin-1. */
  get received(): string {
    return Buffer.concat(this.#all).toString('latin1')
  }

  send(data: string | Buffer): void {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
    if (!this.#open || this.#socket.writableEnded) return
    if (!this.dribble && this.#queue.length === 0) {
      this.#socket.write(bytes)
      return
    }
    this.#queue.push(bytes)
    if (this.#queue.length === 1) void this.#drip()
  }

  /** Closes after everything was sent. */
  async end(): Promise<void> {
    while (this.#queue.length > 0 && this.#open) await new Promise(setImmediate)
    this.#socket.end()
  }

  /** Closes immediately with a reset. */
  destroy(): void {
    if (this.#socket.readyState === 'open') this.#socket.resetAndDestroy()
    else this.#socket.destroy()
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#unread.indexOf(0x0a)
      if (end >= 0) {
        const line = this.#unread.subarray(0, end).toString('latin1')
        this.#unread = this.#unread.subarray(end + 1)
        return line.endsWith('\r') ? line.slice(0, -1) : line
      }
      await this.#more()
    }
  }

  async bytes(count: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for (let missing = count; missing > 0;) {
      if (this.#unread.length === 0) await this.#more()
      const part = this.#unread.subarray(0, missing)
      this.#unread = this.#unread.subarray(part.length)
      parts.push(part)
      missing -= part.length
    }
    return Buffer.concat(parts)
  }

  /** The next whole command. If `isRefused` returns true, no continuation is sent for its literal. */
  async command(
    isRefused: (partial: StubCommand) => boolean | undefined | Promise<boolean | undefined>,
  ): Promise<StubCommand> {
    const pieces: (string | Buffer)[] = []
    for (;;) {
      const line = await this.line()
      pieces.push(line)
      const literal = /\{(\d+)(\+?)\}$/.exec(line)
      if (!literal) break
      pieces[pieces.length - 1] = line.slice(0, literal.index)
      if (literal[2] === '') {
        if (await isRefused(parse(pieces))) {
          pieces.length = 0
          continue
        }
        this.send('+ go on\r\n')
      }
      pieces.push(await this.bytes(Number(literal[1])))
    }
    const command = parse(pieces)
    this.commands.push(command)
    this.#signal.changed()
    return command
  }

  async #more(): Promise<void> {
    if (!this.#open) throw new Gone()
    const before = this.#unread.length
    await new Promise<void>((resolve) => (this.#wake = resolve))
    if (this.#unread.length === before && !this.#open) throw new Gone()
  }

  async #drip(): Promise<void> {
    for (let bytes = this.#queue[0]; bytes && this.#open; bytes = this.#queue[0]) {
      for (const byte of bytes) {
        if (this.#open) this.#socket.write(Buffer.of(byte))
        await new Promise(setImmediate)
      }
      this.#queue.shift()
    }
  }

  #happened(): void {
    this.#wake?.()
    this.#signal.changed()
  }
}

/** Builds a command from pieces of text and the literals between them. */
function parse(pieces: readonly (string | Buffer)[]): StubCommand {
  const args: string[] = []
  const literals: Buffer[] = []
  let list = ''
  let depth = 0
  const add = (text: string) => {
    if (depth > 0) list += `${list === '' || list.endsWith('(') ? '' : ' '}${text}`
    else args.push(text)
  }
  for (const piece of pieces) {
    if (typeof piece !== 'string') {
      literals.push(piece)
      add(piece.toString('latin1'))
      continue
    }
    for (const [token] of piece.matchAll(/"(?:[^"\\]|\\.)*"|[()]|(?:\[[^\]]*\]|[^\s()"])+/g)) {
      if (token === '(') {
        list += list === '' ? '(' : list.endsWith('(') ? '(' : ' ('
        depth += 1
      } else if (token === ')') {
        list += ')'
        depth -= 1
        if (depth <= 0) {
          args.push(list)
          list = ''
          depth = 0
        }
      } else add(token.startsWith('"') ? token.slice(1, -1).replace(/\\(.)/g, '$1') : token)
    }
  }
  if (list !== '') args.push(list)
  const [tag = '', verb = '', ...rest] = args
  const name = verb.toUpperCase()
  if (name === 'UID') return { tag, name: `UID ${rest.shift()?.toUpperCase() ?? ''}`, args: rest, literals }
  return { tag, name, args: rest, literals }
}
