/** Leases, on a real Postgres. "A replica" is its name and its own connections. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { openDatabase, type Database } from '../db/database.ts'
import { testDatabase } from '../db/postgres.test-support.ts'
import { LeaseLost, readLeases, takeLease, withLease, type Lease } from './leases.ts'

suite('a lease', () => {
  let here: Database
  let there: Database
  before(async () => {
    here = await testDatabase()
    there = openDatabase(here.address)
    await here.sql`create table written (by text)`
  })
  after(async () => {
    await there?.close()
    await here?.close()
  })

  let number = 0
  const newName = () => `lease-${++number}`
  const take = async (db: Database, name: string): Promise<Lease> => {
    const lease = await takeLease(db, name, 'web-1/7')
    assert.ok(lease, `${name} is not free`)
    return lease
  }
  /** As if its time were over: the replica hung, or could not reach Postgres. */
  const expire = async (name: string) => {
    await here.sql`update leases set until = clock_timestamp() - interval '1 millisecond' where name = ${name}`
  }
  const write = async (lease: Lease, by: string) =>
    await lease.begin(async (tx) => void (await tx`insert into written values (${by})`))
  const written = async () => (await here.sql<{ by: string }[]>`select by from written`).map(({ by }) => by)

  test('it has one holder, until it is released', async () => {
    const name = newName()
    const lease = await take(here, name)
    assert.equal(await takeLease(there, name, 'web-2/7'), undefined)
    assert.equal(await takeLease(here, name, 'web-1/7'), undefined)
    await lease.release({ succeeded: true })
    await assert.rejects(lease.check(), LeaseLost)
    await (await take(there, name)).check()
  })

  test('of several replicas that want a new one at the same time, one gets it', async () => {
    const name = newName()
    const tries = await Promise.all(
      [here, there, here, there].map(async (db) => await takeLease(db, name, 'web-1/7')),
    )
    assert.equal(tries.filter((lease) => lease !== undefined).length, 1)
  })

  test('a holder whose time is over changes nothing, whether or not another one has taken it', async () => {
    const name = newName()
    const late = await take(here, name)
    await write(late, 'in time')
    await expire(name)
    await assert.rejects(write(late, 'late'), LeaseLost)
    await late.renew()
    await assert.rejects(write(late, 'late'), LeaseLost)
    const next = await take(there, name)
    await assert.rejects(write(late, 'late'), LeaseLost)
    await assert.rejects(
      late.transaction(async (tx) => void (await tx.execute(`insert into written values ('late')`))),
      LeaseLost,
    )
    // Nor does it end the lease of the next one.
    await late.release({ succeeded: true })
    await write(next, 'next')
    assert.deepEqual(await written(), ['in time', 'next'])
  })

  test('it is not taken while a transaction of its holder may still commit', async () => {
    const name = newName()
    const lease = await take(here, name)
    await lease.begin(async (tx) => {
      await expire(name)
      assert.equal(await takeLease(there, name, 'web-2/7'), undefined)
      await tx`select 1`
    })
    await take(there, name)
  })

  test('it is renewed also during a transaction of its holder', async () => {
    const name = newName()
    const lease = await take(here, name)
    const until = async () =>
      (await here.sql<{ until: Date }[]>`select until from leases where name = ${name}`)[0]!.until
    await here.sql`update leases set until = until - interval '5 seconds' where name = ${name}`
    const earlier = await until()
    await lease.begin(async () => await lease.renew())
    assert.ok((await until()).getTime() - earlier.getTime() > 4_000)
  })

  test('it is released after the work, which counts as done only if it did not fail', async () => {
    const name = newName()
    const replica = 'web-3/9'
    await here.sql`insert into leases (name, holder, succeeded_at) values (${name}, '', now() - interval '1 hour')`
    const age = async () => (await readLeases(here)).find((lease) => lease.name === name)
    const run = async (work: () => Promise<void>) => await withLease({ db: here, replica }, name, work)
    await assert.rejects(
      run(async () => await Promise.reject(new Error('x'))),
      /^Error: x$/,
    )
    const failed = await age()
    assert.deepEqual([failed?.holder, Math.round(failed!.ageMs / 60_000)], [replica, 60])
    assert.equal(await run(async () => {}), true)
    assert.ok((await age())!.ageMs < 60_000)
  })

  test('work is left to the replica that holds the lease', async () => {
    const name = newName()
    await withLease({ db: here, replica: 'web-1/7' }, name, async () => {
      const isRun = await withLease({ db: there, replica: 'web-2/7' }, name, async () => assert.fail('ran'))
      assert.equal(isRun, false)
    })
  })

  test('a caller that waits gets it when it is free', async () => {
    const name = newName()
    const lease = await take(here, name)
    const waiting = withLease({ db: there, replica: 'web-2/7' }, name, async () => {}, { waitMs: 30_000 })
    await lease.release({ succeeded: true })
    assert.equal(await waiting, true)
  })
})
