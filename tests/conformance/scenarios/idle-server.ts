/** Events on an idle server connection. The next client must not notice any of them. */
import { setTimeout as pause } from 'node:timers/promises'
import { expectOwn, expectUnselected, logout, settled } from '../checks.ts'
import { expect, type Scenario, type SeenConnection } from '../scenario.ts'
import { residentBytes } from '../../support/resident-bytes.ts'

/** After this time the proxy must have noticed that a connection is idle, even if it reads its clock rarely. */
const idleMs = 250

const kept = (connection: SeenConnection | undefined): SeenConnection => {
  expect(connection !== undefined, 'the server saw no login')
  return connection
}

/** One session leaves its connection idle, the server acts on it, the next session is clean. */
function whileIdle(
  name: string,
  guarantee: string,
  act: (connection: SeenConnection) => void,
  during?: (connection: SeenConnection) => void,
): Scenario {
  return {
    name: `idle-${name}`,
    guarantee,
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      await logout(await world.login(user))
      await settled(world.proxy)
      const connection = kept(world.dials()[0])
      act(connection)
      // A session of another user in between, so that the bytes have arrived by then.
      const other = await world.login(await world.user())
      await expectOwn(other)
      const next = await world.login(user)
      during?.(connection)
      await expectOwn(next)
      await expectUnselected(next)
    },
  }
}

export const idleServer: Scenario[] = [
  whileIdle('close', 'the next client does not notice that the server closed an idle connection', (c) =>
    c.destroy(),
  ),
  whileIdle(
    'bye-and-close',
    'the next client does not notice that the server sent BYE and closed an idle connection',
    (c) => {
      c.send('* BYE Idle for too long\r\n')
      c.destroy()
    },
  ),
  whileIdle(
    'bye',
    'the next client does not notice that the server sent BYE on an idle connection and left it open',
    (c) => c.send('* BYE Idle for too long\r\n'),
  ),
  whileIdle('news', 'untagged data on an idle connection never reaches the next client', (c) =>
    c.send('* 9 EXISTS\r\n* 1 RECENT\r\n* LIST () "/" secret\r\n* OK [ALERT] going down\r\n'),
  ),
  whileIdle(
    'late-reply',
    'a late tagged reply on an idle connection never reaches the next client (D15)',
    (c) => c.send('a1 OK late\r\n'),
  ),
  whileIdle('invitation', 'an unexpected continuation request never reaches the next client', (c) =>
    c.send('+ idling\r\n'),
  ),
  whileIdle(
    'half-a-line',
    'half a line on an idle connection, completed after the next client arrived, never reaches it',
    (c) => c.send('* LIST () "/" sec'),
    (c) => c.send('ret\r\n'),
  ),
  whileIdle('half-a-literal', 'half a literal on an idle connection never reaches the next client', (c) =>
    c.send('* 1 FETCH (BODY[] {500}\r\nsecret'),
  ),
  {
    name: 'idle-flood',
    guarantee: 'a flood on an idle connection costs little memory and never reaches the next client',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      const megabyte = Buffer.alloc(1 << 20, '* 1 EXISTS\r\n').toString('latin1')
      let before = 0
      // The first flood fills the buffers of the runtime; the second must not add to them.
      for (const isFirst of [true, false]) {
        await logout(await world.login(user))
        await settled(world.proxy)
        if (!isFirst) before = residentBytes([world.proxy.pid])
        for (let sent = 0; sent < 64; sent++) kept(world.dials().at(-1)).send(megabyte)
        for (let round = 0; round < 10; round++) await logout(await world.login(await world.user()))
      }
      const grown = (residentBytes([world.proxy.pid]) - before) >> 20
      expect(grown < 32, `the memory of the proxy grew by ${grown} MB`)
      await expectOwn(await world.login(user))
    },
  },
  {
    name: 'idle-half-open',
    guarantee: 'a server that disappeared silently is detected before its connection is leased again',
    on: 'stub',
    config: { pool: { proveIdleAfterMs: 0, resetTimeoutMs: 400 } },
    oursOnly: 'imapproxy does not check idle connections; its clients wait for TCP',
    run: async (world) => {
      const user = await world.user()
      await logout(await world.login(user))
      await settled(world.proxy)
      const gone = kept(world.dials()[0]).number
      world.stub.behave((_, connection) => connection.number === gone)
      await pause(idleMs)
      await expectOwn(await world.login(user))
      expect(world.dials().length === 2, 'no new connection was made')
    },
  },
  {
    name: 'idle-proof-wrong',
    guarantee:
      'an idle connection that answers the check with another tag is replaced, and the client does not notice',
    on: 'stub',
    config: { pool: { proveIdleAfterMs: 0, resetTimeoutMs: 400 } },
    oursOnly: 'imapproxy does not check idle connections',
    run: async (world) => {
      const user = await world.user()
      await logout(await world.login(user))
      await settled(world.proxy)
      const first = kept(world.dials()[0]).number
      world.stub.behave((command, connection) => {
        if (connection.number !== first) return false
        connection.send(`X${command.tag} OK done\r\n* LIST () "/" secret\r\n`)
        return true
      })
      await pause(idleMs)
      await expectOwn(await world.login(user))
      expect(world.dials().length === 2, 'no new connection was made')
    },
  },
  {
    name: 'idle-proof-right',
    guarantee:
      'an idle connection that passes the check is reused, and its earlier untagged data is not passed on',
    on: 'stub',
    config: { pool: { proveIdleAfterMs: 0, resetTimeoutMs: 400 } },
    run: async (world) => {
      const user = await world.user()
      await logout(await world.login(user))
      await settled(world.proxy)
      await expectOwn(await world.login(user))
      expect(world.dials().length === 1, 'the connection was not used')
    },
  },
]
