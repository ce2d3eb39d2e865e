/** A server that leaves replies out: no client waits for it without end, and its connection is not handed on. */
import { expectOwn, logout, settled } from '../checks.ts'
import { expect, type Scenario, type StubWorld } from '../scenario.ts'
import { quote } from '../wire.ts'

const config = { pool: { replyTimeoutMs: 1000, resetTimeoutMs: 500 } }

/** Every LIST is answered with these bytes. `TAG` stands for its tag. */
function answerList(world: StubWorld, answer: string): void {
  world.stub.behave(({ name, tag }, connection) => {
    if (name !== 'LIST') return false
    connection.send(answer.replaceAll('TAG', tag))
    return true
  })
}

/** @param endsAhead if the edge asks ahead: it then sees a whole line before the client does */
function silent(
  name: string,
  what: string,
  answer: string,
  ends: RegExp,
  endsAhead: RegExp = ends,
): Scenario {
  return {
    name: `silent-${name}`,
    guarantee: `a LOGOUT behind ${what} is answered or ends the connection in time`,
    on: 'stub',
    config,
    run: async (world) => {
      const user = await world.user()
      const { client } = await world.login(user)
      answerList(world, answer)
      const before = (await world.proxy.refusals())['reply-overdue'] ?? 0
      const [list, bye] = [client.tag(), client.tag()]
      client.send(`${list} LIST "" *\r\n${bye} LOGOUT\r\n`)
      const rest = (await client.rest()).replaceAll(list, 'TAG').replaceAll(bye, 'BYE')
      expect((world.proxy.isAhead ? endsAhead : ends).test(rest), `the client was told ${quote(rest)}`)
      world.stub.reset()
      await settled(world.proxy)
      const next = await world.login(user)
      await expectOwn(next)
      await logout(next)
      expect(world.dials().length === 2, 'the connection was handed on')
      if (world.proxy.name !== 'ours') return
      const counted = (await world.proxy.refusals())['reply-overdue'] ?? 0
      expect(counted === before + 1, `reply-overdue was counted ${counted - before} times`)
    },
  }
}

const loggedOut = /^\* BYE .*\r\nBYE OK .*\r\n$/

export const silentServer: Scenario[] = [
  silent('list', 'a command without a reply', '', loggedOut),
  silent(
    'untagged-bad',
    'an untagged BAD in place of a reply',
    '* BAD [ALERT] no\r\n',
    /^\* BAD \[ALERT\] no\r\n\* BYE .*\r\nBYE OK .*\r\n$/,
  ),
  silent(
    'short-literal',
    'a literal that is shorter than announced',
    '* LIST () "/" {100}\r\nshort\r\nTAG OK done\r\n',
    /^\* LIST \(\) "\/" \{100\}\r\nshort\r\nTAG OK done\r\n$/,
  ),
  silent('half-line', 'half a line', '* LIST () "/" half', /^\* LIST \(\) "\/" half$/, loggedOut),
  {
    name: 'bad-to-all',
    guarantee: 'a connection on which the server answers BAD to everything but NOOP is not handed on',
    on: 'stub',
    config,
    run: async (world) => {
      const user = await world.user()
      const session = await world.login(user)
      const [, ...others] = world.dials()
      expect(others.length === 0, 'more than one login')
      const first = world.stub.connections.findLast(({ user: name }) => name === user.name)
      world.stub.behave(({ name, tag }, connection) => {
        if (connection !== first || name === 'NOOP') return false
        connection.send(`${tag} BAD Internal error\r\n`)
        return true
      })
      for (const command of ['LIST "" *', 'STATUS INBOX (MESSAGES)'])
        expect((await session.client.command(command)).status === 'BAD', `${command} was not answered BAD`)
      await logout(session)
      await settled(world.proxy)
      await expectOwn(await world.login(user))
      expect(world.dials().length === 2, 'the connection was handed on')
    },
  },
]
