/** Answers of a server to the reset. After a wrong one, the connection is not proven clean and must not be kept. */
import type { StubConnection } from '../../support/stub-connection.ts'
import { expectOwn, expectUnselected, logout, settled } from '../checks.ts'
import { expect, type Scenario } from '../scenario.ts'

interface Misbehaviour {
  name: string
  guarantee: string
  /** Sends this instead of the right answer to the command with this tag. */
  answer: (tag: string, connection: StubConnection) => void
  /** The answer is right, and the connection must be kept. */
  isRight?: true
}

/** Carries out UNSELECT, whatever the answer says. */
function unselect(connection: StubConnection): StubConnection {
  connection.selected = undefined
  return connection
}

const drop = (what: string) =>
  `a reset that the server ${what} drops the connection, and the next session is clean`

const misbehaviours: Misbehaviour[] = [
  {
    name: 'wrong-tag',
    guarantee: drop('answers with another tag'),
    answer: (tag, connection) => connection.send(`X${tag} OK done\r\n`),
  },
  {
    name: 'longer-tag',
    guarantee: drop('answers with a longer tag that has the right prefix'),
    answer: (tag, connection) => connection.send(`${tag}x OK done\r\n`),
  },
  {
    name: 'shorter-tag',
    guarantee: drop('answers with a prefix of the right tag'),
    answer: (tag, connection) => connection.send(`${tag.slice(0, -1)} OK done\r\n`),
  },
  {
    name: 'bad',
    guarantee: drop('answers BAD'),
    answer: (tag, connection) => connection.send(`${tag} BAD what?\r\n`),
  },
  {
    name: 'no',
    guarantee: drop('answers NO'),
    answer: (tag, connection) => connection.send(`${tag} NO not now\r\n`),
  },
  { name: 'silence', guarantee: drop('does not answer'), answer: () => undefined },
  {
    name: 'half-a-line',
    guarantee: drop('answers with half a line'),
    answer: (tag, connection) => connection.send(`${tag} OK do`),
  },
  { name: 'close', guarantee: drop('answers by closing'), answer: (_, connection) => void connection.end() },
  {
    name: 'break',
    guarantee: drop('answers with a TCP reset'),
    answer: (_, connection) => connection.destroy(),
  },
  {
    name: 'bye',
    guarantee: drop('answers with BYE before the right reply'),
    answer: (tag, connection) => unselect(connection).send(`* BYE shutting down\r\n${tag} OK done\r\n`),
  },
  {
    name: 'bye-behind',
    guarantee: drop('answers with BYE after the right reply'),
    answer: (tag, connection) => unselect(connection).send(`${tag} OK done\r\n* BYE shutting down\r\n`),
  },
  {
    name: 'in-literal',
    guarantee: drop('answers only inside a literal'),
    answer: (tag, connection) =>
      connection.send(`* 1 FETCH (BODY[] {${tag.length + 20}}\r\n\r\n${tag} OK done\r\nabcdef)\r\n`),
  },
  {
    name: 'invitation',
    guarantee: drop('answers with a continuation request'),
    answer: (_, connection) => connection.send('+ go on\r\n'),
  },
  {
    name: 'late-reply-behind',
    guarantee: drop('answers correctly, but with an unknown reply after it,'),
    answer: (tag, connection) => unselect(connection).send(`${tag} OK done\r\na1 OK late\r\n`),
  },
  {
    name: 'endless',
    guarantee: drop('answers with a flood of untagged data'),
    answer: (tag, connection) =>
      unselect(connection).send(`${'* 1 EXISTS\r\n'.repeat(20_000)}${tag} OK done\r\n`),
  },
  {
    name: 'endless-line',
    guarantee: drop('answers with an endless line'),
    answer: (_, connection) => connection.send(`* ${'x'.repeat(300_000)}`),
  },
  {
    name: 'news',
    guarantee:
      'untagged data during the reset does not reach the next session, which gets the same connection',
    answer: (tag, connection) => {
      connection.selected = undefined
      connection.send(
        `* 5 EXISTS\r\n* 1 EXPUNGE\r\n* OK [ALERT] the disk is full\r\n* LIST () "/" secret\r\n`,
      )
      connection.send(`* 2 FETCH (BODY[] {14}\r\nx1 OK forged\r\n)\r\n${tag} OK done\r\n`)
    },
    isRight: true,
  },
  {
    name: 'drop-by-drop',
    guarantee:
      'a reset that the server answers one byte at a time keeps the connection, and the next session is clean',
    answer: (tag, connection) => {
      connection.dribble = true
      unselect(connection).send(`* 5 EXISTS\r\n${tag} OK done\r\n`)
    },
    isRight: true,
  },
]

/** Whether no client of the suite has made this tag. */
const isProxys = (tag: string) => !/^[a-z]+-\d+$/.test(tag)

const misbehaved = misbehaviours.map(({ name, guarantee, answer, isRight }): Scenario => ({
  name: `reset-${name}`,
  guarantee,
  on: 'stub',
  config: { pool: { resetTimeoutMs: 400, resetBytesMax: 131_072 } },
  run: async (world) => {
    const user = await world.user()
    const first = await world.login(user)
    await first.client.command('SELECT INBOX')
    let asked = false
    world.stub.behave((command, connection) => {
      if (!isProxys(command.tag) || command.name === 'LOGOUT') return false
      asked = true
      answer(command.tag, connection)
      return true
    })
    await logout(first)
    await world.until(() => asked, 'a reset')
    await settled(world.proxy)
    world.stub.reset()
    const next = await world.login(user)
    await expectOwn(next)
    await expectUnselected(next)
    const [made, due] = [world.dials().length, isRight ? 1 : 2]
    expect(made === due, due === 2 ? 'the connection was kept' : 'the connection was not kept')
  },
}))

export const barrier: Scenario[] = [
  ...misbehaved,
  {
    name: 'reset-without-unselect',
    guarantee:
      'a server that has no UNSELECT is reset without expunging anything, and its connection is kept',
    on: 'stub',
    config: { pool: { resetTimeoutMs: 400, resetBytesMax: 131_072 } },
    run: async (world) => {
      const basic = 'IMAP4rev1 LITERAL+ ID IDLE'
      world.stub.offer({ before: `${basic} AUTH=PLAIN AUTH=LOGIN`, after: basic })
      world.stub.behave((command, connection) => {
        if (command.name !== 'UNSELECT') return false
        connection.send(`${command.tag} BAD Unknown command\r\n`)
        return true
      })
      const user = await world.user()
      for (let round = 0; round < 2; round++) {
        const session = await world.login(user)
        await expectUnselected(session)
        await session.client.command('SELECT INBOX')
        await session.client.command('STORE 1 +FLAGS (\\Deleted)')
        await logout(session)
        await settled(world.proxy)
      }
      expect(world.dials().length === 1, 'the connection was not kept')
      expect((await world.bodies(user)).length === 3, 'a mail that was flagged \\Deleted is gone')
    },
  },
  {
    name: 'reset-overtaking',
    guarantee:
      'a command of a killed client that the server answers later than the reset reaches no other session',
    on: 'stub',
    config: { pool: { resetTimeoutMs: 400, resetBytesMax: 131_072 } },
    run: async (world) => {
      const user = await world.user()
      const { client } = await world.login(user)
      const left = Promise.withResolvers<() => void>()
      world.stub.behave((command, connection) => {
        if (command.name !== 'SLOW') return false
        left.resolve(() => connection.send(`${command.tag} OK at last\r\n`))
        return true
      })
      client.send(`${client.tag()} SLOW\r\n`)
      const answer = await left.promise
      await client.kill()
      const next = await world.login(user)
      answer()
      await expectOwn(next)
      await logout(next)
      await settled(world.proxy)
    },
  },
]
