/** Connecting and logging in to the server: its greetings and answers, including nonsense. */
import { freePort } from '@imapfleet/local'
import { StubImapd } from '../../support/stub-imapd.ts'
import type { StubConnection } from '../../support/stub-connection.ts'
import { expectOwn, logout, sessionOf } from '../checks.ts'
import { startProxy } from '../proxy-process.ts'
import { expect, type Scenario } from '../scenario.ts'
import { WireClient, Mismatch, quote } from '../wire.ts'
import { residentBytes } from '../../support/resident-bytes.ts'

const config = { upstreams: { main: { connectTimeoutMs: 500, loginTimeoutMs: 500 } } }

/** Refused, but not as a wrong password. */
const noBlame = /^NO (?!\[AUTHENTICATIONFAILED)/

/** A greeting that no login may follow. */
function badGreeting(name: string, what: string, greet: (connection: StubConnection) => void): Scenario {
  return {
    name: `greeting-${name}`,
    guarantee: `a server that ${what} gets no password, and the client is not told that its password was wrong`,
    on: 'stub',
    config,
    run: async (world) => {
      const user = await world.user()
      world.stub.greet(greet)
      const before = residentBytes([world.proxy.pid])
      const client = await world.connect()
      const reply = await client.command(`LOGIN ${user.name} ${user.secret}`)
      const refused = noBlame.test(`${reply.status} ${reply.text}`)
      expect(refused, `LOGIN was answered ${reply.status} ${quote(reply.text)}`)
      const told = world.stub.connections.some(({ received }) => received.includes(user.secret))
      expect(!told, 'the server was sent the password')
      const grown = (residentBytes([world.proxy.pid]) - before) >> 20
      expect(grown < 24, `the memory of the proxy grew by ${grown} MB`)
    },
  }
}

/** A login that the server answers with nonsense or not at all. */
function badLogin(
  name: string,
  what: string,
  answer: (tag: string, connection: StubConnection) => void,
  expected = noBlame,
): Scenario {
  return {
    name: `login-${name}`,
    guarantee: `a login that the server ${what} fails`,
    on: 'stub',
    config,
    run: async (world) => {
      const user = await world.user()
      world.stub.behave((command, connection) => {
        if (!/^(?:LOGIN|AUTHENTICATE)$/.test(command.name)) return false
        answer(command.tag, connection)
        return true
      })
      const client = await world.connect()
      const { status, text } = await client.command(`LOGIN ${user.name} ${user.secret}`)
      expect(expected.test(`${status} ${text}`), `LOGIN was answered ${status} ${quote(text)}`)
    },
  }
}

const refusals = [
  'NO [AUTHENTICATIONFAILED] Wrong, try "again"',
  'NO [UNAVAILABLE] The user database is away',
  'NO [LIMIT] Too many connections from you',
  'NO [INUSE] Mailbox locked',
  'NO [EXPIRED] Password expired on {7} of May',
  'NO no code at all',
]

function refusedUnchanged(how: 'LOGIN' | 'AUTHENTICATE'): Scenario {
  return {
    name: `refusal-unchanged-${how.toLowerCase()}`,
    guarantee: `the server’s NO to ${how}, with its code and text, reaches the client unchanged`,
    on: 'stub',
    config: { clients: { loginFailuresMax: 100 } },
    run: async (world) => {
      const user = await world.user()
      for (const refusal of refusals) {
        world.stub.refuse(() => refusal)
        const client = await world.connect()
        const initial = Buffer.from(`\0${user.name}\0${user.secret}`).toString('base64')
        const { status, text } = await client.command(
          how === 'LOGIN' ? `LOGIN ${user.name} ${user.secret}` : `AUTHENTICATE PLAIN ${initial}`,
        )
        expect(`${status} ${text}` === refusal, `${quote(refusal)} became ${quote(`${status} ${text}`)}`)
        await client.kill()
      }
    },
  }
}

export const dialing: Scenario[] = [
  badGreeting('preauth', 'greets with PREAUTH', (c) => c.send('* PREAUTH Welcome\r\n')),
  badGreeting('bye', 'greets with BYE', (c) => {
    c.send('* BYE Too busy\r\n')
    void c.end()
  }),
  badGreeting('garbage', 'does not speak IMAP', (c) => c.send('HTTP/1.1 400 Bad Request\r\n\r\n')),
  badGreeting('silence', 'sends no greeting', () => undefined),
  badGreeting('close', 'closes before its greeting', (c) => void c.end()),
  badGreeting('endless-line', 'sends an endless line', (c) => c.send(Buffer.alloc(32 << 20, 'x'))),
  badGreeting('flood', 'sends a flood of lines', (c) => c.send(Buffer.alloc(32 << 20, '* 1 EXISTS\r\n'))),
  badLogin('wrong-tag', 'answers with another tag', (tag, c) =>
    c.send(`X${tag} OK Logged in\r\nA1 OK Logged in\r\n`),
  ),
  badLogin('silence', 'does not answer', () => undefined),
  badLogin('close', 'answers by closing', (_, c) => c.destroy()),
  badLogin('bye', 'answers with BYE', (_, c) => {
    c.send('* BYE Too busy\r\n')
    void c.end()
  }),
  badLogin(
    'forged-in-literal',
    'answers with an OK inside a literal, and then with NO, which reaches the client,',
    (tag, c) => c.send(`* X {${tag.length + 15}}\r\n\r\n${tag} OK Logged in\r\n${tag} NO Go away\r\n`),
    /^NO Go away/,
  ),
  badLogin('flood', 'answers with endless data', (_, c) => c.send(Buffer.alloc(32 << 20, '* 1 EXISTS\r\n'))),
  refusedUnchanged('LOGIN'),
  { ...refusedUnchanged('AUTHENTICATE'), oursOnly: 'imapproxy knows AUTHENTICATE LOGIN only' },
  {
    name: 'refusal-for-real',
    guarantee: 'the server’s answer to a wrong password reaches the client unchanged',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const client = await world.connect()
      const { status, text } = await client.command(`LOGIN ${user.name} wrong`)
      const same = `${status} ${text}` === 'NO [AUTHENTICATIONFAILED] Authentication failed.'
      expect(same, `the wrong password was answered ${status} ${quote(text)}`)
      sessionOf(client, user, await client.command(`LOGIN ${user.name} ${user.secret}`))
    },
  },
  {
    name: 'server-away',
    guarantee: 'while the server is down a login is refused as unavailable, and works when it is up again',
    on: 'stub',
    config,
    run: async (world) => {
      const user = await world.user()
      await logout(await world.login(user))
      await world.stub.close()
      const client = await world.connect()
      const { status, text } = await client.command(`LOGIN ${user.name} ${user.secret}`)
      expect(
        status === 'NO' && text.startsWith('[UNAVAILABLE]'),
        `LOGIN was answered ${status} ${quote(text)}`,
      )
      await world.stub.listen()
      await expectOwn(await world.login(user))
    },
  },
  {
    name: 'server-away-at-start',
    guarantee: 'the proxy starts while the server is down, and serves when the server is up',
    on: 'stub',
    run: async (world) => {
      const stub = new StubImapd(await freePort())
      stub.account('early', 'secret-of-early')
      const proxy = await startProxy(world.proxy.name, { upstreamPort: stub.port, isStub: true }).catch(
        (error: Error) => {
          throw new Mismatch(`did not start: ${error.message.split('\n')[0]?.replace(/\d{5}/, 'P')}`)
        },
      )
      try {
        await stub.listen()
        const client = await WireClient.open(proxy.port, 'early-', world.patienceMs)
        await client.response('a greeting')
        sessionOf(client, { name: 'early', secret: 'x' }, await client.command('LOGIN early secret-of-early'))
        await client.kill()
      } finally {
        await proxy.stop()
        await stub.close()
      }
    },
  },
]
