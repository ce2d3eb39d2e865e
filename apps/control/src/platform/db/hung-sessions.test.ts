/** On a real Postgres. A replica that hangs is a connection through a relay that stops. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { openDatabase, type Database } from './database.ts'
import { terminateHung } from './hung-sessions.ts'
import { testDatabase } from './postgres.test-support.ts'

suite('the session of a replica that hangs', () => {
  let here: Database
  before(async () => (here = await testDatabase()))
  after(() => here?.close())

  /** Forwards everything until `hang`. Then nothing that Postgres says arrives. */
  async function relayTo(port: number) {
    const sockets: Socket[] = []
    let isHung = false
    const server = createServer((near) => {
      const far = connect(port, '127.0.0.1')
      sockets.push(near, far)
      for (const socket of [near, far]) socket.on('error', () => socket.destroy())
      near.on('data', (data) => far.write(data)).on('close', () => far.destroy())
      far.on('data', (data) => isHung || near.write(data)).on('close', () => near.destroy())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return {
      port: (server.address() as AddressInfo).port,
      hang: () => void (isHung = true),
      close: () => {
        for (const socket of sockets) socket.destroy()
        server.close()
      },
    }
  }

  const waiting = async () => {
    const rows = await here.sql<{ state: string }[]>`
      select state from pg_stat_activity
      where application_name = 'imapfleet-control web-2/7' and wait_event = 'ClientRead' and xact_start is not null`
    return rows.map(({ state }) => state)
  }

  test('is ended while Postgres waits for the parameters of a statement, and its locks with it', async (t) => {
    const url = new URL(here.address.url)
    const relay = await relayTo(Number(url.port))
    t.after(() => relay.close())
    url.port = String(relay.port)
    const there = openDatabase({ ...here.address, url: url.href }, 'imapfleet-control web-2/7')
    t.after(() => there.close())

    const lost = there.sql.begin(async (tx) => {
      await tx`select desired_version from fleet for update`
      relay.hang()
      await tx`select ${'parameter'}::text`
    })
    lost.catch(() => {})
    while (!(await waiting()).includes('active')) await here.sql`select pg_sleep(0.01)`

    // Healthy sessions: one is idle in a transaction, one runs a statement.
    const sleeping = here.sql`select pg_sleep(0.5)`.execute()
    await here.sql.begin(async (tx) => {
      await tx`select 1`
      assert.deepEqual(await terminateHung(here, 60_000), [], 'it has not waited for long')
      assert.deepEqual(await terminateHung(here, 0), [
        { application: 'imapfleet-control web-2/7', host: '127.0.0.1' },
      ])
      await tx`select 1`
    })
    await sleeping
    // The lock is free.
    await here.sql`select desired_version from fleet for update`
    relay.close()
    await assert.rejects(lost)
  })
})
