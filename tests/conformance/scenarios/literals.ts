/** Content that looks like protocol, in both directions. It must never act as a command or a reply. */
import { expectOwn, logout, settled } from '../checks.ts'
import { expect, type Scenario, type StubWorld, type World } from '../scenario.ts'
import { quote } from '../wire.ts'

/** Mail bodies that a proxy would read as commands or replies if it ignored literals. */
const poison: Record<string, string> = {
  'a line whose second word is LOGOUT': 'x LOGOUT\r\nabc LOGOUT\r\n. LOGOUT',
  'lines that announce literals': 'a {5}\r\n{5+}\r\nb APPEND c {99999}\r\n',
  'the end of a literal on the last line': 'text {7}',
  'forged tagged lines': '* BYE\r\na1 OK done\r\n+ go on\r\na2 BAD x\r\n',
  'DONE and bare carriage returns': 'DONE\r\n\r\r\rDONE\r\n)',
  'an unclosed quote': 'say "hello {3}\r\n\\" LOGOUT',
}

/** Appends a body, and reads it back through the proxy and directly from the server. */
async function expectRoundTrip(world: World, body: string, what: string): Promise<void> {
  const user = await world.user()
  const session = await world.login(user)
  const { client } = session
  const [plus, sync, select, fetch] = [client.tag(), client.tag(), client.tag(), client.tag()]
  client.send(`${plus} APPEND INBOX {${body.length}+}\r\n${body}\r\n`)
  expect((await client.reply(plus)).status === 'OK', `LITERAL+ with ${what} was refused`)
  client.send(`${sync} APPEND INBOX (\\Seen) {${body.length}}\r\n`)
  await client.invitation()
  client.send(`${body}\r\n`)
  expect((await client.reply(sync)).status === 'OK', `a literal with ${what} was refused`)
  client.send(`${select} SELECT INBOX\r\n${fetch} FETCH 4:5 BODY.PEEK[]\r\n`)
  await client.reply(select)
  const { untagged } = await client.reply(fetch)
  const back = untagged.filter((line) => line.includes(`{${body.length}}\r\n${body}`)).length
  expect(back === 2, `with ${what}, ${back} of 2 mails came back the same: ${quote(untagged.join('\r\n'))}`)
  const stored = (await world.bodies(user)).slice(3)
  expect(
    stored.length === 2 && stored.every((mail) => mail === body),
    `with ${what}, stored was ${quote(stored.join(' | '))}`,
  )
  await logout(session)
  await settled(world.proxy)
  await expectOwn(await world.login(user))
}

async function expectForgeryFails(world: StubWorld, forge: (tag: string) => string): Promise<void> {
  const user = await world.user()
  const dead = await world.login(user)
  const { client } = dead
  await client.command('SELECT INBOX')
  const [fetch, slow] = [client.tag(), client.tag()]
  world.stub.accounts.get(user.name)?.append('INBOX', Buffer.from(forge(slow)))
  client.send(`${fetch} FETCH 4 BODY.PEEK[]\r\n${slow} SLOW\r\n`)
  await client.reply(fetch)
  await world.until(() => world.stub.slow > 0, 'SLOW')
  await client.kill()
  await settled(world.proxy)
  const next = await world.login(user)
  world.stub.trigger()
  await expectOwn(next)
  await logout(next)
  await settled(world.proxy)
  await expectOwn(await world.login(user))
}

export const literals: Scenario[] = [
  ...Object.entries(poison).map(([what, body], at): Scenario => ({
    name: `literal-poison-${at + 1}`,
    guarantee: `a mail with ${what} is stored and fetched byte by byte unchanged (D8)`,
    on: 'any',
    run: (world) => expectRoundTrip(world, body, what),
  })),
  {
    name: 'literal-binary',
    guarantee: 'a literal with NUL and all other bytes is stored and fetched unchanged',
    on: 'stub',
    run: (world) => expectRoundTrip(world, String.fromCharCode(...Array(256).keys()).repeat(3), 'every byte'),
  },
  {
    name: 'literal-empty',
    guarantee: 'empty literals of both kinds are read as literals',
    on: 'any',
    run: async (world) => {
      const session = await world.login(await world.user())
      const { client } = session
      const tags = [client.tag(), client.tag()] as const
      client.send(`${tags[0]} STATUS {0+}\r\n (MESSAGES)\r\n${tags[1]} NOOP\r\n`)
      for (const tag of tags) await client.reply(tag)
      const tag = client.tag()
      client.send(`${tag} STATUS {0}\r\n`)
      await client.invitation()
      client.send(' (MESSAGES)\r\n')
      await client.reply(tag)
      await expectOwn(session)
    },
  },
  {
    name: 'literal-in-quotes',
    guarantee: 'braces inside a quoted string announce no literal',
    on: 'any',
    run: async (world) => {
      const session = await world.login(await world.user())
      await session.client.command('SELECT INBOX')
      for (const text of ['"x {5}"', '"x \\" {5}"', '"{5+}"']) {
        const reply = await session.client.command(`SEARCH SUBJECT ${text}`)
        expect(reply.status === 'OK', `SEARCH was answered ${reply.status} ${quote(reply.text)}`)
      }
      await logout(session)
    },
  },
  {
    name: 'literal-then-logout-word',
    guarantee: 'a command that continues after a literal with the word LOGOUT is not a LOGOUT (D8)',
    on: 'any',
    run: async (world) => {
      const session = await world.login(await world.user())
      const { client } = session
      await client.command('SELECT INBOX')
      const tag = client.tag()
      client.send(`${tag} SEARCH SUBJECT {3+}\r\nabc LOGOUT\r\n`)
      await client.reply(tag)
      await expectOwn(session)
    },
  },
  {
    name: 'literal-pipelined',
    guarantee: 'commands after a literal in the same segment are recognised',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const { client } = await world.login(user)
      const body = 'Subject: x\r\n\r\nx LOGOUT\r\n'
      const tags = Array.from({ length: 6 }, () => client.tag())
      const append = `APPEND INBOX {${body.length}+}\r\n${body}`
      const lines = [append, 'NOOP', append, 'SELECT INBOX', 'FETCH 4:5 BODY.PEEK[]', 'LOGOUT']
      client.send(lines.map((line, at) => `${tags[at]} ${line}\r\n`).join(''))
      for (const tag of tags) expect((await client.reply(tag)).status === 'OK', `${tag} was refused`)
      await client.rest()
    },
  },
  {
    name: 'untagged-before-invitation',
    guarantee: 'untagged data before the + does not turn the literal into commands (D8)',
    on: 'stub',
    run: async (world) => {
      world.stub.beforeLiteral((_, connection) => {
        connection.send('* 4 EXISTS\r\n* OK [ALERT] the disk\r\n* 1 FETCH (FLAGS (\\Seen))\r\n')
        return false
      })
      await expectRoundTrip(world, 'x LOGOUT\r\nabc LOGOUT\r\n', 'untagged data before +')
    },
  },
  {
    name: 'literal-refused',
    guarantee: 'when the server refuses a literal with NO, the client’s next line is a command',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      const session = await world.login(user)
      world.stub.beforeLiteral((command, connection) => {
        connection.send(`${command.tag} NO [OVERQUOTA] Too much\r\n`)
        return true
      })
      for (let round = 0; round < 2; round++) {
        const reply = await session.client.command('APPEND INBOX {100}')
        expect(reply.status === 'NO', `APPEND was answered ${reply.status}`)
        await expectOwn(session)
      }
      await logout(session)
      await settled(world.proxy)
      await expectOwn(await world.login(user))
      expect((await world.bodies(user)).length === 3, 'a refused mail was stored')
    },
  },
  {
    name: 'literal-refused-for-real',
    guarantee: 'after an APPEND to a mailbox that does not exist, the client’s next line is a command',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const session = await world.login(user)
      const tag = session.client.tag()
      session.client.send(`${tag} APPEND not-there {11}\r\n`)
      const response = await session.client.response()
      if (response.startsWith('+')) {
        session.client.send('hello world\r\n')
        await session.client.reply(tag)
      }
      await expectOwn(session)
      await logout(session)
      await settled(world.proxy)
      await expectOwn(await world.login(user))
    },
  },
  {
    name: 'forged-reply-in-mail',
    guarantee: 'a mail that forges the reply to a pending command does not make the connection look finished',
    on: 'stub',
    run: (world) =>
      expectForgeryFails(world, (tag) => `Subject: x\r\n\r\n${tag} OK At last.\r\n* x\r\n${tag} OK\r\n`),
  },
  {
    name: 'forged-reply-behind-mail',
    guarantee:
      'a mail that forges a reply after a false end of the literal does not make the connection look finished',
    on: 'stub',
    run: (world) =>
      expectForgeryFails(world, (tag) => `x {3}\r\nabc)\r\n${tag} OK At last.\r\n* 2 FETCH (BODY[] {9}\r\n`),
  },
  {
    name: 'idle-lines',
    guarantee: 'IDLE ends with DONE however it is cut, and the next command works',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const session = await world.login(user)
      const { client } = session
      await client.command('SELECT INBOX')
      for (const done of ['DONE\r\n', 'done\r\n']) {
        const idle = client.tag()
        client.send(`${idle} IDLE\r\n`)
        await client.invitation()
        await client.sendSlowly(done)
        const reply = await client.reply(idle)
        expect(reply.status === 'OK', `IDLE ended with ${reply.status} ${quote(reply.text)}`)
      }
      const [idle, noop] = [client.tag(), client.tag()]
      client.send(`${idle} IDLE\r\n`)
      await client.invitation()
      client.send(`DONE\r\n${noop} NOOP\r\n`)
      await client.reply(idle)
      await client.reply(noop)
      await logout(session)
      await settled(world.proxy)
      await expectOwn(await world.login(user))
      expect(world.dials().length === 1, `the server saw ${world.dials().length} logins`)
    },
  },
]
