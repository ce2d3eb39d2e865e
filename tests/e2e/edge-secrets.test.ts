/** Passwords that change at Dovecot: the old one ends at its first use, or at the first use of the new one. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { LoneEdge } from '../support/lone-edge.ts'
import { MailServer } from '../support/mail-server.ts'
import type { MailSocket } from '../support/mail-socket.ts'
import { until } from '../support/until.ts'

const names = ['ann', 'ben', 'cat', 'dan', 'eve', 'fay']
const users = names.map((user) => ({ user, password: 'first', mailbox: 'small' as const }))

suite('changed passwords', () => {
  let server: MailServer
  let edge: LoneEdge
  before(async () => {
    // App passwords: Dovecot asks the second file if the first one has another password.
    server = await MailServer.start(users, async ({ directory }) => {
      const file = join(directory, 'app-passwords')
      await writeFile(file, 'fay:{PLAIN}app-password\n', { mode: 0o644 })
      return `passdb {\n  driver = passwd-file\n  args = ${file}\n}`
    })
    edge = await LoneEdge.start(server.port)
  })
  after(async () => {
    await edge?.stop()
    await server?.stop()
  })

  /** `warm`, `judged` by the server, or `refused`. */
  const opened = async (user: string, password: string): Promise<[MailSocket, string]> => {
    const client = await edge.client()
    const { status, untagged } = await client.command(`LOGIN ${user} ${password}`)
    if (status !== 'OK') return [client, 'refused']
    await client.command('SELECT INBOX')
    return [client, untagged.join().includes('XPROXYREUSE') ? 'warm' : 'judged']
  }
  const page = async (user: string, password: string): Promise<string> => {
    const [client, how] = await opened(user, password)
    await client.command('LOGOUT')
    await client.close()
    return how
  }
  /** Resolves when every connection is idle, or leased to a session of the test. */
  const settled = () =>
    until('the connections to be idle', async () => {
      const { gauges } = await edge.stats()
      const inUse = ['dialing', 'leased', 'resetting'].map((state) => gauges[`upstreams_${state}`] ?? 0)
      return inUse.reduce((sum, count) => sum + count) === sessions
    })
  let sessions = 0
  const pages = async (user: string, ...passwords: string[]) => {
    const ways = []
    for (const password of passwords) {
      ways.push(await page(user, password))
      await settled()
    }
    return ways
  }

  test('after the new password was accepted, the old one is refused', async () => {
    assert.deepEqual(await pages('ann', 'first', 'first'), ['judged', 'warm'])
    await server.setPassword('ann', 'second')
    assert.deepEqual(await pages('ann', 'second', 'first', 'first'), ['judged', 'refused', 'refused'])
    assert.deepEqual(await pages('ann', 'second'), ['warm'])
  })

  test('after a second session with the old password was refused, it opens no warm connection either', async () => {
    assert.deepEqual(await pages('ben', 'first'), ['judged'])
    await server.setPassword('ben', 'second')
    const [one, first] = await opened('ben', 'first')
    const [two, second] = await opened('ben', 'first')
    assert.deepEqual([first, second], ['warm', 'refused'])
    for (const client of [one, two]) {
      await client.command('LOGOUT')
      await client.close()
    }
    await settled()
    assert.deepEqual(await pages('ben', 'first', 'second', 'second'), ['refused', 'judged', 'warm'])
  })

  test('a session that began before the change and ends after it leaves no idle connection', async () => {
    const [session] = await opened('cat', 'first')
    sessions = 1
    await server.setPassword('cat', 'second')
    assert.deepEqual(await pages('cat', 'second'), ['judged'])
    assert.equal((await session.command('NOOP')).status, 'OK', 'it continues')
    sessions = 0
    await session.command('LOGOUT')
    await session.close()
    await settled()
    assert.deepEqual(await pages('cat', 'first', 'second'), ['refused', 'warm'])
  })

  test('a wrong password closes nothing', async () => {
    assert.deepEqual(await pages('dan', 'first', 'wrong', 'wrong', 'First', 'first'), [
      'judged',
      'refused',
      'refused',
      'refused',
      'warm',
    ])
  })

  test('after a password is changed back, the server checks the next login with it', async () => {
    assert.deepEqual(await pages('eve', 'first'), ['judged'])
    await server.setPassword('eve', 'second')
    assert.deepEqual(await pages('eve', 'second', 'first'), ['judged', 'refused'])
    await server.setPassword('eve', 'first')
    assert.deepEqual(await pages('eve', 'first', 'first'), ['judged', 'warm'])
    assert.deepEqual(await pages('eve', 'second'), ['refused'])
  })

  test('two app passwords in turn cost one more login, and then both are warm', async () => {
    const turns = ['first', 'app-password', 'first', 'app-password', 'first', 'app-password']
    assert.deepEqual(await pages('fay', ...turns), ['judged', 'judged', 'judged', 'warm', 'warm', 'warm'])
  })
})
