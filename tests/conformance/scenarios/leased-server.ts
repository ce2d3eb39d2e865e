/** A server that closes or sends nonsense during a session: its client learns of it, the next client does not. */
import { expectOwn, logout, settled } from '../checks.ts'
import { expect, type Scenario, type SeenConnection } from '../scenario.ts'
import { quote } from '../wire.ts'

/** The connection of a server that sends nonsense is not kept. */
function nonsense(name: string, what: string, say: (tag: string) => string): Scenario {
  return {
    name: `leased-${name}`,
    guarantee: `a connection on which the server sent ${what} is not kept`,
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      const { client } = await world.login(user)
      const tag = client.tag()
      world.stub.behave((command, connection) => {
        if (command.tag !== tag) return false
        connection.send(say(tag))
        return true
      })
      client.send(`${tag} STATUS INBOX (MESSAGES)\r\n`)
      await world.until(
        () => world.stub.connections.some(({ commands }) => commands.some((c) => c.tag === tag)),
        tag,
      )
      client.send(`${client.tag()} LOGOUT\r\n`)
      await client.kill('close')
      world.stub.reset()
      await settled(world.proxy)
      await expectOwn(await world.login(user))
      expect(world.dials().length === 2, 'the connection was kept')
    },
  }
}

/** The server connection breaks: the session ends too, and the next login gets a new connection. */
function broken(
  name: string,
  guarantee: string,
  act: (connection: SeenConnection) => void,
  expected: string | RegExp,
): Scenario {
  return {
    name: `leased-${name}`,
    guarantee,
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const session = await world.login(user)
      await expectOwn(session)
      const connection = world.dials()[0]
      expect(connection !== undefined, 'the server saw no login')
      act(connection)
      const rest = await session.client.rest()
      const isTold = typeof expected === 'string' ? rest.includes(expected) : expected.test(rest)
      expect(isTold, `the client was told ${quote(rest)} before its connection ended`)
      await settled(world.proxy)
      await expectOwn(await world.login(user))
    },
  }
}

export const leasedServer: Scenario[] = [
  broken(
    'close',
    'if the server closes during a session, the session ends, and the next login works',
    (c) => c.destroy(),
    '',
  ),
  broken(
    'bye',
    'a server’s BYE reaches the client before the connection ends',
    (c) => {
      c.send('* BYE Maintenance\r\n')
      setImmediate(() => c.destroy())
    },
    '* BYE Maintenance\r\n',
  ),
  broken(
    'mid-line',
    'if the server closes in the middle of a line, the session ends',
    (c) => {
      c.send('* 1 FET')
      setImmediate(() => c.destroy())
    },
    '',
  ),
  broken(
    'mid-literal',
    'if the server closes in the middle of a literal, the session ends without a word of the proxy in the mail',
    (c) => {
      c.send('* 1 FETCH (BODY[] {500}\r\nhalf')
      setTimeout(() => c.destroy(), 100)
    },
    /FETCH \(BODY\[\] \{500\}\r\nhalf$/,
  ),
  nonsense('unknown-tag', 'a reply with an unknown tag', (tag) => `zz9 OK done\r\n${tag} OK done\r\n`),
  nonsense('twice', 'two replies to one command', (tag) => `${tag} OK done\r\n${tag} OK done\r\n`),
  nonsense('empty-line', 'an empty line', (tag) => `\r\n${tag} OK done\r\n`),
  nonsense('garbage', 'bytes that are not a response', (tag) => `\u0000\u00ff!%\r\n${tag} OK done\r\n`),
  nonsense('half-line', 'half a line after its reply', (tag) => `${tag} OK done\r\n* 3 EX`),
  nonsense(
    'half-literal',
    'half a literal after its reply',
    (tag) => `${tag} OK done\r\n* 1 FETCH (X {9}\r\nabc`,
  ),
  nonsense('bye-and-stay', 'BYE without closing', (tag) => `* BYE soon\r\n${tag} OK done\r\n`),
  {
    name: 'leased-flood',
    guarantee: 'a client that reads gets all untagged data of a flood, in order',
    on: 'stub',
    run: async (world) => {
      const session = await world.login(await world.user())
      const { untagged } = await session.client.command('FLOOD 200000')
      const inOrder = untagged.every((line, at) => line === `* ${at + 1} EXISTS`)
      expect(untagged.length === 200_000 && inOrder, `${untagged.length} of 200000 lines came`)
      await logout(session)
    },
  },
]
