/** The loss of a connection at any moment ends the statements on it, and not the process. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { openClient } from './client.ts'
import type { Database } from './database.ts'
import { testDatabase } from './postgres.test-support.ts'
import { troubleOf } from './trouble.ts'

suite('a Postgres client', () => {
  let db: Database
  before(async () => (db = await testDatabase()))
  after(async () => await db?.close())

  test('that loses its connection at the first statement reports it, and uses a new one', async (t) => {
    const relay = await relayTo(Number(new URL(db.address.url).port))
    t.after(relay.close)
    const url = new URL(db.address.url)
    url.port = String(relay.port)
    const sql = openClient(url.href, { max: 1, backoff: () => 0.01 })
    t.after(async () => await sql.end({ timeout: 1 }))
    const statements = {
      statement: () => sql`select 1 as one`,
      transaction: () => sql.begin(async (tx) => await tx`select 1 as one`),
    }
    for (const [name, statement] of Object.entries(statements)) {
      relay.cutAtStatement = true
      await assert.rejects(statement(), (error) => troubleOf(error) === 'away', name)
      relay.cutAtStatement = false
      assert.equal((await statement())[0]?.['one'], 1, name)
      await relay.cut()
    }
  })

  test('whose session Postgres has ended does not report that again after it has reconnected', async (t) => {
    const sql = openClient(db.address.url, { max: 1, backoff: () => 0.01 })
    t.after(async () => await sql.end({ timeout: 1 }))
    const statements = {
      tagged: () => sql`select 1 as one`,
      text: () => sql.unsafe('select $1::int as one', [1]),
      transaction: () => sql.begin(async (tx) => await tx`select 1 as one`),
    }
    for (const [name, statement] of Object.entries(statements)) {
      const [{ pid }] = await sql<[{ pid: number }]>`select pg_backend_pid() as pid`
      const slept = assert.rejects(sql`select pg_sleep(20)`, (error) => troubleOf(error) === 'away', name)
      const isAtWork = async () =>
        (await db.sql`select from pg_stat_activity where pid = ${pid} and query like '%pg_sleep%'`).length > 0
      while (!(await isAtWork()));
      await db.sql`select pg_terminate_backend(${pid})`
      await slept
      assert.equal((await statement())[0]?.['one'], 1, name)
    }
  })

  test('sends arrays of the types that control uses, with any text', async () => {
    const texts = ['', 'null', 'a,b', '{}', 'quote "', 'back \\ slash', ' spaces ', 'ü\n']
    const rows = await db.sql<Record<string, unknown>[]>`
      select * from unnest(${texts}::text[], ${[1, 2.5]}::float8[], ${[7, null]}::int[], ${[2 ** 40]}::bigint[],
        ${['0b7d31a2-6c5c-4d5a-9a0a-6b2c1f0f4a11']}::uuid[]) as item (t, f, i, b, u)`
    assert.deepEqual(
      rows.map(({ t }) => t),
      texts,
    )
    assert.deepEqual(
      rows.slice(0, 2).map(({ f, i, b, u }) => [f, i, b, u]),
      [
        [1, 7, '1099511627776', '0b7d31a2-6c5c-4d5a-9a0a-6b2c1f0f4a11'],
        [2.5, null, null, null],
      ],
    )
    assert.deepEqual([...(await db.sql`select 1 where 'a' = any(${[] as string[]}::text[])`)], [])
  })
})

/** A relay to Postgres that can reset a connection as soon as the client sends a statement on it. */
async function relayTo(port: number) {
  const clients = new Set<ReturnType<typeof connect>>()
  const relay = {
    port: 0,
    cutAtStatement: false,
    cut: async () => {
      const ends = [...clients].map(async (client) => await once(client.resetAndDestroy(), 'close'))
      await Promise.all(ends)
    },
    close: () => void server.close(),
  }
  const server = createServer((client) => {
    const postgres = connect(port, '127.0.0.1')
    let isReady = false
    clients.add(client)
    client.on('data', (bytes) => {
      if (isReady && relay.cutAtStatement) client.resetAndDestroy()
      else postgres.write(bytes)
    })
    postgres.on('data', (bytes) => {
      // ReadyForQuery, which ends the startup: Z, four bytes of length, and the state.
      isReady ||= bytes.at(-6) === 'Z'.charCodeAt(0)
      client.write(bytes)
    })
    client.on('close', () => {
      clients.delete(client)
      postgres.destroy()
    })
    postgres.on('close', () => client.destroy())
    for (const socket of [client, postgres]) socket.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  relay.port = (server.address() as AddressInfo).port
  return relay
}
