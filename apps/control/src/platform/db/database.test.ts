/** What a session of control holds in Postgres, and for how long. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { databaseBusy } from './blocked.ts'
import { openDatabase, type Database } from './database.ts'
import { testDatabase } from './postgres.test-support.ts'
import { troubleOf } from './trouble.ts'

suite('the sessions of control', () => {
  let db: Database
  let other: Database
  before(async () => {
    db = await testDatabase()
    other = openDatabase(db.address, 'imapfleet-control web-1/7')
  })
  after(async () => {
    await other?.close()
    await db?.close()
  })

  const setting = async (name: string) =>
    (await db.sql<{ value: string }[]>`select current_setting(${name}) as value`)[0]?.value

  test('have bounds on statements, locks and idle transactions', async () => {
    assert.equal(await setting('statement_timeout'), '20s')
    assert.equal(await setting('lock_timeout'), '4s')
    assert.equal(await setting('idle_in_transaction_session_timeout'), '8s')
    assert.equal(await setting('tcp_user_timeout'), '10000')
    assert.equal(await setting('tcp_keepalives_idle'), '10')
  })

  test('lose a transaction that is idle for too long, with its locks, and can start another one', async () => {
    const idle = other.sql.begin(async (tx) => {
      await tx`update fleet set desired_version = desired_version + 1`
      await tx`set local idle_in_transaction_session_timeout = '50ms'`
      // Waits for the lock of this transaction, which does nothing more: it is the one that hangs.
      await db.sql`update fleet set desired_version = desired_version + 100`
      await tx`select 1`
    })
    await assert.rejects(idle, (error) => troubleOf(error) === 'away')
    const [row] = await other.sql<{ version: string }[]>`
      select desired_version - extract(epoch from now())::bigint as version from fleet`
    assert.ok(Number(row?.version) > 50)
  })

  test('a change that waits too long for a lock is refused, with the transaction that holds it', async () => {
    await other.sql.begin(async (tx) => {
      await tx`update fleet set desired_version = desired_version + 1`
      const refused = await db.orm
        .transaction(async (queries) => {
          await queries.execute(`set local lock_timeout = '50ms'`)
          await queries.execute('update fleet set desired_version = 0')
        })
        .catch((error: unknown) => error)
      assert.equal(troubleOf(refused), 'busy')
      const { code, message } = await databaseBusy(db)
      assert.equal(code, 'database_busy')
      assert.match(
        message,
        /^imapfleet-control web-1\/7 \(process \d+ of Postgres, from 127\.0\.0\.1, idle in transaction\) has had a transaction open for \d+ s: /,
      )
    })
  })
})
