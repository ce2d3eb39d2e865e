/** Capability lists: a client sees only what works through the proxy, wherever a server sends them. */
import { expectOwn, logout, settled } from '../checks.ts'
import { expect, type Scenario } from '../scenario.ts'
import { quote } from '../wire.ts'

/** What cannot work through a proxy that shares connections. */
const harmful = /COMPRESS=|UNAUTHENTICATE/i

function expectHarmless(said: string, where: string): void {
  expect(!harmful.test(said), `${where} shows ${harmful.exec(said)?.[0]}: ${quote(said)}`)
}

export const capability: Scenario[] = [
  {
    name: 'capability-before-login',
    guarantee: 'before login, greeting and CAPABILITY show only what the proxy supports',
    on: 'any',
    run: async (world) => {
      const client = await world.dial()
      const greeting = await client.response('a greeting')
      const { status, untagged } = await client.command('CAPABILITY')
      expect(status === 'OK', `CAPABILITY was answered ${status}`)
      for (const said of [greeting, ...untagged]) {
        expectHarmless(said, 'the list before login')
        const foreign = /AUTH=(?!PLAIN\b|LOGIN\b|XOAUTH2\b|OAUTHBEARER\b)\S+|STARTTLS/i.exec(said)?.[0]
        expect(foreign === undefined, `before login ${foreign} is shown`)
      }
      expect(/ IMAP4rev1\b/i.test(untagged.join()), `CAPABILITY was answered ${quote(untagged.join())}`)
    },
  },
  {
    name: 'capability-after-login',
    guarantee:
      'after login, COMPRESS and UNAUTHENTICATE are in no list: the replies to LOGIN and CAPABILITY, on new and reused connections (D9)',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      for (let round = 0; round < 2; round++) {
        const client = await world.connect()
        const reply = await client.command(`LOGIN ${user.name} ${user.secret}`)
        expectHarmless([...reply.untagged, reply.text].join('\r\n'), 'the reply to LOGIN')
        const { status, untagged } = await client.command('CAPABILITY')
        expect(status === 'OK', `CAPABILITY was answered ${status}`)
        expectHarmless(untagged.join('\r\n'), 'CAPABILITY after login')
        expect(/ IDLE\b/.test(untagged.join()), `CAPABILITY lost IDLE: ${quote(untagged.join())}`)
        await client.command('LOGOUT')
        await settled(world.proxy)
      }
    },
  },
  {
    name: 'capability-anywhere',
    guarantee:
      'COMPRESS and UNAUTHENTICATE are in no untagged line or response code at any time, in upper and lower case, however it is cut',
    on: 'stub',
    run: async (world) => {
      const lists = [
        '* CAPABILITY COMPRESS=DEFLATE UNAUTHENTICATE\r\n',
        '* CAPABILITY COMPRESS=DEFLATE IMAP4rev1 IDLE UNAUTHENTICATE\r\n',
        '* capability imap4rev1 compress=deflate unauthenticate idle\r\n',
        '* OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE UNAUTHENTICATE IDLE] changed\r\n',
        '* OK [capability IMAP4rev1 Compress=Deflate] changed\r\n',
        '* NO [CAPABILITY COMPRESS=DEFLATE] changed\r\n',
      ]
      for (const dribble of [false, true]) {
        world.stub.dribble(dribble)
        const session = await world.login(await world.user())
        world.stub.behave((command, connection) => {
          if (command.name !== 'STATUS') return false
          connection.send(
            `${lists.join('')}${command.tag} OK [CAPABILITY IMAP4rev1 UNAUTHENTICATE IDLE] done\r\n`,
          )
          return true
        })
        const { status, text, untagged } = await session.client.command('STATUS INBOX (MESSAGES)')
        world.stub.reset()
        expect(
          status === 'OK' && untagged.length === lists.length,
          `${untagged.length} of ${lists.length} lines came`,
        )
        for (const line of [...untagged, text]) expectHarmless(line, 'a line after login')
        expect(
          untagged[1] === '* CAPABILITY IMAP4rev1 IDLE',
          `what is left of a list is ${quote(untagged[1] ?? '')}`,
        )
        await expectOwn(session)
        await logout(session)
      }
    },
  },
  {
    name: 'capability-in-content',
    guarantee: 'a mail or a mailbox name that contains capabilities is passed on unchanged',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      const body =
        '* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE\r\n* OK [CAPABILITY UNAUTHENTICATE] x\r\nCOMPRESS=DEFLATE\r\n'
      const account = world.stub.accounts.get(user.name)
      account?.append('INBOX', Buffer.from(body))
      const session = await world.login(user)
      await session.client.command('SELECT INBOX')
      world.stub.behave((command, connection) => {
        if (command.name !== 'STATUS') return false
        connection.send(
          '* LIST () "/" COMPRESS=DEFLATE\r\n* 1 FETCH (ENVELOPE ("[CAPABILITY COMPRESS=DEFLATE]"))\r\n',
        )
        connection.send(`${command.tag} OK UNAUTHENTICATE is a word\r\n`)
        return true
      })
      const fetch = await session.client.command('FETCH 4 BODY.PEEK[]')
      expect(fetch.untagged.join('').includes(body), `the mail became ${quote(fetch.untagged.join(''))}`)
      const { text, untagged } = await session.client.command('STATUS INBOX (MESSAGES)')
      const same =
        untagged.join() ===
          '* LIST () "/" COMPRESS=DEFLATE,* 1 FETCH (ENVELOPE ("[CAPABILITY COMPRESS=DEFLATE]"))' &&
        text === 'UNAUTHENTICATE is a word'
      expect(same, `became ${quote([...untagged, text].join('\r\n'))}`)
    },
  },
]
