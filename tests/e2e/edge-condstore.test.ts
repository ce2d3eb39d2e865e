/**
 * Webmails that enable CONDSTORE by a command, on real Dovecot: their pages share one login, and no other client of the
 * same user is affected. The commands come from SnappyMail 2.38 and Roundcube 1.6.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { LoneEdge } from '../support/lone-edge.ts'
import { MailServer } from '../support/mail-server.ts'
import { MailSocket, type ImapAnswer } from '../support/mail-socket.ts'

const password = 'many pages'
const names = ['snappy', 'cube', 'both', 'stopped', 'quoted']
const users = names.map((user) => ({ user, password, mailbox: 'small' as const }))

/** One page of a webmail: tags and login as its program writes them. Returns the answers to the commands. */
type Page = (user: string, commands: string[]) => Promise<ImapAnswer[]>

suite('CONDSTORE by a command, on Dovecot', () => {
  let server: MailServer
  let edge: LoneEdge
  before(async () => {
    server = await MailServer.start(users)
    edge = await LoneEdge.start(server.port, { pool: { selectCache: 'exact' } })
  })
  after(async () => {
    await edge?.stop()
    await server?.stop()
  })

  const program =
    (tagOf: (number: number) => string, login: (user: string) => string): Page =>
    async (user, commands) => {
      const client = await MailSocket.greeted({ port: edge.edge.imapPort })
      const answers: ImapAnswer[] = []
      for (const [index, command] of [login(user), ...commands, 'LOGOUT'].entries()) {
        const tag = tagOf(index + 1)
        client.send(`${tag} ${command}\r\n`)
        const answer = await client.reply(tag)
        assert.equal(answer.status, 'OK', `${command}: ${answer.text}`)
        answers.push(answer)
      }
      await client.close()
      return answers.slice(1, -1)
    }

  const plainOf = (user: string) => Buffer.from(`\0${user}\0${password}`).toString('base64')
  const snappymail = program(
    (number) => `TAG${number}`,
    (user) => `AUTHENTICATE PLAIN ${plainOf(user)}`,
  )
  const roundcube = program(
    (number) => `A${String(number).padStart(4, '0')}`,
    (user) => `AUTHENTICATE PLAIN ${plainOf(user)}`,
  )
  const plain = program(
    (number) => `a${number}`,
    (user) => `LOGIN ${user} "${password}"`,
  )

  const status = 'STATUS "INBOX" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY HIGHESTMODSEQ)'
  const refresh = ['SELECT INBOX', 'UID FETCH 1:3 (FLAGS) (CHANGEDSINCE 1)']
  const change = ['SELECT INBOX', 'STORE 1 +FLAGS (\\Flagged)', 'STORE 1 -FLAGS (\\Flagged)']
  const hasModSeq = (answers: ImapAnswer[]) =>
    answers.some(({ untagged }) => untagged.some((line) => /FETCH .*MODSEQ/.test(line)))

  test("five pages of SnappyMail cost one login, and another client's flags come without MODSEQ", async () => {
    for (let page = 1; page <= 5; page++) {
      const [told] = await snappymail('snappy', [status])
      assert.match(told!.untagged.join(' '), /HIGHESTMODSEQ \d+/)
    }
    assert.equal(await server.logins('snappy'), 1)
    for (let page = 1; page <= 3; page++) assert.equal(hasModSeq(await plain('snappy', change)), false)
    assert.equal(await server.logins('snappy'), 2)
    // Of the same program, a page with other commands is warm too.
    assert.equal(hasModSeq(await snappymail('snappy', change)), true)
    await snappymail('snappy', [status])
    assert.equal(await server.logins('snappy'), 2)
  })

  test('four refreshes of Roundcube with CHANGEDSINCE cost one login, its other pages between them included', async () => {
    for (let page = 1; page <= 4; page++) {
      await roundcube('cube', refresh)
      await roundcube('cube', ['SELECT INBOX', 'UID SEARCH ALL', 'UID FETCH 1 (UID RFC822.SIZE FLAGS)'])
      await roundcube('cube', ['STATUS INBOX (MESSAGES UNSEEN)'])
    }
    assert.equal(await server.logins('cube'), 1)
    const { counters } = await edge.stats()
    const refused = Object.entries(counters).filter(([name]) => name.startsWith('reuse_refused_total{'))
    assert.deepEqual(refused, [])
  })

  test('two webmails and a plain client of one user in turn: each is warm, and the plain one sees no MODSEQ', async () => {
    const round = async () => {
      await snappymail('both', [status])
      assert.equal(hasModSeq(await plain('both', change)), false)
      await roundcube('both', [...refresh])
      assert.equal(hasModSeq(await plain('both', change)), false)
    }
    await round()
    const logins = await server.logins('both')
    assert.ok(logins <= 3, `${logins} logins`)
    for (let more = 0; more < 3; more++) await round()
    assert.equal(await server.logins('both'), logins)
  })

  test('a program that has stopped using CONDSTORE gets a clean connection again', async () => {
    await snappymail('stopped', [status])
    let pages = 0
    while (hasModSeq(await snappymail('stopped', change)))
      assert.ok(++pages <= 100, 'too many pages with MODSEQ')
    assert.equal(hasModSeq(await snappymail('stopped', change)), false)
    assert.equal(await server.logins('stopped'), 2)
  })

  test('a mailbox with the name of an extension is not taken for it', async () => {
    await plain('quoted', ['CREATE "MODSEQ"', 'CREATE "CONDSTORE"'])
    for (let page = 1; page <= 3; page++) {
      await plain('quoted', ['STATUS "MODSEQ" (UNSEEN)', 'SELECT "CONDSTORE"'])
      assert.equal(hasModSeq(await plain('quoted', change)), false)
    }
    assert.equal(await server.logins('quoted'), 1)
  })
})
