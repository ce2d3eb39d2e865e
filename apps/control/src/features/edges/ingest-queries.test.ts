/** What Postgres does for a batch of heartbeats: its work must grow with the number of heartbeats only. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import type { Presence } from '@imapfleet/protocol'
import postgres from 'postgres'
import type { Database } from '../../platform/db/database.ts'
import { testDatabase } from '../../platform/db/postgres.test-support.ts'
import { insertEdges, ofOtherBoots, updatePresence, type HeartbeatWrite } from './ingest-queries.ts'

const claims = {
  desiredClaimed: null,
  desiredVersion: null,
  foreign: [],
  configVersions: null,
  configRejectedVersions: null,
  revocationsApplied: 0,
}
const counters = Object.fromEntries(
  Array.from({ length: 60 }, (_, index) => [`sessions_total{ending="end-${index}"}`, index]),
)

suite('a batch of heartbeats', () => {
  let db: Database
  const edges = Array.from({ length: 300 }, (_, index) => ({ edge: `edge-${index}`, boot: randomUUID() }))
  const startedAt = Date.now()

  /** The heartbeats of all edges with this sequence number. */
  const beats = (sequence: number): HeartbeatWrite[] =>
    edges.map(({ edge, boot }) => {
      const said = { v: 1, edge, region: 'eu', boot, startedAt, at: startedAt + 5_000 * sequence, sequence }
      const state = { version: 'one', state: 'serving', config: { applied: 0 }, revocations: 0 }
      const rest = { gauges: { upstreams_idle: sequence }, counters, degraded: [], listeners: [] }
      const presence = { ...said, ...state, ...rest } as unknown as Presence
      return { presence, ageMs: 0, claims, expected: { boot, region: 'eu' }, otherBoots: undefined }
    })

  before(async () => {
    db = await testDatabase()
    await insertEdges(db, beats(1))
    await db.sql`analyze edges`
  })
  after(async () => await db?.close())

  test('each row is found by its key, without a comparison of all rows with all', async () => {
    const plans: Plan[] = []
    const session = postgres(db.address.url, {
      max: 1,
      onnotice: ({ message = '' }) => plans.push(...plansIn(message)),
    })
    try {
      await session.unsafe(
        // The plan that is used for a statement that runs again and again, whatever the size of the batch.
        `load 'auto_explain'; set plan_cache_mode = force_generic_plan; set auto_explain.log_min_duration = 0;
        set auto_explain.log_analyze = on; set auto_explain.log_format = json; set auto_explain.log_level = notice`,
      )
      const written = await updatePresence({ ...db, sql: session }, beats(2))
      assert.equal(written.length, edges.length)
    } finally {
      await session.end()
    }
    const update = plans.find(
      (plan) => sumOver(plan, (node) => Number(node['Node Type'] === 'ModifyTable')) > 0,
    )
    assert.ok(update, 'no plan of the update')
    const compared = sumOver(
      update,
      (node) => (node['Rows Removed by Join Filter'] ?? 0) * node['Actual Loops'],
    )
    assert.ok(compared <= edges.length, `${compared} rows were compared in vain`)
  })

  test('heartbeats that replace each other need no more space', async () => {
    const size = async () => {
      const [row] = await db.sql<{ bytes: number }[]>`select pg_total_relation_size('edges')::float8 as bytes`
      return row!.bytes
    }
    for (let sequence = 3; sequence <= 6; sequence++) await updatePresence(db, beats(sequence))
    const full = await size()
    for (let sequence = 7; sequence <= 46; sequence++) await updatePresence(db, beats(sequence))
    assert.ok((await size()) <= 1.5 * full, `${full} bytes have become ${await size()}`)
  })

  test('a heartbeat that another replica writes at the moment is left to it, and is not of another boot', async () => {
    const [first] = edges
    await db.sql.begin(async (tx) => {
      await tx`select from edges where id = ${first!.edge} for no key update`
      const written = await updatePresence(db, beats(100))
      const left = beats(100).filter(({ presence }) => !written.some(({ id }) => id === presence.edge))
      assert.deepEqual(
        left.map(({ presence }) => presence.edge),
        [first!.edge],
      )
      assert.deepEqual(await ofOtherBoots(db, left), [])
    })
    const [row] = await db.sql<
      { sequence: number }[]
    >`select sequence::float8 from edges where id = ${first!.edge}`
    assert.notEqual(row?.sequence, 100)
  })

  test('an edge without a row, of another boot, or from another region is told apart from a late heartbeat', async () => {
    const [first, second, third, fourth] = beats(1)
    const changed = (each: HeartbeatWrite, presence: Partial<Presence>) => ({
      ...each,
      presence: { ...each.presence, ...presence },
    })
    const others = [
      changed(first!, { edge: 'unknown' }),
      changed(second!, { boot: randomUUID() }),
      changed(third!, { region: 'us' }),
    ]
    assert.deepEqual(await updatePresence(db, [...others, fourth!].map(expectingItself)), [])
    assert.deepEqual(await ofOtherBoots(db, [...others, fourth!]), others)
  })
})

const expectingItself = (each: HeartbeatWrite): HeartbeatWrite => ({ ...each, expected: each.presence })

interface Plan {
  'Node Type': string
  'Actual Loops': number
  'Rows Removed by Join Filter'?: number
  Plans?: Plan[]
}

/** In the message of auto_explain. */
function plansIn(message: string): Plan[] {
  const json = /plan:\n(\{.*\})$/s.exec(message)?.[1]
  return json === undefined ? [] : [(JSON.parse(json) as { Plan: Plan }).Plan]
}

const sumOver = (node: Plan, of: (node: Plan) => number): number =>
  (node.Plans ?? []).reduce((sum, each) => sum + sumOver(each, of), of(node))
