/** Every session gets a connection of its own user, and wrong secrets get none. */
import { expectOwn, logout, sessionOf, settled } from '../checks.ts'
import { authenticateLogin } from '../sasl.ts'
import { expect, type Scenario } from '../scenario.ts'
import { quote } from '../wire.ts'

/** The SSO mode of imapproxy, in both formats. */
const sso = {
  secret: 'open-sesame-17',
  config: {
    upstreams: {
      main: { masterUser: 'admin', masterPassword: 'secret-of-admin', sharedSecret: 'open-sesame-17' },
    },
    clients: { loginFailuresMax: 100 },
  },
  keywords: {
    auth_sasl_plain_username: 'admin',
    auth_sasl_plain_password: 'secret-of-admin',
    auth_shared_secret: 'open-sesame-17',
  },
}

export const identity: Scenario[] = [
  {
    name: 'wrong-password',
    guarantee:
      'a wrong password is checked by the server and refused, and neither uses nor evicts the idle connection (D10)',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      await logout(await world.login(user))
      await settled(world.proxy)
      for (let round = 0; round < 3; round++) {
        const thief = await world.connect()
        const reply = await thief.command(`LOGIN ${user.name} wrong${round}`)
        expect(reply.status === 'NO', `a wrong password was answered ${reply.status} ${quote(reply.text)}`)
        await thief.kill()
      }
      const next = await world.login(user)
      expect(next.reused, 'the idle connection was gone')
      await expectOwn(next)
      expect(
        world.dials().length === 4,
        `of 3 wrong passwords the server was asked ${world.dials().length - 1}`,
      )
    },
  },
  {
    name: 'wrong-password-full',
    guarantee:
      'a wrong password closes no idle connection, even at the limit; a correct password evicts one if necessary',
    on: 'any',
    config: { upstreams: { main: { connectionsMax: 2, connectionsPerUserMax: 1 } } },
    oursOnly: 'imapproxy refuses immediately when its cache is full',
    run: async (world) => {
      const [anna, bela, carl] = [await world.user(), await world.user(), await world.user()]
      for (const user of [anna, bela]) await logout(await world.login(user))
      await settled(world.proxy)
      const attempts = [anna, bela, carl].map(async (user) => {
        const thief = await world.connect()
        const reply = await thief.command(`LOGIN ${user.name} wrong`)
        expect(reply.status === 'NO', `a wrong password was answered ${reply.status} ${quote(reply.text)}`)
        await thief.kill()
      })
      await Promise.all(attempts)
      expect(world.dials().length === 5, `the server was asked ${world.dials().length} times, not 5`)
      for (const user of [anna, bela]) {
        const next = await world.login(user)
        expect(next.reused, 'an idle connection was gone')
        await expectOwn(next)
        await logout(next)
      }
      await settled(world.proxy)
      await expectOwn(await world.login(carl))
      const open = () => world.dials().filter((connection) => connection.open).length
      await world.until(() => open() === 2, 'the end of the evicted connection')
    },
  },
  {
    name: 'changed-password',
    guarantee:
      'a new password works immediately while a connection with the old one is idle, and the two are never confused',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      await logout(await world.login(user))
      await settled(world.proxy)
      const account = world.stub.accounts.get(user.name)
      if (account) account.secret = 'secret-of-tomorrow'
      const now = { ...user, secret: 'secret-of-tomorrow' }
      const fresh = await world.login(now)
      expect(!fresh.reused, 'the connection of the old password was leased with the new one')
      await expectOwn(fresh)
    },
  },
  {
    name: 'names-apart',
    guarantee: 'names that differ in case, by a space or by a dot are different users',
    on: 'stub',
    run: async (world) => {
      for (const name of ['anna@x', 'Anna@x', 'anna@X', 'anna@x ', 'ann', 'anna', 'anna@x.']) {
        const user = await world.user(name)
        user.secret = 'secret-of-all'
        const account = world.stub.accounts.get(name)
        if (account) account.secret = user.secret
      }
      for (const name of ['anna@x', 'Anna@x', 'anna@X', 'ann', 'anna', 'anna@x.']) {
        const user = { name, secret: 'secret-of-all' }
        for (let round = 0; round < 2; round++) {
          const session = await world.login(user)
          await expectOwn(session)
          await logout(session)
          await settled(world.proxy)
        }
      }
    },
  },
  {
    name: 'separators',
    guarantee: 'name and secret are never concatenated: ("a", "b c") is not ("a b", "c")',
    on: 'stub',
    run: async (world) => {
      const pairs = [
        ['sep', 'b:c'],
        ['sep:b', 'c'],
        ['sep b', 'c'],
        ['sep', 'b c'],
        ['sepb', 'c'],
        ['sep', 'bc'],
      ] as const
      for (const [name, secret] of pairs) {
        const user = await world.user(name)
        const account = world.stub.accounts.get(name)
        if (account) account.secret = secret
        const client = await world.connect()
        const spelling = `{${name.length}+}\r\n${name} {${secret.length}+}\r\n${secret}`
        const session = sessionOf(client, user, await client.command(`LOGIN ${spelling}`))
        expect(!session.reused, `${quote(name)} with ${quote(secret)} got the connection of another user`)
        await logout(session)
        await settled(world.proxy)
      }
    },
  },
  {
    name: 'line-ends-in-names',
    guarantee: 'CR, LF and NUL in a name or a secret never reach the server as separate lines (D16)',
    on: 'stub',
    config: { clients: { loginFailuresMax: 100 } },
    run: async (world) => {
      const user = await world.user()
      const nasty = ['x\r\nZ1 NOOP', 'x\nZ2 NOOP', 'x\rZ3 NOOP', 'x\0y', '\r\n', 'x {3}\r\nabc\r\nZ4 NOOP']
      for (const text of nasty) {
        for (const [name, secret] of [
          [text, user.secret],
          [user.name, text],
        ] as const) {
          const client = await world.connect()
          const spelling = `{${name.length}+}\r\n${name} {${secret.length}+}\r\n${secret}`
          const reply = await client.command(`LOGIN ${spelling}`)
          expect(reply.status !== 'OK', `LOGIN with ${quote(text)} was answered OK`)
          await client.kill()
          const other = await world.connect()
          const answer = await authenticateLogin(other, name, secret)
          expect(answer.status !== 'OK', `AUTHENTICATE LOGIN with ${quote(text)} was answered OK`)
          await other.kill()
        }
      }
      const injected = world.stub.connections
        .flatMap(({ commands }) => commands)
        .find(({ tag }) => /^Z\d/.test(tag))
      expect(injected === undefined, `the server got the command ${injected?.tag} ${injected?.name}`)
      const raw = world.dials().find(({ received }) => received.includes('\0'))
      expect(raw === undefined, 'the server got a raw NUL')
    },
  },
  {
    name: 'shared-secret',
    guarantee:
      'with auth_shared_secret, only the exact secret works: not an empty one, not a prefix, not a longer one (D6)',
    on: 'stub',
    ...sso,
    run: async (world) => {
      world.stub.account('admin', 'secret-of-admin')
      const user = await world.user()
      const thefts = [
        '""',
        '"o"',
        '"open"',
        '"open-sesame-1"',
        'open',
        'o',
        '"open-sesame-17x"',
        'open-sesame-17x',
      ]
      thefts.push(`"secret-of-${user.name}"`, '"OPEN-SESAME-17"', '{0+}\r\n', '{4+}\r\nopen')
      for (const isReuse of [false, true]) {
        for (const theft of thefts) {
          const client = await world.connect()
          const reply = await client.command(`LOGIN ${user.name} ${theft}`)
          const when = isReuse ? 'with an idle connection' : 'without an idle connection'
          expect(reply.status === 'NO', `the secret ${quote(theft)} was answered ${reply.status} ${when}`)
          await client.kill()
        }
        const session = await world.login(user)
        await expectOwn(session)
        await logout(session)
        await settled(world.proxy)
      }
    },
  },
]
