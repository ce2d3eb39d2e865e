/** Orders and their answers, on a real Postgres. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import type { OrderedEdge } from '@imapfleet/api'
import { noLimits } from '../../platform/access.ts'
import type { Database } from '../../platform/db/database.ts'
import { testDatabase } from '../../platform/db/postgres.test-support.ts'
import { addAnswers, finishOrder, findOrder, insertOrder, selectAnswers, selectOrders } from './queries.ts'

suite('answers of orders', () => {
  let db: Database
  before(async () => (db = await testDatabase()))
  after(() => db?.close())

  const newOrder = async () => {
    const id = randomUUID()
    const at = new Date()
    const order = {
      id,
      givenBy: 'ann',
      at,
      expiresAt: at,
      target: { kind: 'all' },
      action: { kind: 'newlog' },
      ...{ region: null, domain: null },
    } as const
    assert.deepEqual((await insertOrder(db.orm, order))?.counts, none)
    return id
  }
  const none = { answered: 0, failed: 0, silent: 0 }
  const answered = (id: string): OrderedEdge => ({
    id,
    region: 'eu',
    status: 'answered',
    reason: null,
    result: {},
  })
  const missed = (id: string, status: 'failed' | 'silent'): OrderedEdge => ({
    ...{ id, region: 'eu', status, reason: 'no', result: null },
  })
  const idsOf = (answers: readonly OrderedEdge[]) => answers.map(({ id }) => id)

  test('a list has the number of answers of each status, and never the answers', async () => {
    const id = await newOrder()
    await finishOrder(db.orm, id, new Date(), [answered('a'), answered('b'), missed('c', 'failed')])
    const [row] = await selectOrders(db.orm, noLimits, { limit: 1 })
    assert.deepEqual(row?.counts, { answered: 2, failed: 1, silent: 0 })
    assert.ok(row && !('edges' in row))
  })

  test('the answers of each stage are added and counted, and the later answer of an edge counts', async () => {
    const id = await newOrder()
    await addAnswers(db.orm, id, [answered('a'), missed('b', 'silent')])
    await addAnswers(db.orm, id, [answered('b'), missed('c', 'failed')])
    assert.deepEqual((await findOrder(db.orm, noLimits, id))?.counts, { answered: 2, failed: 1, silent: 0 })
    assert.deepEqual(idsOf(await selectAnswers(db.orm, id)), ['a', 'b', 'c'])
  })

  test('answers are read page by page, in the order in which they were stored', async () => {
    const id = await newOrder()
    const all = ['z', 'b', 'y', 'a', 'c']
    await finishOrder(db.orm, id, new Date(), all.map(answered))
    assert.deepEqual(idsOf(await selectAnswers(db.orm, id, { limit: 2 })), ['z', 'b'])
    assert.deepEqual(idsOf(await selectAnswers(db.orm, id, { limit: 2, before: 'b' })), ['y', 'a'])
    assert.deepEqual(idsOf(await selectAnswers(db.orm, id, { limit: 2, before: 'a' })), ['c'])
    assert.deepEqual(idsOf(await selectAnswers(db.orm, id)), all)
    assert.deepEqual(await selectAnswers(db.orm, await newOrder()), [])
  })

  test('the answers that were stored first stay', async () => {
    const id = await newOrder()
    const first = await finishOrder(db.orm, id, new Date(1_000), [answered('a')])
    assert.deepEqual([first?.finishedAt, first?.counts.answered], [new Date(1_000), 1])
    assert.equal(await finishOrder(db.orm, id, new Date(2_000), [missed('a', 'silent')]), undefined)
    assert.deepEqual(await selectAnswers(db.orm, id), [answered('a')])
  })

  test('answers that an earlier version stored are counted', async () => {
    const id = await newOrder()
    await finishOrder(db.orm, id, new Date(), [answered('a'), missed('b', 'silent')])
    await db.sql`update orders set counts = null where id = ${id}`
    assert.deepEqual((await findOrder(db.orm, noLimits, id))?.counts, { answered: 1, failed: 0, silent: 1 })
  })
})
