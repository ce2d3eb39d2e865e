/** Bytes pass unchanged: 8-bit data, very long lines, literals, text that looks like IMAP. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { messagesFor } from '@imapfleet/local'
import { TestFleet } from '../support/fleet.ts'

suite('bytes', () => {
  let fleet: TestFleet
  before(async () => (fleet = await TestFleet.start()))
  after(() => fleet?.stop())

  /** The only literal in a FETCH response, as bytes. */
  const literalOf = (untagged: string[]): Buffer => {
    const match = /\{(\d+)\}\r\n/.exec(untagged[0] ?? '')
    assert.ok(match, `no literal in ${untagged[0]?.slice(0, 80)}`)
    const begin = match.index + match[0].length
    return Buffer.from((untagged[0] ?? '').slice(begin, begin + Number(match[1])), 'latin1')
  }

  for (const reuse of ['new', 'reused'])
    test(`every mail of a mailbox arrives as it is stored, over a ${reuse} connection`, async () => {
      const { user, password } = fleet.alice
      const stored = messagesFor(user, 'demo').filter(({ folder }) => folder === 'INBOX')
      const client = await fleet.client(fleet.eu)
      const login = await client.command(`LOGIN ${user} ${password}`)
      assert.equal(login.untagged.join('').includes('XPROXYREUSE'), reuse === 'reused')
      await client.command('SELECT INBOX')
      for (const [index, { content }] of stored.entries()) {
        const { status, untagged } = await client.command(`FETCH ${index + 1} BODY.PEEK[]`)
        assert.equal(status, 'OK')
        // deepEqual would print megabytes of differences.
        assert.ok(literalOf(untagged).equals(content), `mail ${index + 1} differs`)
      }
      await client.command('LOGOUT')
      await client.rest()
    })

  test('an appended mail is stored as it was sent, with every form of literal', async () => {
    const { user, password } = fleet.bob
    const bytes = Array.from({ length: 256 }, (_, value) => value).filter(
      (value) => ![0, 10, 13].includes(value),
    )
    const body = Buffer.from([...bytes, ...Buffer.from(`\r\n${'y'.repeat(70_000)}\r\na1 LOGOUT\r\n{3}\r\n`)])
    const mail = Buffer.concat([Buffer.from('Subject: appended\r\n\r\n'), body])
    const client = await fleet.client(fleet.eu)
    await client.command(`LOGIN ${user} ${password}`)

    const tag = client.tag()
    client.send(`${tag} APPEND "INBOX" {${mail.length}}\r\n`)
    await client.invitation()
    client.send(`${mail.toString('latin1')}\r\n`)
    assert.equal((await client.reply(tag)).status, 'OK')
    const plus = await client.command(`APPEND INBOX {${mail.length}+}\r\n${mail.toString('latin1')}`)
    assert.equal(plus.status, 'OK')
    await client.command('LOGOUT')

    const direct = await fleet.client('dovecot')
    await direct.command(`LOGIN ${user} ${password}`)
    const select = await direct.command('SELECT INBOX')
    assert.ok(select.untagged.includes('* 11 EXISTS'), select.untagged.join('\n'))
    for (const number of [10, 11])
      assert.ok(literalOf((await direct.command(`FETCH ${number} BODY.PEEK[]`)).untagged).equals(mail))
    await direct.command('LOGOUT')
  })

  test('pipelined commands are answered in order, and names in any form reach the server', async () => {
    const { user, password } = fleet.carol
    const client = await fleet.client(fleet.us)
    await client.command(`LOGIN {${user.length}+}\r\n${user} "${password}"`)
    const tags = [client.tag(), client.tag(), client.tag()]
    client.send(
      `${tags[0]} SELECT "Archive.Two words"\r\n${tags[1]} SELECT {12+}\r\nEntw&APw-rfe\r\n` +
        `${tags[2]} FETCH 1 BODY.PEEK[TEXT]\r\n`,
    )
    for (const tag of tags.slice(0, 2)) assert.equal((await client.reply(tag)).status, 'OK')
    const text = await client.reply(tags[2] ?? '')
    assert.equal(literalOf(text.untagged).toString(), 'Dear\r\n')
    await client.command('LOGOUT')
  })
})
