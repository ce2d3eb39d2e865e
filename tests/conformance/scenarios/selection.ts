/** Which mailbox is selected when a session begins: none, whatever the server does with SELECTs that fail. */
import type { StubHook } from '../../support/stub-imapd.ts'
import { expectOwn, expectUnselected, logout, settled } from '../checks.ts'
import { expect, type MailAccount, type Scenario, type StubWorld, type World } from '../scenario.ts'
import { quote } from '../wire.ts'

/** A session that sends these commands, each with the status that is due, and logs out. */
async function sessionWith(world: World, user: MailAccount, commands: [text: string, due: string][]) {
  const session = await world.login(user)
  await expectOwn(session)
  await expectUnselected(session)
  for (const [text, due] of commands) {
    const { status } = await session.client.command(text)
    expect(status === due, `${text} was answered ${status}`)
  }
  await logout(session)
  await settled(world.proxy)
}

const select: [string, string] = ['SELECT INBOX', 'OK']
const missing: [string, string] = ['SELECT nosuch', 'NO']

/** A server that keeps the selected mailbox when a SELECT or EXAMINE fails, and answers such a command with `status`. */
const keepsMailbox =
  (status: 'NO' | 'BAD'): StubHook =>
  (command, connection) => {
    if (!/^(?:SELECT|EXAMINE)$/.test(command.name) || /^inbox$/i.test(command.args[0] ?? '')) return false
    connection.send(`${command.tag} ${status} Folder could not be found.\r\n`)
    return true
  }

/** A server that answers LOGIN without a capability list. */
const listsNothing: StubHook = (command, connection) => {
  if (command.name !== 'LOGIN') return false
  connection.user = command.args[0]
  connection.send(`${command.tag} OK Logged in\r\n`)
  return true
}

function behaveLike(world: StubWorld, ...hooks: StubHook[]): void {
  world.stub.behave(async (command, connection) => {
    for (const hook of hooks) if (await hook(command, connection)) return true
    return false
  })
}

const without = { before: 'IMAP4rev1 LITERAL+ IDLE AUTH=PLAIN AUTH=LOGIN', after: 'IMAP4rev1 LITERAL+ IDLE' }

export const selection: Scenario[] = [
  {
    name: 'selection-failed-select',
    guarantee: 'after a SELECT that failed, the next session has nothing selected, on the same connection',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      await sessionWith(world, user, [select, missing])
      await sessionWith(world, user, [missing])
      await sessionWith(world, user, [['EXAMINE nosuch', 'NO'], select, ['UNSELECT', 'OK'], missing])
      await sessionWith(world, user, [])
      expect(world.dials().length === 1, 'the connection was not kept')
      expect((await world.bodies(user)).length === 3, 'a mail is gone')
    },
  },
  ...(['NO', 'BAD'] as const).map((status): Scenario => ({
    name: `selection-kept-after-${status.toLowerCase()}`,
    guarantee: `if the server keeps the selected mailbox when a SELECT is answered ${status}, the next session neither sees its news nor can read it`,
    on: 'stub',
    run: async (world) => {
      behaveLike(world, keepsMailbox(status))
      const user = await world.user()
      await sessionWith(world, user, [select, ['SELECT nosuch', status]])
      for (const connection of world.stub.connections)
        if (connection.selected) connection.news = '* 3 EXPUNGE\r\n'
      await sessionWith(world, user, [])
      expect(world.dials().length === 1, 'the connection was not kept')
    },
  })),
  {
    name: 'selection-pipelined',
    guarantee:
      'a SELECT that fails and one that succeeds, sent together in either order, leave nothing selected',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      for (const names of [
        ['nosuch', 'INBOX'],
        ['INBOX', 'nosuch'],
      ]) {
        const session = await world.login(user)
        await expectUnselected(session)
        const tags = names.map(() => session.client.tag())
        session.client.send(names.map((name, at) => `${tags[at]} SELECT ${name}\r\n`).join(''))
        for (const tag of tags) await session.client.reply(tag)
        await logout(session)
        await settled(world.proxy)
      }
      await sessionWith(world, user, [])
      expect(world.dials().length === 1, 'the connection was not kept')
    },
  },
  {
    name: 'selection-unlisted',
    guarantee:
      'a server that lists UNSELECT only when it is asked after the login keeps its connections, and the client sees nothing of the question',
    on: 'stub',
    run: async (world) => {
      behaveLike(world, listsNothing, keepsMailbox('BAD'))
      const user = await world.user()
      await sessionWith(world, user, [select])
      await sessionWith(world, user, [select, ['SELECT nosuch', 'BAD']])
      await sessionWith(world, user, [])
      expect(world.dials().length === 1, 'the connection was not kept')
      const asked = world.dials()[0]?.received.match(/ CAPABILITY\r\n/g)?.length ?? 0
      expect(asked === 1, `the server was asked for its capabilities ${asked} times`)
    },
  },
  {
    name: 'selection-without-unselect',
    guarantee:
      'a server without UNSELECT that answers an EXAMINE of a missing mailbox BAD, as hMailServer does, keeps its connections and all mail',
    on: 'stub',
    run: async (world) => {
      world.stub.offer(without)
      behaveLike(world, keepsMailbox('BAD'))
      const user = await world.user()
      const flagged: [string, string] = ['STORE 1 +FLAGS (\\Deleted)', 'OK']
      await sessionWith(world, user, [select, flagged])
      await sessionWith(world, user, [select, ['SELECT nosuch', 'BAD']])
      await sessionWith(world, user, [])
      expect(world.dials().length === 1, 'the connection was not kept')
      expect((await world.bodies(user)).length === 3, 'a mail that was flagged \\Deleted is gone')
    },
  },
  {
    name: 'selection-read-write',
    guarantee:
      'without UNSELECT, a mailbox that the server does not confirm to be read-only is never closed, because that expunges',
    on: 'stub',
    run: async (world) => {
      world.stub.offer(without)
      behaveLike(world, (command, connection) => {
        if (command.name !== 'EXAMINE') return false
        connection.send(`${command.tag} OK Selected.\r\n`)
        return true
      })
      const user = await world.user()
      await sessionWith(world, user, [select, ['STORE 1 +FLAGS (\\Deleted)', 'OK']])
      await sessionWith(world, user, [])
      expect((await world.bodies(user)).length === 3, 'a mail that was flagged \\Deleted is gone')
      const sent = world.dials().map(({ received }) => received)
      expect(!sent.some((text) => text.includes(' CLOSE')), `CLOSE was sent: ${quote(sent.join(''))}`)
    },
  },
]
