/** Limits of real Courier and Cyrus: connections that are idle at the edge keep no user out. */
import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import type { Layer } from '@imapfleet/config'
import { startCourier, type CourierLimits } from '../support/courier-server.ts'
import { startCyrus } from '../support/cyrus-server.ts'
import { debianRootMissing } from '../support/debian-root.ts'
import { edgeFor } from '../support/stub-edge.ts'

const users = ['joe', 'jane', 'jim', 'jack', 'jill'].map((user) => ({ user, password: 'secret' }))
/** The server is asked at once, and often enough to see that no attempt fails. */
const upstream: Layer = { connectAttempts: 1, connectTimeoutMs: 2000 }

/** Sessions of each user in turn, three times, with these commands in turn. Returns the answers that were not OK. */
async function visits(t: TestContext, port: number, commands: string[]): Promise<string[]> {
  const edge = await edgeFor(t, port, { upstreams: { main: upstream } })
  const refused: string[] = []
  for (const [at, { user }] of [...users, ...users, ...users].entries()) {
    const client = await edge.client()
    const { status, text } = await client.command(`LOGIN ${user} secret`)
    if (status !== 'OK') refused.push(`${user}: ${text}`)
    else {
      await client.command(commands[at % commands.length]!)
      await client.command('LOGOUT')
    }
    await client.close()
  }
  return refused
}

suite('Courier', { skip: debianRootMissing('courier') }, () => {
  const limits: Record<string, CourierLimits> = {
    'connections from one address': { perAddressMax: 3 },
    'connections in total': { connectionsMax: 3 },
  }
  for (const [what, limit] of Object.entries(limits))
    test(`with a limit on ${what}, five users log in one after the other although each leaves an idle connection`, async (t) => {
      const courier = await startCourier(users, limit)
      t.after(() => courier.stop())
      assert.deepEqual(await visits(t, courier.port, ['NOOP']), [])
    })
})

suite('Cyrus', { skip: debianRootMissing('cyrus') }, () => {
  for (const settings of ['maxlogins_per_user: 2\n', 'maxlogins_per_host: 3\n'])
    test(`${settings.trim()}: sessions that enable an extension, and those of other users, all get in`, async (t) => {
      const cyrus = await startCyrus(users, settings)
      t.after(() => cyrus.stop())
      assert.deepEqual(
        await visits(t, cyrus.port, ['ENABLE CONDSTORE', 'ENABLE QRESYNC', 'NOOP', 'NOOP']),
        [],
      )
    })
})
