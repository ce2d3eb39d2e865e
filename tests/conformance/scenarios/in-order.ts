/** Replies are complete and in order, however the bytes are cut, and LOGOUT never overtakes earlier commands. */
import { expectOwn, logout, settled } from '../checks.ts'
import { expect, type Scenario } from '../scenario.ts'
import { quote } from '../wire.ts'

export const inOrder: Scenario[] = [
  {
    name: 'logout-at-once',
    guarantee: 'LOGOUT is answered immediately, even if the server takes long to reset',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      const session = await world.login(user)
      await session.client.command('SELECT INBOX')
      const gate = Promise.withResolvers<void>()
      world.stub.behave(async (command) => {
        if (command.name !== 'FETCH') await gate.promise
        return false
      })
      const reply = await session.client.command('LOGOUT')
      gate.resolve()
      expect(reply.status === 'OK', `LOGOUT was answered ${reply.status}`)
    },
  },
  {
    name: 'pipelined-logout',
    guarantee: 'a LOGOUT sent after other commands lets every earlier reply through, in order, then BYE (D4)',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      for (let round = 0; round < 3; round++) {
        const { client } = await world.login(user)
        const tags = Array.from({ length: 7 }, () => client.tag())
        const lines = [
          'NOOP',
          'SELECT INBOX',
          'FETCH 1:* BODY.PEEK[]',
          'SEARCH ALL',
          'FETCH 1 FLAGS',
          'UNSELECT',
          'LOGOUT',
        ]
        client.send(lines.map((line, at) => `${tags[at]} ${line}\r\n`).join(''))
        for (const [at, tag] of tags.entries()) {
          const reply = await client.reply(tag)
          expect(reply.status === 'OK', `${lines[at]} was answered ${reply.status} ${quote(reply.text)}`)
          const bodies = reply.untagged.filter((line) => line.includes(`This belongs to ${user.name}`))
          if (at === 2) expect(bodies.length === 3, `${bodies.length} of 3 mails came`)
          if (at === 6)
            expect(reply.untagged.at(-1)?.startsWith('* BYE') === true, 'no BYE before the reply to LOGOUT')
        }
        await client.rest()
      }
    },
  },
  {
    name: 'pipelined-logout-slow-server',
    guarantee:
      'a LOGOUT sent after a slow command waits for its reply, and nothing is left over for the next session (D4)',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      const { client } = await world.login(user)
      const [slow, noop, out] = [client.tag(), client.tag(), client.tag()]
      client.send(`${slow} SLOW\r\n${noop} NOOP\r\n${out} LOGOUT\r\n`)
      await world.until(() => world.stub.slow > 0, 'SLOW')
      world.stub.trigger()
      for (const tag of [slow, noop, out]) await client.reply(tag)
      await expectOwn(await world.login(user))
    },
  },
  {
    name: 'all-in-one-segment',
    guarantee:
      'a whole session sent in one segment, LOGIN and LOGOUT included, is answered in full and in order',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      for (let round = 0; round < 2; round++) {
        const client = await world.connect()
        const lines = [`LOGIN ${user.name} ${user.secret}`, 'SELECT INBOX', 'FETCH 2 BODY.PEEK[]', 'LOGOUT']
        const tags = lines.map(() => client.tag())
        client.send(lines.map((line, at) => `${tags[at]} ${line}\r\n`).join(''))
        const replies = []
        for (const tag of tags) replies.push(await client.reply(tag))
        expect(
          replies.every((reply) => reply.status === 'OK'),
          `answered ${quote(JSON.stringify(replies))}`,
        )
        expect(replies[2]?.untagged.join('').includes(`2 of ${user.name}`) === true, 'the mail did not come')
        await client.rest()
        await settled(world.proxy)
      }
    },
  },
  {
    name: 'one-byte-at-a-time',
    guarantee:
      'a session that arrives one byte at a time, literals included, works, and its connection is kept',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const { name, secret } = user
      const body = 'Subject: drop by drop\r\n\r\nx LOGOUT\r\n'
      const lines = [
        `LOGIN {${name.length}+}\r\n${name} {${secret.length}+}\r\n${secret}`,
        `APPEND INBOX {${body.length}+}\r\n${body}`,
        'SELECT INBOX',
        'FETCH 4 BODY.PEEK[]',
        'LOGOUT',
      ]
      for (let round = 0; round < 2; round++) {
        const client = await world.connect()
        for (const line of lines) {
          const tag = client.tag()
          await client.sendSlowly(`${tag} ${line}\r\n`)
          const reply = await client.reply(tag)
          expect(reply.status === 'OK', `${quote(line)} was answered ${reply.status} ${quote(reply.text)}`)
          if (line.startsWith('FETCH'))
            expect(reply.untagged.join('').includes(body), 'the mail came back otherwise')
        }
        await settled(world.proxy)
      }
      expect(world.dials().length === 1, `the server saw ${world.dials().length} logins`)
    },
  },
  {
    name: 'server-one-byte-at-a-time',
    guarantee:
      'a server that answers one byte at a time, literals included, is understood, and its connection is kept',
    on: 'stub',
    run: async (world) => {
      world.stub.dribble(true)
      const user = await world.user()
      for (let round = 0; round < 2; round++) {
        const session = await world.login(user)
        await expectOwn(session)
        await session.client.command('SELECT INBOX')
        const fetch = await session.client.command('FETCH 1:3 BODY.PEEK[]')
        expect(fetch.untagged.length === 3, `${fetch.untagged.length} of 3 mails came`)
        await logout(session)
        await settled(world.proxy)
      }
      expect(world.dials().length === 1, `the server saw ${world.dials().length} logins`)
    },
  },
  {
    name: 'large-mails',
    guarantee: 'an 8 MB mail is stored and fetched byte by byte unchanged, and the connection is kept',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const line = 'x LOGOUT {7}\r\n* BYE not really +}\r\n'
      const body = `Subject: large\r\n\r\n${line.repeat(Math.ceil((8 << 20) / line.length))}`
      const session = await world.login(user)
      const tag = session.client.tag()
      session.client.send(`${tag} APPEND INBOX {${body.length}+}\r\n${body}\r\n`)
      const append = await session.client.reply(tag)
      expect(append.status === 'OK', `APPEND was answered ${append.status} ${quote(append.text)}`)
      await session.client.command('SELECT INBOX')
      const fetch = await session.client.command('FETCH 4 BODY.PEEK[]')
      expect(fetch.untagged.join('').includes(body), 'the mail came back otherwise')
      await logout(session)
      await settled(world.proxy)
      await expectOwn(await world.login(user))
      expect(world.dials().length === 1, `the server saw ${world.dials().length} logins`)
    },
  },
]
