/**
 * Clients that break their own stream: a literal that is longer or shorter than announced, commands in a search word. The server
 * gets what they send, and the connection is not handed on.
 */
import { expectOwn, logout, settled } from '../checks.ts'
import { expect, type Scenario } from '../scenario.ts'

interface BrokenStream {
  /** What webmail is known to do. */
  what: string
  /** `T` and `U` stand for two tags. */
  bytes: string
  /** Why the edge does not keep the connection. */
  reason: string
}

const mail = 'Subject: x\r\n\r\nsee {12}\r\nbye'

const broken: Record<string, BrokenStream> = {
  'search-too-long': {
    what: 'a search word whose literal takes the line end and the next command',
    bytes: 'T SEARCH HEADER SUBJECT {5+}\r\nabc\r\nU NOOP\r\n',
    reason: 'line-end-in-literal',
  },
  'search-too-short': {
    what: 'a search word that is longer than its literal',
    bytes: 'T SEARCH SUBJECT {3+}\r\nabcd\r\n',
    reason: 'odd-literal',
  },
  'search-ends-early': {
    what: 'a search word whose rest is read as a search key',
    bytes: 'T UID SEARCH SUBJECT {3+}\r\nabc def\r\n',
    reason: 'odd-literal',
  },
  'search-injects': {
    what: 'a search word with a command in its literal',
    bytes: 'T SEARCH SUBJECT {16+}\r\nx\r\nU DELETE no\r\n\r\n',
    reason: 'line-end-in-literal',
  },
  'search-injects-in-quotes': {
    what: 'a quoted search word with a command in it',
    bytes: 'T SEARCH SUBJECT "x\r\nU NOOP "\r\n',
    reason: 'unclosed-quote',
  },
  'mail-one-more': {
    what: 'a mail with one byte more than announced, because the client has changed {12} in it to {12+}',
    bytes: `T APPEND INBOX {${mail.length}+}\r\n${mail.replace('{12}', '{12+}')}\r\n`,
    reason: 'odd-literal',
  },
  'mail-too-short': {
    what: 'a mail that is longer than announced',
    bytes: 'T APPEND INBOX {3+}\r\nSubject: x\r\n\r\nbye\r\n',
    reason: 'odd-literal',
  },
  'mail-too-long': {
    what: 'a mail whose literal takes a part of the next command',
    bytes: `T APPEND INBOX {${mail.length + 3}+}\r\n${mail}\r\nxyz NOOP\r\n`,
    reason: 'odd-literal',
  },
  'mail-much-too-long': {
    what: 'a mail whose literal takes everything that follows',
    bytes: `T APPEND INBOX {5000+}\r\n${mail}\r\nU NOOP\r\n`,
    reason: 'open-literal',
  },
}

export const brokenStreams: Scenario[] = Object.entries(broken).map(([name, { what, bytes, reason }]) => ({
  name: `broken-${name}`,
  guarantee: `after ${what}, the connection is not handed on`,
  on: 'any',
  run: async (world) => {
    const user = await world.user()
    const { client } = await world.login(user)
    const [select, first, second] = [client.tag(), client.tag(), client.tag()]
    client.send(`${select} SELECT INBOX\r\n`)
    await client.reply(select)
    const before = (await world.proxy.refusals())[reason] ?? 0
    client.send(bytes.replaceAll(/\bT\b/g, first).replaceAll(/\bU\b/g, second))
    // What the client then says is read as something else, or not at all.
    if (reason !== 'open-literal') await client.reply(first)
    await client.kill('close')
    await settled(world.proxy)
    const next = await world.login(user)
    await expectOwn(next)
    await logout(next)
    expect(world.dials().length === 2, 'the connection was handed on')
    if (world.proxy.name !== 'ours') return
    const counted = (await world.proxy.refusals())[reason] ?? 0
    expect(counted === before + 1, `${reason} was counted ${counted - before} times`)
    expect(
      (await world.bodies(user)).slice(3).every((body) => bytes.includes(body)),
      'a mail was changed',
    )
  },
}))
