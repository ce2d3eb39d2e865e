/** Readiness: whether Postgres accepts writes. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chownSync, closeSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import {
  layGround,
  natsServer,
  removeTemporaryDirectory,
  temporaryDirectory,
} from '@imapfleet/local/in-tests'
import { readAccess } from '@imapfleet/nats'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { openDatabase, type Database } from '../db/database.ts'
import { troubleOf } from '../db/trouble.ts'
import { Bus } from '../nats/bus.ts'
import { checkPostgres, Health } from './health.ts'

suite('readiness', () => {
  let deps: TestDeps
  before(async () => {
    deps = await testDeps()
  })
  after(async () => await deps?.db.close())

  const nameOf = ({ address }: Database) => address.url.slice(address.url.lastIndexOf('/') + 1)

  test('a Postgres that accepts writes is ready, and the test leaves nothing behind', async () => {
    assert.equal(await checkPostgres(deps), 'ok')
    assert.equal((await deps.db.sql`select * from write_test`).length, 0)
  })

  test('a backup in progress, which locks every table for reading, does not disturb the test', async () => {
    const other = openDatabase(deps.db.address)
    try {
      await other.sql.begin(async (tx) => {
        await tx`lock table write_test in access share mode`
        assert.equal(await checkPostgres(deps), 'ok')
      })
    } finally {
      await other.close()
    }
  })

  test('a read-only Postgres is not ready, and says why; reading works', async () => {
    const { sql } = deps.db
    await sql`alter database ${sql(nameOf(deps.db))} set default_transaction_read_only = on`
    const db = openDatabase(deps.db.address)
    try {
      const report = await new Health({ ...deps, db }).report()
      assert.deepEqual([report.ready, report.postgres], [false, 'read-only'])
      await db.sql`select * from tokens`
      await assert.rejects(
        db.sql`update fleet set desired_version = 0`,
        (error) => troubleOf(error) === 'read-only',
      )
    } finally {
      await db.close()
      await sql`alter database ${sql(nameOf(deps.db))} set default_transaction_read_only = off`
    }
  })

  test('a Postgres without our tables is not ready', async () => {
    const { sql, address } = deps.db
    await sql`create database empty`
    const db = openDatabase({ ...address, url: address.url.replace(/[^/]+$/, 'empty') })
    try {
      assert.match(await checkPostgres({ db }), /fleet/)
    } finally {
      await db.close()
    }
  })

  test('a Postgres whose disk is full is not ready until there is space again; reading works', async (context) => {
    const disk = temporaryDirectory('small-disk')
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', disk], { stdio: 'ignore' })
    } catch {
      await removeTemporaryDirectory(disk)
      return context.skip('only root can mount a small disk')
    }
    const filling = `${disk}/filling`
    let db: Database | undefined
    try {
      const { sql, address } = deps.db
      const [data] = await sql<{ directory: string }[]>`select current_setting('data_directory') as directory`
      const { uid, gid } = statSync(data!.directory)
      mkdirSync(`${disk}/postgres`)
      chownSync(disk, uid, gid)
      chownSync(`${disk}/postgres`, uid, gid)
      await sql.unsafe(`create tablespace small location '${disk}/postgres'`)
      await sql.unsafe(`create database full_disk template migrated tablespace small strategy file_copy`)
      db = openDatabase({ ...address, url: address.url.replace(/[^/]+$/, 'full_disk') })
      assert.equal(await checkPostgres({ db }), 'ok')
      fill(filling)
      assert.equal(await checkPostgres({ db }), 'full')
      await db.sql`select * from tokens`
      const large = db.sql`insert into tokens (id, name, hash, role, scopes, created_by)
        select gen_random_uuid(), repeat('n', 1000), n::text, 'viewer', '[]', 'x' from generate_series(1, 1000) n`
      await assert.rejects(large, (error) => troubleOf(error) === 'full')
      rmSync(filling)
      assert.equal(await checkPostgres({ db }), 'ok')
    } finally {
      await db?.close()
      await deps.db.sql.unsafe('drop database if exists full_disk')
      await deps.db.sql.unsafe('drop tablespace if exists small')
      execFileSync('umount', [disk], { stdio: 'ignore' })
      await removeTemporaryDirectory(disk)
    }
  })

  test('an answer is repeated for two seconds, so that asking often costs nothing, and one that is not ready for less', async () => {
    const server = await natsServer({ ground: layGround(temporaryDirectory('nats-health')) })
    const read = readAccess([server.url], { tokenFile: server.tokenFile }, (key) => key)
    assert.ok(read.ok)
    const bus = new Bus({ ...deps.bus.options, access: read.access }, deps.log)
    const from = deps.now()
    try {
      const health = new Health({ ...deps, bus })
      const [first, second] = [health.report(), health.report()]
      assert.equal(await first, await second)
      assert.equal((await first).ready, false)
      await server.process?.start()
      bus.open()
      await bus.whenUp(AbortSignal.timeout(60_000))
      deps.setNow(from + 199)
      assert.equal(await health.report(), await first)
      deps.setNow(from + 200)
      const third = await health.report()
      assert.equal(third.ready, true)
      deps.setNow(from + 2_199)
      assert.equal(await health.report(), third)
      deps.setNow(from + 2_200)
      assert.notEqual(await health.report(), third)
    } finally {
      deps.setNow(from)
      await bus.close()
      await server.process?.stop()
    }
  })
})

/** Writes until there is no space left. */
function fill(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (const block = Buffer.alloc(65_536); ;) writeSync(file, block)
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
  } finally {
    closeSync(file)
  }
}
