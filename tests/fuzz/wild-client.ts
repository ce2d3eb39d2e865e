/**
 * A client that sends damaged commands in odd pieces and disconnects in the middle. It keeps what it received, so that the
 * fuzz can search it for data of other users.
 */
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { MailAccount } from '../conformance/scenario.ts'
import { mutate, type Random } from './random.ts'

export interface Told {
  user: string
  /** Prefix of this client's tags. */
  prefix: string
  text: string
  /** Everything that it sent or would have sent. */
  sent: string
}

const keptBytesMax = 1 << 20

/** One connection, from its first damaged byte to its end. */
export async function runWildClient(random: Random, port: number, user: MailAccount): Promise<Told> {
  const prefix = random.letters(8)
  const sent = stream(random, prefix, user)
  const told: Told = { user: user.name, prefix, text: '', sent }
  const socket = connect(port, '127.0.0.1')
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    if (told.text.length < keptBytesMax) told.text += chunk.toString('latin1')
  })
  const closed = new Promise((resolve) => socket.on('close', resolve))
  for (const piece of cut(random, sent)) {
    if (socket.destroyed) break
    socket.write(Buffer.from(piece, 'latin1'))
    if (random.chance(0.3)) await new Promise(setImmediate)
    if (random.chance(0.1)) await pause(random.below(20))
    if (random.chance(0.02)) socket.pause()
  }
  await pause(random.below(150))
  socket.resume()
  if (!socket.destroyed) {
    if (random.chance(0.3)) socket.end()
    else if (random.chance(0.5) && socket.readyState === 'open') socket.resetAndDestroy()
    else socket.destroy()
  }
  await Promise.race([closed, pause(200)])
  socket.destroy()
  return told
}

/** Everything that one client will send: usually a correct login, then commands, some or all of it damaged. */
function stream(random: Random, prefix: string, { name, secret }: MailAccount): string {
  let count = 0
  const line = (text: string) => `${prefix}${(count += 1)} ${text}\r\n`
  const login = random.pick([
    `LOGIN ${name} ${secret}`,
    `LOGIN "${name}" {${secret.length}+}\r\n${secret}`,
    `AUTHENTICATE PLAIN ${Buffer.from(`\0${name}\0${secret}`).toString('base64')}`,
    `LOGIN ${name} wrong`,
  ])
  const before = random.chance(0.3) ? line(random.pick(['ID ("name" "wild")', 'CAPABILITY', 'NOOP'])) : ''
  const opening = before + line(login)
  let work = ''
  for (let commands = random.below(12); commands > 0; commands--) work += line(command(random, prefix))
  if (random.chance(0.4)) work += line('LOGOUT')
  const isWildFromTheStart = random.chance(0.3)
  const said = isWildFromTheStart ? mutate(random, opening + work) : opening + mutate(random, work)
  return random.chance(0.1) ? said + random.bytes(200) : said
}

function command(random: Random, prefix: string): string {
  const body = `Subject: by ${prefix}\r\n\r\n${random.letters(random.below(60))}\r\nx LOGOUT\r\n`
  const odd = Math.max(0, body.length + random.below(70) - 20)
  return random.pick([
    `APPEND INBOX {${odd}+}\r\n${body}`,
    `APPEND INBOX {${odd}}\r\n${body}`,
    'SLOW',
    'NOOP',
    'CAPABILITY',
    'SELECT INBOX',
    'EXAMINE INBOX',
    'UNSELECT',
    'CLOSE',
    'FETCH 1:* (FLAGS BODY.PEEK[])',
    'UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1)',
    'STORE 1 +FLAGS (\\Seen)',
    `APPEND INBOX {${body.length}+}\r\n${body}`,
    `APPEND INBOX {${body.length}}\r\n${body}`,
    `APPEND INBOX {${body.length}+}\r\n${body} {${body.length}+}\r\n${body}`,
    'LIST "" "*"',
    'STATUS INBOX (MESSAGES)',
    'IDLE\r\nDONE',
    'IDLE',
    'ID ("name" "wild")',
    'ENABLE QRESYNC',
    'ENABLE CONDSTORE UTF8=ACCEPT',
    'NOTIFY SET (personal (MessageNew))',
    'SEARCH RETURN (UPDATE) ALL',
    'SEARCH SUBJECT {5+}\r\nabc d',
    `SEARCH SUBJECT {${random.below(12)}+}\r\nabc`,
    `SEARCH SUBJECT {${random.below(12)}}\r\nabc`,
    `SEARCH SUBJECT "abc\r\n${prefix}0 NOOP "`,
    `SEARCH ${'1,2,'.repeat(random.below(4000))}3 SUBJECT {3+}\r\nabc`,
    `FETCH ${'1,2,'.repeat(random.below(4000))}3 (FLAGS) (CHANGEDSINCE 1)`,
    `LOGIN somebody {${random.below(12)}}\r\nelse`,
    'WHOAMI',
    'FLOOD 200',
    'COMPRESS DEFLATE',
    'UNAUTHENTICATE',
    'STARTTLS',
    'LOGIN somebody else',
    'LOGOUT',
  ])
}

function cut(random: Random, text: string): string[] {
  if (random.chance(0.2)) return [text]
  // A long line byte by byte would take most of a round.
  const longest = text.length > 5000 ? random.pick([200, 2000]) : random.pick([1, 3, 20, 200, 2000])
  const pieces: string[] = []
  for (let at = 0; at < text.length;) {
    const length = 1 + random.below(longest)
    pieces.push(text.slice(at, at + length))
    at += length
  }
  return pieces
}
