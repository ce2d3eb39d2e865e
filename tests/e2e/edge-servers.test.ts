/**
 * An edge before real Cyrus and Courier, which differ from Dovecot in what they announce and refuse. Each check compares a
 * session through the edge with one that speaks to the server directly.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { startCourier } from '../support/courier-server.ts'
import { startCyrus } from '../support/cyrus-server.ts'
import { debianRootMissing, type RootServer } from '../support/debian-root.ts'
import { LoneEdge } from '../support/lone-edge.ts'
import { MailSocket, type ImapAnswer } from '../support/mail-socket.ts'
import { until } from '../support/until.ts'

const password = 'one of the stock'
const users = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'].map((user) => ({ user, password }))
const mail = 'Subject: one\r\n\r\nbody\r\n'
const append = `APPEND INBOX {${mail.length}}\r\n`

for (const { name, start } of [
  { name: 'cyrus', start: () => startCyrus(users) },
  { name: 'courier', start: () => startCourier(users) },
] as const)
  suite(`an edge before ${name}`, { skip: debianRootMissing(name) }, () => {
    let server: RootServer
    let edge: LoneEdge
    before(async () => {
      server = await start()
      edge = await LoneEdge.start(server.port)
    })
    after(async () => {
      await edge?.stop()
      await server?.stop()
    })

    const directly = () => MailSocket.greeted({ port: server.port })

    const figures = async () => {
      const { counters } = await edge.stats()
      const of = (counter: string) => counters[`${counter}{upstream="main"}`] ?? 0
      return { opened: of('upstream_connections_total'), reused: of('upstream_reuses_total') }
    }

    /** One session through the edge, whose connection is at rest afterwards. */
    async function session(user: string, ...commands: string[]): Promise<ImapAnswer[]> {
      const client = await edge.client()
      const login = await client.command(`LOGIN ${user} "${password}"`)
      assert.equal(login.status, 'OK', login.text)
      const answers = []
      for (const command of commands) answers.push(await client.command(command))
      await client.command('LOGOUT')
      await client.close()
      await atRest()
      return answers
    }

    const atRest = () =>
      until('all connections at rest', async () => {
        const { gauges } = await edge.stats()
        return gauges['upstreams_leased'] === 0 && gauges['upstreams_resetting'] === 0
      })

    /** Runs two sessions. The second one must use the connection of the first. */
    async function inTurn(user: string, first: string[], second: string[]): Promise<ImapAnswer[]> {
      await session(user, ...first)
      const earlier = await figures()
      const answers = await session(user, ...second)
      assert.deepEqual(await figures(), { opened: earlier.opened, reused: earlier.reused + 1 })
      return answers
    }

    async function deliver(user: string): Promise<void> {
      const client = await directly()
      await client.command(`LOGIN ${user} "${password}"`)
      client.send(`a ${append}`)
      assert.match(await client.line(), /^\+/)
      client.send(`${mail}\r\n`)
      await until('the answer to APPEND', async () => (await client.line()).startsWith('a OK'))
      await client.close()
    }

    test('a session reuses the connection of a session that selected a mailbox, and finds nothing selected', async () => {
      await deliver('alice')
      const [fetch] = await inTurn('alice', ['SELECT INBOX', 'FETCH 1 FLAGS'], ['FETCH 1 FLAGS'])
      assert.notEqual(fetch!.status, 'OK')
      assert.deepEqual(fetch!.untagged, [])
    })

    test('a mailbox that was selected before a SELECT that failed does not reach the next session', async () => {
      await deliver('bob')
      const [fetch] = await inTurn('bob', ['SELECT INBOX', 'SELECT nosuch'], ['FETCH 1 FLAGS'])
      assert.notEqual(fetch!.status, 'OK')
      assert.deepEqual(fetch!.untagged, [])
    })

    test('a connection is kept after a SELECT that failed with nothing selected', async () => {
      const [fetch] = await inTurn('erin', ['SELECT nosuch'], ['FETCH 1 FLAGS'])
      assert.notEqual(fetch!.status, 'OK')
    })

    test("SnappyMail's pages reuse a connection from the third one on, whatever the server can enable", async () => {
      const page = async () => {
        const client = await edge.client()
        const offers = (extension: string) => client.greeting.includes(` ${extension}`)
        const commands = [
          `LOGIN "frank" "${password}"`,
          ...(offers('UTF8=ACCEPT') ? ['ENABLE UTF8=ACCEPT'] : []),
          `STATUS "INBOX" (MESSAGES UNSEEN${offers('CONDSTORE') ? ' HIGHESTMODSEQ' : ''})`,
          'LOGOUT',
        ]
        for (const [index, command] of commands.entries()) {
          client.send(`TAG${index + 1} ${command}\r\n`)
          const { status, text } = await client.reply(`TAG${index + 1}`)
          assert.equal(status, 'OK', `${command}: ${text}`)
        }
        await client.close()
        await atRest()
      }
      for (const _ of [1, 2]) await page()
      const { opened } = await figures()
      for (const _ of [3, 4, 5]) await page()
      assert.equal((await figures()).opened, opened)
    })

    test('the answers to ID, before and after login, new and reused, are those of the server', async () => {
      const client = await directly()
      const expected = await client.command('ID ("name" "webmail")')
      await client.close()
      for (let round = 0; round < 2; round++) {
        const edged = await edge.client()
        const first = await edged.command('ID ("name" "webmail")')
        await edged.command(`LOGIN carol "${password}"`)
        const second = await edged.command('ID ("name" "webmail")')
        await edged.command('LOGOUT')
        await edged.close()
        for (const answer of [first, second])
          assert.deepEqual(
            { status: answer.status, untagged: answer.untagged },
            { status: expected.status, untagged: expected.untagged },
          )
      }
    })

    test('the capabilities after login are those of the server, without those that the edge does not support', async () => {
      const client = await directly()
      await client.command(`LOGIN dave "${password}"`)
      const list = ({ untagged }: ImapAnswer) =>
        untagged
          .find((line) => line.startsWith('* CAPABILITY'))!
          .split(' ')
          .slice(2)
      const expected = list(await client.command('CAPABILITY'))
      await client.close()
      for (let round = 0; round < 2; round++) {
        const [answer] = await session('dave', 'CAPABILITY')
        assert.deepEqual(
          list(answer!),
          expected.filter(
            (word) => !/^(COMPRESS=|UNAUTHENTICATE$|LOGINDISABLED$|MAILBOX-REFERRALS$)/.test(word),
          ),
        )
      }
    })
  })
