/** Reuse: the next session of a user gets the idle connection, clean and without a login at the server. */
import { expectOwn, expectUnselected, logout, sessionOf, settled } from '../checks.ts'
import { expect, type Scenario, type World } from '../scenario.ts'
import { quote } from '../wire.ts'

/** Logs in with this spelling of name and secret, and logs out. */
async function visit(world: World, user: { name: string; secret: string }, spelling: string): Promise<void> {
  const client = await world.connect()
  const tag = client.tag()
  client.send(`${tag} LOGIN ${spelling}\r\n`)
  await logout(sessionOf(client, user, await client.reply(tag)))
  await settled(world.proxy)
}

export const reuse: Scenario[] = [
  {
    name: 'reused-login',
    guarantee:
      'the second session of a user reuses the connection, gets XPROXYREUSE, and no login reaches the server',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const first = await world.login(user)
      expect(!first.reused, 'the first session got XPROXYREUSE')
      await expectOwn(first)
      await logout(first)
      await settled(world.proxy)
      const second = await world.login(user)
      expect(second.reused, `the second session got no XPROXYREUSE: ${quote(second.untagged.join('\r\n'))}`)
      await expectOwn(second)
      expect(world.dials().length === 1, `the server saw ${world.dials().length} logins`)
    },
  },
  {
    name: 'reused-login-after-work',
    guarantee: 'a session that selected, fetched, stored and searched leaves a reusable connection',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const worker = await world.login(user)
      for (const line of [
        'SELECT INBOX',
        'FETCH 1:* (FLAGS BODY.PEEK[])',
        'STORE 1 +FLAGS (\\Seen)',
        'SEARCH ALL',
      ])
        await worker.client.command(line)
      await logout(worker)
      await settled(world.proxy)
      const next = await world.login(user)
      await expectOwn(next)
      await expectUnselected(next)
      expect(world.dials().length === 1, `the server saw ${world.dials().length} logins`)
    },
  },
  {
    name: 'spellings-of-one-name',
    guarantee: 'quoted, atom and literal forms of one name and secret are one user (D11)',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const { name, secret } = user
      await visit(world, user, `${name} ${secret}`)
      await visit(world, user, `"${name}" "${secret}"`)
      await visit(world, user, `${name} "${secret}"`)
      await visit(world, user, `{${name.length}+}\r\n${name} {${secret.length}+}\r\n${secret}`)
      const client = await world.connect()
      const tag = client.tag()
      client.send(`${tag} LOGIN {${name.length}}\r\n`)
      await client.invitation()
      client.send(`${name} {${secret.length}}\r\n`)
      await client.invitation()
      client.send(`${secret}\r\n`)
      await expectOwn(sessionOf(client, user, await client.reply(tag)))
      expect(world.dials().length === 1, `the server saw ${world.dials().length} logins`)
    },
  },
  {
    name: 'odd-names',
    guarantee:
      'names and secrets with spaces, quotes, backslashes, braces and 8-bit characters reach the server unchanged',
    on: 'stub',
    run: async (world) => {
      for (const name of [
        'two words',
        'a"quote',
        'back\\slash',
        'brace{5}',
        'star*per%cent',
        'j\u00c3\u00b6rg',
      ]) {
        const user = await world.user(name)
        const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`
        const client = await world.connect()
        const literal = `{${name.length}+}\r\n${name} {${user.secret.length}+}\r\n${user.secret}`
        const spelling = name.startsWith('j') ? literal : `${quoted(name)} ${quoted(user.secret)}`
        await logout(sessionOf(client, user, await client.command(`LOGIN ${spelling}`)))
        const admitted = world.stub.connections.some((connection) => connection.user === name)
        expect(admitted, `no user ${quote(name)} was logged in at the server`)
      }
    },
  },
  {
    name: 'unselected',
    guarantee:
      'the next session finds no mailbox selected and nothing expunged, because CLOSE is never sent (D3)',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const first = await world.login(user)
      await first.client.command('SELECT INBOX')
      await first.client.command('STORE 1 +FLAGS (\\Deleted)')
      await logout(first)
      await settled(world.proxy)
      await expectUnselected(await world.login(user))
      const count = (await world.bodies(user)).length
      expect(count === 3, `of 3 mails, one flagged \\Deleted, ${count} are left`)
      const closed = world.dials().some((connection) => /^\S+ CLOSE\r$/im.test(connection.received))
      expect(!closed, 'the proxy sent CLOSE')
    },
  },
  {
    name: 'two-at-once',
    guarantee: 'two simultaneous sessions of one user have a connection each, and both are kept',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const one = await world.login(user)
      const two = await world.login(user)
      await one.client.command('SELECT INBOX')
      await expectUnselected(two)
      await expectOwn(two)
      expect(world.dials().length === 2, `two sessions, ${world.dials().length} connections`)
      await logout(one)
      await logout(two)
      await settled(world.proxy)
      const [third, fourth] = [await world.login(user), await world.login(user)]
      await expectOwn(third)
      await expectOwn(fourth)
      expect(
        world.dials().length === 2,
        `four sessions, two at a time, made ${world.dials().length} connections`,
      )
    },
  },
  {
    name: 'many-at-once',
    guarantee: 'sessions of one user that log in at the same moment never share a connection',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      for (let round = 0; round < 4; round++) {
        const sessions = await Promise.all(Array.from({ length: 8 }, () => world.login(user)))
        const places = await Promise.all(
          sessions.map(async ({ client }) => (await client.command('WHOAMI')).untagged.join(' ')),
        )
        expect(new Set(places).size === 8, `eight sessions are at ${quote(places.join(', '))}`)
        await Promise.all(sessions.map((session) => logout(session)))
      }
    },
  },
]
