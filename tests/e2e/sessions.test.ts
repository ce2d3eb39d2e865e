/** Mail sessions through an edge to a real Dovecot: logins are saved, and no user gets data of another user. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { TestFleet } from '../support/fleet.ts'

suite('sessions', () => {
  let fleet: TestFleet
  before(async () => (fleet = await TestFleet.start()))
  after(() => fleet?.stop())

  test('LOGIN, SELECT, FETCH and LOGOUT work through the edge', async () => {
    const client = await fleet.client(fleet.eu)
    assert.equal((await client.command(`LOGIN ${fleet.bob.user} ${fleet.bob.password}`)).status, 'OK')
    const select = await client.command('SELECT INBOX')
    assert.equal(select.status, 'OK')
    assert.ok(select.untagged.includes('* 9 EXISTS'), select.untagged.join('\n'))
    const fetch = await client.command('FETCH 1 (BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
    assert.equal(fetch.status, 'OK')
    assert.match(fetch.untagged.join('\n'), /Subject: Welcome/)
    assert.equal((await client.command('LOGOUT')).status, 'OK')
    assert.equal(await client.rest(), '')
  })

  test('the second login of a user gets XPROXYREUSE, without a login at the mail server', async () => {
    const first = await fleet.session(fleet.eu, fleet.alice)
    assert.ok(!first.some((line) => line.includes('XPROXYREUSE')), first.join('\n'))
    assert.equal(await fleet.loginsAtServer(fleet.alice), 1)
    for (let again = 0; again < 5; again++) {
      const untagged = await fleet.session(fleet.eu, fleet.alice)
      assert.match(untagged.join('\n'), /^\* OK \[XPROXYREUSE\] /m)
    }
    assert.equal(await fleet.loginsAtServer(fleet.alice), 1)
  })

  test('each edge keeps its own idle connections', async () => {
    await fleet.warm(fleet.carol)
    const logins = await fleet.loginsAtServer(fleet.carol)
    for (let again = 0; again < 3; again++)
      for (const edge of [fleet.eu, fleet.us]) await fleet.session(edge, fleet.carol)
    assert.equal(await fleet.loginsAtServer(fleet.carol), logins)
  })

  test("a wrong password gets the server's own NO, and leaves the user's idle connection unchanged", async () => {
    await fleet.session(fleet.eu, fleet.alice)
    const logins = await fleet.loginsAtServer(fleet.alice)
    const direct = await fleet.client('dovecot')
    const expected = await direct.command(`LOGIN ${fleet.alice.user} wrong`)
    assert.equal(expected.status, 'NO')

    const client = await fleet.client(fleet.eu)
    const refused = await client.command(`LOGIN ${fleet.alice.user} wrong`)
    assert.deepEqual([refused.status, refused.text], [expected.status, expected.text])
    assert.ok(!refused.untagged.some((line) => line.includes('XPROXYREUSE')))

    const untagged = await fleet.session(fleet.eu, fleet.alice)
    assert.match(untagged.join('\n'), /^\* OK \[XPROXYREUSE\] /m)
    assert.equal(await fleet.loginsAtServer(fleet.alice), logins)
    await Promise.all([direct.kill(), client.kill()])
  })

  test('a user never gets the connection of another user', async () => {
    await fleet.session(fleet.eu, fleet.alice)
    const client = await fleet.client(fleet.eu)
    await client.command(`LOGIN ${fleet.bob.user} ${fleet.bob.password}`)
    await client.command('SELECT INBOX')
    const mail = await client.command('FETCH 1 (BODY.PEEK[TEXT])')
    assert.match(mail.untagged.join('\n'), /Hello bob,/)
    await client.command('LOGOUT')
  })

  test('two concurrent sessions of a user have a connection each', async () => {
    const clients = await Promise.all([fleet.client(fleet.us), fleet.client(fleet.us)])
    await Promise.all(
      clients.map((client) => client.command(`LOGIN ${fleet.bob.user} ${fleet.bob.password}`)),
    )
    const [one, other] = clients
    await one.command('SELECT Sent')
    await other.command('SELECT INBOX')
    const [sent, inbox] = await Promise.all(
      clients.map((client) => client.command('FETCH 1 (BODY.PEEK[HEADER.FIELDS (SUBJECT)])')),
    )
    assert.match(sent?.untagged.join('\n') ?? '', /Subject: Sent once/)
    assert.match(inbox?.untagged.join('\n') ?? '', /Subject: Welcome/)
    await Promise.all(clients.map((client) => client.command('LOGOUT')))
  })
})
