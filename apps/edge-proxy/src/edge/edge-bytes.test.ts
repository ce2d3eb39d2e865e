/**
 * No user receives another user's bytes. Many simultaneous sessions, with and without TLS, pass much data through the read buffers
 * that are reused for each read. The bytes identify their user and their position.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { edgeAtWork, unusedPort } from './edge.test-support.ts'
import { testCertificate, testKey } from '@imapfleet/local/test-certificate'
import type { Peer } from '../net/wire.test-support.ts'
import type { TracedLine } from '../observe/trace.ts'
import { wellBehaved } from '../server/scripted-server.test-support.ts'

const users = ['anna', 'bert', 'cleo', 'dave', 'emma', 'fred', 'gina', 'hugo']
/** More than the kernel buffers for a client that does not read. */
const mails = 16
const unitsOfMail = 17_000
/** Does not divide the length of a read, so that a block is never overwritten with equal bytes. */
const unitBytes = 37

interface Shape {
  head: string
  /** The text before and after the user and the position. */
  unit: [before: string, behind: string]
  foot: string
}

const shapes: ((mail: number) => Shape)[] = [
  // One line, longer than the scanner holds.
  () => ({ head: '* SEARCH', unit: [' ', ''], foot: '\r\n' }),
  // A literal.
  (mail) => ({
    head: `* ${mail} FETCH (BODY[] {${unitsOfMail * unitBytes}}\r\n`,
    unit: ['', '\r\n'],
    foot: ')\r\n',
  }),
  // Lines that reads cut anywhere.
  () => ({ head: '', unit: ['* LIST () "/" ', '\r\n'], foot: '' }),
]

/** The server's answer to FETCH of one mail, with `anna/03/00000017` in each unit. */
const responses = new Map<string, Buffer>()
function responseTo(user: string, mail: number): Buffer {
  const name = `${user}/${String(mail).padStart(2, '0')}/`
  let response = responses.get(name)
  if (!response) {
    const { head, unit, foot } = shapes[mail % shapes.length]!(mail)
    const [before, behind] = unit
    const text = `${before}${name}00000000`.padEnd(unitBytes - behind.length, '.') + behind
    const body = Buffer.alloc(unitsOfMail * unitBytes, text)
    for (let at = 0; at < unitsOfMail; at++)
      body.write(String(at).padStart(8, '0'), at * unitBytes + before.length + name.length)
    // A line that the edge inspects splits one read into several writes.
    const tail = `${foot}* CAPABILITY IMAP4rev1 UNSELECT IDLE\r\nf${mail} OK done\r\n`
    response = Buffer.concat([Buffer.from(head), body, Buffer.from(tail)])
    responses.set(name, response)
  }
  return response
}

/** The text in a trace, without line ends, because a trace may cut a line of a literal in two. */
const tracedOf = (bytes: Buffer) =>
  bytes
    .toString('latin1')
    .split('\r\n')
    .map((line) => (line.length > 65_536 ? `${line.slice(0, 4096)} [line continues]` : line))
    .join('')

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
const fetches = (count: number) => numbers(count).map((mail) => `f${mail} FETCH ${mail} BODY[]\r\n`)
const answersTo = (user: string, count: number) =>
  Buffer.concat(numbers(count).map((mail) => responseTo(user, mail)))

/** A client that reads at most one piece per turn of the event loop. */
class SlowReader {
  readonly socket: Socket
  #unread: Buffer[] = []
  #length = 0

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    after(() => socket.destroy())
  }

  async bytes(count: number): Promise<Buffer> {
    while (this.#length < count) await this.#piece()
    const all = Buffer.concat(this.#unread)
    this.#unread = [all.subarray(count)]
    this.#length -= count
    return all.subarray(0, count)
  }

  async until(text: string): Promise<string> {
    for (;;) {
      const all = Buffer.concat(this.#unread)
      const at = all.indexOf(text)
      if (at >= 0) return (await this.bytes(at + text.length)).toString('latin1')
      await this.#piece()
    }
  }

  async #piece(): Promise<void> {
    const piece = this.socket.read() as Buffer | null
    if (piece) {
      this.#unread.push(piece)
      this.#length += piece.length
    } else
      assert.ok(!this.socket.readableEnded && !this.socket.destroyed, 'the connection has ended too early')
    await new Promise(setImmediate)
  }
}

const directory = temporaryDirectory('bytes')
const certFile = join(directory, 'cert.pem')
const keyFile = join(directory, 'key.pem')
writeFileSync(certFile, testCertificate)
writeFileSync(keyFile, testKey)

/** The answer to LOGOUT in a trace. */
const goodbye = '* BYE Logging outz OK Completed'

/** Not deepEqual: megabytes of difference would be printed. */
function assertSame(got: Buffer, wanted: Buffer, whose: string): void {
  if (got.equals(wanted)) return
  const at = wanted.findIndex((byte, index) => byte !== got[index])
  const shown = [got, wanted].map((bytes) => JSON.stringify(bytes.toString('latin1', at, at + 40)))
  assert.fail(`${whose} has at ${at} ${shown.join(' instead of ')}`)
}

test('many users that read slowly, some over TLS, one traced, some disconnecting early, each receive their own bytes', async () => {
  const port = await unusedPort()
  const imaps = { address: '127.0.0.1', port, tls: 'implicit', certFile, keyFile }
  const { edge, scripted, quiet } = await edgeAtWork({ listeners: { imaps } })
  const loggedIn = new Map<Peer, string>()
  scripted.script = (asked) => {
    const [verb, argument = ''] = asked.text.split(' ')
    if (verb === 'LOGIN') loggedIn.set(asked.peer, argument)
    if (verb !== 'FETCH') return wellBehaved(asked)
    asked.peer.socket.write(responseTo(loggedIn.get(asked.peer)!, Number(argument)))
    return undefined
  }
  const traced: TracedLine[] = []
  edge.context.tracer.start(
    { id: 'trace', user: users[0]!, expiresAt: Infinity, bytesMax: Infinity, bodies: true },
    { line: (_, line) => void traced.push(line), ended() {} },
  )

  const session = async (user: string, overTls: boolean) => {
    const plainPort = edge.context.settings.current.listeners['imap']!.port
    const socket = overTls
      ? connectTls({ host: '127.0.0.1', port, ca: testCertificate, servername: 'localhost' })
      : connect({ host: '127.0.0.1', port: plainPort })
    const reader = new SlowReader(socket)
    await reader.until('ready\r\n')
    socket.write(`a LOGIN ${user} secret\r\n`)
    await reader.until('a OK ')
    await reader.until('\r\n')
    return reader
  }

  await Promise.all(
    users.map(async (user, index) => {
      const reader = await session(user, index % 2 === 0)
      reader.socket.write(fetches(mails).join(''))
      const wanted = answersTo(user, mails)
      const length = index % 4 < 2 ? wanted.length : 2_000_000
      assertSame(await reader.bytes(length), wanted.subarray(0, length), user)
      if (length < wanted.length) return reader.socket.destroy()
      reader.socket.write('z LOGOUT\r\n')
      assert.equal(await reader.until('z OK Completed\r\n'), '* BYE Logging out\r\nz OK Completed\r\n')
    }),
  )
  await quiet()
  const [opened, reused] = [scripted.connections.length, scripted.open]
  assert.ok(reused > 0)

  await Promise.all(
    users.map(async (user, index) => {
      const reader = await session(user, index % 2 === 1)
      reader.socket.write(`${fetches(2).join('')}z LOGOUT\r\n`)
      const wanted = answersTo(user, 2)
      assertSame(await reader.bytes(wanted.length), wanted, `${user}, the second time,`)
      await reader.until('z OK Completed\r\n')
    }),
  )
  await quiet()
  assert.equal(scripted.connections.length, opened + users.length - reused)

  const shown = traced.filter(({ from }) => from === 'S').map(({ text }) => text)
  const wanted = [mails, 2].map((count) => `${tracedOf(answersTo(users[0]!, count))}${goodbye}`).join('')
  assertSame(Buffer.from(shown.join('')), Buffer.from(wanted), 'the trace')
})
