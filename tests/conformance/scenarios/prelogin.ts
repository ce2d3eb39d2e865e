/** Commands before login. */
import { expectOwn, sessionOf, settled } from '../checks.ts'
import { expect, type Scenario } from '../scenario.ts'
import { quote } from '../wire.ts'

export const prelogin: Scenario[] = [
  {
    name: 'before-login',
    guarantee:
      'before login only commands that need no login are answered, nothing reaches the server, and a login can follow',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const client = await world.connect()
      for (const line of ['NOOP', 'CAPABILITY', 'noop', 'ID NIL', 'ID ("name" "x")']) {
        const { status } = await client.command(line)
        expect(status === 'OK', `${line} was answered ${status}`)
      }
      for (const line of [
        'SELECT INBOX',
        'IDLE',
        'XYZZY',
        'ENABLE QRESYNC',
        'LOGIN',
        'LOGIN onlyname',
        'AUTHENTICATE NTLM',
      ]) {
        const { status } = await client.command(line)
        expect(status === 'BAD' || status === 'NO', `${line} was answered ${status}`)
      }
      expect(world.dials().length === 0, 'the server was asked before any login')
      await expectOwn(sessionOf(client, user, await client.command(`LOGIN ${user.name} ${user.secret}`)))
    },
  },
  {
    name: 'logout-before-login',
    guarantee: 'LOGOUT before login is BYE and OK',
    on: 'any',
    run: async (world) => {
      const client = await world.connect()
      const { status, untagged } = await client.command('LOGOUT')
      expect(
        status === 'OK' && untagged.at(-1)?.startsWith('* BYE') === true,
        `LOGOUT was answered ${status}`,
      )
      await client.rest()
    },
  },
  {
    name: 'bad-id',
    guarantee: 'an ID that the server refuses does not affect the login after it (D7)',
    on: 'stub',
    run: async (world) => {
      world.stub.behave((command, connection) => {
        if (command.name !== 'ID') return false
        connection.send(`${command.tag} NO Bad parameters\r\n`)
        return true
      })
      const user = await world.user()
      for (let round = 0; round < 3; round++) {
        const client = await world.connect()
        await client.command('ID (bad)')
        await expectOwn(sessionOf(client, user, await client.command(`LOGIN ${user.name} ${user.secret}`)))
        await client.command('LOGOUT')
      }
    },
  },
  {
    name: 'every-id',
    guarantee:
      'every ID sent before login reaches the server, in order, on new and reused connections, and its reply reaches no other client',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      for (const round of ['first', 'second']) {
        const client = await world.connect()
        for (const name of ['one', 'two', 'three']) await client.command(`ID ("name" "${round}-${name}")`)
        await expectOwn(sessionOf(client, user, await client.command(`LOGIN ${user.name} ${user.secret}`)))
        await client.command('LOGOUT')
        const told = () =>
          world.stub.connections.flatMap(({ user: whose, commands }) =>
            whose === user.name
              ? commands.filter(({ name }) => name === 'ID').map(({ args }) => args.join(' '))
              : [],
          )
        const due = ['one', 'two', 'three'].map((name) => `(name ${round}-${name})`).join(', ')
        await world.until(
          () => told().join(', ').endsWith(due),
          `the IDs of the ${round} session: ${told().join(', ')}`,
        )
      }
    },
  },
  {
    name: 'id-then-append',
    guarantee:
      'an ID and a login followed by the start of an APPEND: the ID does not become part of the mail',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const body = 'Subject: whole\r\n\r\nEvery byte of this is mine.\r\n'
      for (const isReuse of [false, true]) {
        const client = await world.connect()
        const tags = [client.tag(), client.tag(), client.tag()] as const
        const said = [
          `${tags[0]} ID ("name" "x")\r\n`,
          `${tags[1]} LOGIN ${user.name} ${user.secret}\r\n`,
          `${tags[2]} APPEND INBOX {${body.length}+}\r\n${body.slice(0, 20)}`,
        ]
        client.send(said.join(''))
        await client.reply(tags[0])
        await client.reply(tags[1])
        client.send(`${body.slice(20)}\r\n`)
        const append = await client.reply(tags[2])
        expect(append.status === 'OK', `APPEND was answered ${append.status} ${quote(append.text)}`)
        await client.command('LOGOUT')
        await settled(world.proxy)
        const stored = (await world.bodies(user)).at(-1) ?? ''
        expect(
          stored === body,
          `on a ${isReuse ? 'reused' : 'new'} connection, the mail became ${quote(stored)}`,
        )
      }
      await expectOwn(await world.login(user))
    },
  },
  {
    name: 'id-before-the-login',
    guarantee:
      'the IDs of a client reach a new server connection before its login, in order, and none reaches it twice',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const client = await world.connect()
      for (const id of ['("x-originating-ip" "203.0.113.77")', '("name" "webmail")'])
        await client.command(`ID ${id}`)
      sessionOf(client, user, await client.command(`LOGIN ${user.name} ${user.secret}`))
      await client.command('NOOP')
      const heard = world.dials().at(-1)!.received
      const at = ['203.0.113.77', '"webmail"', 'LOGIN '].map((words) => heard.indexOf(words))
      expect(
        at.every((index, place) => index >= 0 && (place === 0 || index > at[place - 1]!)),
        `the server heard ${quote(heard.replaceAll(user.secret, 'SECRET'))}`,
      )
      expect(heard.split('203.0.113.77').length === 2, 'the server heard the address twice')
    },
  },
  {
    name: 'words-around-a-login',
    guarantee:
      'what the server says to the user before it refuses a login, and behind its OK, reaches the client',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      let isRefusing = true
      world.stub.behave((command, connection) => {
        if (command.name !== 'LOGIN' && command.name !== 'AUTHENTICATE') return false
        connection.send(
          isRefusing
            ? `* NO [WEBALERT https://example.org/] Web login required\r\n${command.tag} NO [ALERT] Web login required\r\n`
            : `${command.tag} OK Logged in\r\n* OK [ALERT] Your disk is full\r\n`,
        )
        return true
      })
      const client = await world.connect()
      const refused = await client.command(`LOGIN ${user.name} ${user.secret}`)
      expect(
        refused.status === 'NO' && refused.untagged.join().includes('[WEBALERT https://example.org/]'),
        `the client got ${quote([...refused.untagged, refused.text].join('\r\n'))}`,
      )
      isRefusing = false
      const other = await world.connect()
      const login = await other.command(`LOGIN ${user.name} ${user.secret}`)
      expect(login.status === 'OK', `the login was answered ${quote(login.text)}`)
      const noop = await other.command('NOOP')
      expect(noop.untagged.join().includes('[ALERT] Your disk is full'), 'the ALERT behind the OK was lost')
    },
  },
  {
    name: 'rubbish',
    guarantee: 'garbage before login is answered BAD or ends the connection, and harms no other session',
    on: 'any',
    run: async (world) => {
      const rubbish = [
        '\u0000\u0001\u0002\u00ff\u00fe\r\n',
        '\r\n\r\n\r\n',
        '* OK hello\r\n+ NOOP\r\n',
        `${'('.repeat(10_000)}\r\n`,
        `a ID ${'('.repeat(10_000)}${')'.repeat(10_000)}\r\n`,
        `a LOGIN ${'"'.repeat(9999)}\r\n`,
        `${'t'.repeat(30_000)} NOOP\r\n`,
        'a\u0000b NOOP\r\n',
        'a LOGIN {3}\r\n',
        'a LOGIN {3+}\r\nab',
        'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
        '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
        'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\na NOOP\r\n',
        'a AUTHENTICATE PLAIN =\r\n',
        'a AUTHENTICATE PLAIN AAA=\r\n',
        'a AUTHENTICATE XOAUTH2 dXNlcg==\r\n',
      ]
      for (const bytes of rubbish) {
        const client = await world.connect()
        client.send(bytes)
        client.halfClose()
        await client.rest()
        await client.kill()
      }
      await expectOwn(await world.login(await world.user()))
    },
  },
]
