/** AUTHENTICATE: every mechanism, authorization identities, and which connections are reused. */
import { expectOwn, logout, sessionOf, settled } from '../checks.ts'
import { expect, type MailAccount, type Scenario, type LoggedIn, type World } from '../scenario.ts'
import { quote, type WireReply } from '../wire.ts'
import { authenticateLogin, base64 } from '../sasl.ts'

const plain = (user: MailAccount, as = '') => base64(`${as}\0${user.name}\0${user.secret}`)

async function authenticated(world: World, user: MailAccount, command: string): Promise<LoggedIn> {
  const client = await world.connect()
  return sessionOf(client, user, await client.command(command))
}

const oauth = (mechanism: 'XOAUTH2' | 'OAUTHBEARER', { name, secret }: MailAccount) =>
  base64(
    mechanism === 'XOAUTH2'
      ? `user=${name}\u0001auth=Bearer ${secret}\u0001\u0001`
      : `n,a=${name},\u0001host=mail\u0001port=143\u0001auth=Bearer ${secret}\u0001\u0001`,
  )

function oauthScenario(mechanism: 'XOAUTH2' | 'OAUTHBEARER'): Scenario {
  return {
    name: `identity-${mechanism.toLowerCase()}`,
    guarantee: `${mechanism}: the connection of a valid token is reused, an invalid token gets nothing`,
    on: 'stub',
    oursOnly: 'imapproxy knows AUTHENTICATE LOGIN only',
    run: async (world) => {
      const user = await world.user()
      const first = await authenticated(world, user, `AUTHENTICATE ${mechanism} ${oauth(mechanism, user)}`)
      await expectOwn(first)
      await logout(first)
      await settled(world.proxy)
      const thief = await world.connect()
      const tag = thief.tag()
      thief.send(`${tag} AUTHENTICATE ${mechanism} ${oauth(mechanism, { ...user, secret: 'stolen' })}\r\n`)
      // RFC 7628 3.2.3: the reason comes first and needs an answer. An immediate NO is valid too.
      const reason = await thief.response()
      if (reason.startsWith('+')) thief.send('AQ==\r\n')
      const reply = reason.startsWith('+') ? await thief.reply(tag) : replyOf(reason)
      expect(reply.status === 'NO', `a wrong token was answered ${reply.status} ${quote(reply.text)}`)
      const again = await world.connect()
      const [ask, session] = [again.tag(), { client: again, user }]
      again.send(`${ask} AUTHENTICATE ${mechanism}\r\n`)
      await again.invitation()
      again.send(`${oauth(mechanism, user)}\r\n`)
      const next = sessionOf(session.client, session.user, await again.reply(ask))
      expect(next.reused, 'the right token did not get the idle connection')
      await expectOwn(next)
    },
  }
}

function replyOf(line: string): WireReply {
  const [, status = '', ...text] = line.split(' ')
  return { status, text: text.join(' '), untagged: [] }
}

export const mechanismScenarios: Scenario[] = [
  {
    name: 'authorization',
    guarantee: 'an administrator who logs in as two users gets two connections, each with the right user',
    on: 'stub',
    oursOnly: 'imapproxy knows AUTHENTICATE LOGIN only',
    run: async (world) => {
      const admin = await world.user('admin')
      const [one, two] = [await world.user(), await world.user()]
      for (const user of [one, two, admin, one, two, admin]) {
        const as = user === admin ? '' : user.name
        const session = await authenticated(world, user, `AUTHENTICATE PLAIN ${plain(admin, as)}`)
        await expectOwn(session)
        await logout(session)
        await settled(world.proxy)
      }
      expect(world.dials().length === 3, `three identities made ${world.dials().length} connections`)
      await expectOwn(await world.login(one))
    },
  },
  {
    name: 'authenticate-login',
    guarantee: 'AUTHENTICATE LOGIN works, its connection is reused and gets XPROXYREUSE',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      for (const isReuse of [false, true]) {
        const client = await world.connect()
        const session = sessionOf(client, user, await authenticateLogin(client, user.name, user.secret))
        expect(
          session.reused === isReuse,
          `the ${isReuse ? 'second' : 'first'} session was ${isReuse ? 'not ' : ''}reused`,
        )
        await expectOwn(session)
        await logout(session)
        await settled(world.proxy)
      }
    },
  },
  {
    name: 'authenticate-plain',
    guarantee:
      'AUTHENTICATE PLAIN, with or without an initial response, is one login, its connection is reused and gets XPROXYREUSE',
    on: 'any',
    oursOnly: 'imapproxy knows AUTHENTICATE LOGIN only',
    run: async (world) => {
      const user = await world.user()
      const first = await authenticated(world, user, `AUTHENTICATE PLAIN ${plain(user)}`)
      await expectOwn(first)
      await logout(first)
      await settled(world.proxy)
      const client = await world.connect()
      const tag = client.tag()
      client.send(`${tag} authenticate plain\r\n`)
      await client.invitation()
      client.send(`${plain(user)}\r\n`)
      const second = sessionOf(client, user, await client.reply(tag))
      expect(second.reused, 'the second session was not reused')
      await expectOwn(second)
      expect(world.dials().length === 1, `the server saw ${world.dials().length} logins`)
    },
  },
  oauthScenario('XOAUTH2'),
  oauthScenario('OAUTHBEARER'),
  {
    name: 'authenticate-cancelled',
    guarantee: 'a cancelled or unreadable AUTHENTICATE is BAD or NO, and a login can follow',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      for (const response of ['*', '!!!not base64!!!']) {
        const client = await world.connect()
        const tag = client.tag()
        client.send(`${tag} AUTHENTICATE LOGIN\r\n`)
        await client.invitation()
        client.send(`${response}\r\n`)
        const line = await client.response()
        expect(/^\S+ (?:BAD|NO)\b/.test(line), `${quote(response)} was answered ${quote(line)}`)
        await expectOwn(sessionOf(client, user, await client.command(`LOGIN ${user.name} ${user.secret}`)))
      }
    },
  },
]
