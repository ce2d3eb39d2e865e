/** Heartbeats in a real Postgres, as they arrive. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import type { Presence } from '@imapfleet/protocol'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { noLimits } from '../../platform/access.ts'
import { halvesOf, recordPresence, sortOut } from './ingest.ts'
import { listCountingEdges } from './queries.ts'

const dayMs = 86_400_000

suite('heartbeats', () => {
  let deps: TestDeps
  let ids = 0
  before(async () => {
    deps = await testDeps()
  })
  after(async () => await deps?.db.close())

  /** A new edge. */
  function newEdge() {
    const edge = `edge-${++ids}`
    const heardAs = (said: Partial<Presence>, ageMs = 0) => {
      const at = Date.now()
      const presence = {
        ...{ v: 1, edge, region: 'eu', boot: said.boot ?? '', at, startedAt: at - 10_000, version: 'one' },
        ...{
          state: 'serving',
          config: { applied: 0 },
          revocations: 0,
          gauges: {},
          degraded: [],
          listeners: [],
        },
        ...said,
      } as unknown as Presence
      return { presence, ageMs }
    }
    const beat = async (said: Partial<Presence> = {}, ageMs = 0) =>
      await recordPresence(deps, [heardAs(said, ageMs)])
    /** They arrive together. */
    const beats = async (...all: Partial<Presence>[]) =>
      await recordPresence(
        deps,
        all.map((said) => heardAs(said)),
      )
    const row = async () => {
      const found = (await listCountingEdges(deps.db.orm, noLimits)).find(({ id }) => id === edge)
      assert.ok(found, edge)
      return found
    }
    /** Passes time for this edge. */
    const later = async (ms: number) =>
      void (await deps.db.sql`
        update edges set last_seen_at = last_seen_at - ${ms} * interval '1 millisecond',
          other_boots = (select coalesce(jsonb_agg(jsonb_set(each, '{seenAt}', to_jsonb((each->>'seenAt')::float8 - ${ms}))), '[]')
            from jsonb_array_elements(other_boots) as each)
        where id = ${edge}`)
    return { edge, beat, beats, row, later }
  }

  test('an edge whose clock was put back within a boot goes on being heard, and its skew is shown', async () => {
    const { beat, row } = newEdge()
    const boot = randomUUID()
    await beat({ boot, sequence: 1, version: 'before' })
    for (const sequence of [2, 3]) {
      const at = Date.now() - dayMs
      await beat({ boot, sequence, at, startedAt: at - 20_000, version: 'after' })
    }
    const { version, clockSkewMs, lastSeenAt } = await row()
    assert.equal(version, 'after')
    assert.ok(Math.abs(clockSkewMs! + dayMs) < 1_000, `${clockSkewMs}`)
    assert.ok(Math.abs(lastSeenAt.getTime() - Date.now()) < 5_000)
  })

  test('an edge of an older version, which does not number its heartbeats, is heard after its clock was put back', async () => {
    const { beat, row } = newEdge()
    const boot = randomUUID()
    await beat({ boot })
    await beat({ boot, at: Date.now() - 60_000, version: 'put back' })
    assert.equal((await row()).version, 'put back')
    // A heartbeat that another replica has delayed does not replace a newer one.
    await beat({ boot, at: Date.now() - 62_000, version: 'delayed' })
    assert.equal((await row()).version, 'put back')
  })

  test('a late heartbeat of the same boot changes nothing, even if its clock was ahead', async () => {
    const { beat, row } = newEdge()
    const boot = randomUUID()
    await beat({ boot, sequence: 7, version: 'seven' })
    await beat({ boot, sequence: 6, version: 'six', at: Date.now() + 1_000 })
    assert.equal((await row()).version, 'seven')
  })

  test('a replica of an older version, which does not write the sequence, does not make a new boot silent', async () => {
    const { edge, beat, row } = newEdge()
    await beat({ boot: randomUUID(), sequence: 500 })
    const boot = randomUUID()
    await deps.db.sql`update edges set boot = ${boot}, sent_at = now() - interval '5 s' where id = ${edge}`
    await beat({ boot, sequence: 2, version: 'two' })
    assert.equal((await row()).version, 'two')
  })

  test('one delayed heartbeat does not change the skew; a clock that was set does', async () => {
    const { beat, row } = newEdge()
    const boot = randomUUID()
    const skew = async () => Math.abs(Math.round((await row()).clockSkewMs! / 1000))
    await beat({ boot, sequence: 1 })
    assert.equal(await skew(), 0)
    await beat({ boot, sequence: 2, at: Date.now() - 40_000 })
    assert.equal(await skew(), 0)
    await beat({ boot, sequence: 3 })
    assert.equal(await skew(), 0)
    for (const sequence of [4, 5]) await beat({ boot, sequence, at: Date.now() + 40_000 })
    assert.equal(await skew(), 40)
    // Time that a heartbeat waited in control does not count.
    await beat({ boot: randomUUID(), sequence: 1, at: Date.now() - 30_000 }, 30_000)
    assert.equal(await skew(), 0)
  })

  test('the start of an edge is shown by the clock of the database', async () => {
    const { beat, row } = newEdge()
    const at = Date.now() + dayMs
    await beat({ boot: randomUUID(), sequence: 1, at, startedAt: at - 60_000 })
    const age = Date.now() - (await row()).startedAt.getTime()
    assert.ok(Math.abs(age - 60_000) < 2_000, `${age}`)
  })

  test('two instances are told once, in the row and in the log, and their counters are not mixed', async () => {
    const { edge, beat, row, later } = newEdge()
    const [one, two] = [randomUUID(), randomUUID()]
    const counters = (count: number) => ({ 'sessions_total{ending="logout"}': count })
    const startedAt = Date.now()
    for (let sequence = 1; sequence <= 6; sequence++) {
      const said = { sequence, startedAt, at: startedAt + 5_000 * sequence }
      await beat({ ...said, boot: one, counters: counters(1_000 * sequence) })
      await later(2_500)
      await beat({ ...said, boot: two, counters: counters(sequence) })
      await later(2_500)
    }
    const { boot, otherBoots, counted, countedBefore } = await row()
    assert.equal(boot, two)
    assert.deepEqual(
      otherBoots.map(({ boot: other, beats }) => [other, beats]),
      [[one, 5]],
    )
    assert.equal(counted?.counters['sessions_total{ending="logout"}'], 6)
    assert.equal(countedBefore?.counters['sessions_total{ending="logout"}'], 5)
    const lines = deps.lines.filter((line) => line.includes(edge))
    assert.equal(lines.filter((line) => line.includes('two processes use the same edge id')).length, 1)
    // Each boot has started once.
    assert.equal(lines.filter((line) => line.includes('edges started')).length, 2)
  })

  test('two heartbeats in quick succession are no base for a rate', async () => {
    const { beat, row } = newEdge()
    const boot = randomUUID()
    const startedAt = Date.now() - 100_000
    const counters = (count: number) => ({ 'sessions_total{ending="logout"}': count })
    let sequence = 0
    const said = async (uptime: number, count: number) =>
      await beat({ boot, sequence: ++sequence, startedAt, at: startedAt + uptime, counters: counters(count) })
    const interval = async () => {
      const { counted, countedBefore } = await row()
      return [countedBefore?.uptimeMs, counted?.uptimeMs]
    }
    await said(5_000, 10)
    await said(10_000, 20)
    assert.deepEqual(await interval(), [5_000, 10_000])
    // A change of the configuration makes the edge send one early.
    await said(10_003, 21)
    assert.deepEqual(await interval(), [5_000, 10_003])
    await said(15_000, 30)
    assert.deepEqual(await interval(), [10_003, 15_000])
    // A base does not stay for ever if all of them are early.
    for (const uptime of [
      16_000, 17_000, 18_000, 19_000, 20_000, 21_000, 22_000, 23_000, 24_000, 25_000, 26_000,
    ])
      await said(uptime, 31)
    const [from = 0, to = 0] = await interval()
    assert.ok(to - from <= 15_000, `${from} to ${to}`)
  })

  test('a heartbeat without counters acknowledges, and leaves the base for rates as it is', async () => {
    const { beat, row } = newEdge()
    const boot = randomUUID()
    const startedAt = Date.now() - 100_000
    const counters = { 'sessions_total{ending="logout"}': 7 }
    const said = (sequence: number, uptime: number) => ({ sequence, startedAt, at: startedAt + uptime })
    await beat({ boot, ...said(1, 5_000), counters })
    await beat({ boot, ...said(2, 10_000), counters })
    const regular = await row()
    await beat({ boot, ...said(3, 14_000), config: { applied: 9 }, gauges: { clients_connected: 3 } })
    const { configApplied, gauges, ...others } = await row()
    assert.deepEqual([configApplied, gauges], [9, { clients_connected: 3 }])
    assert.deepEqual([others.countedBefore, others.counted], [regular.countedBefore, regular.counted])
    await beat({ boot, ...said(4, 15_000), counters })
    const next = await row()
    assert.deepEqual([next.countedBefore?.uptimeMs, next.counted?.uptimeMs], [10_000, 15_000])
    // What another boot has counted is no base.
    await beat({ boot: randomUUID(), sequence: 1, startedAt: startedAt + 1 })
    const started = await row()
    assert.deepEqual([started.countedBefore, started.counted], [null, null])
  })

  test('what a heartbeat has counted is kept if the acknowledgement after it arrives with it', async () => {
    const { edge, beat, beats, row } = newEdge()
    const boot = randomUUID()
    const startedAt = Date.now() - 100_000
    const counters = (count: number) => ({ counters: { 'sessions_total{ending="logout"}': count } })
    const said = (sequence: number, uptime: number) => ({
      ...{ boot, sequence, startedAt, at: startedAt + uptime, config: { applied: sequence } },
    })
    const stored = async () => {
      const { configApplied, counted, countedBefore } = await row()
      const [figures] = await deps.db.sql`
        select uptime_ms::int as now, uptime_before_ms::int as before from edges where id = ${edge}`
      assert.deepEqual(figures, { now: counted?.uptimeMs ?? null, before: countedBefore?.uptimeMs ?? null })
      return [configApplied, countedBefore?.uptimeMs, counted?.uptimeMs]
    }
    await beats({ ...said(1, 5), ...counters(1) }, said(2, 40))
    assert.deepEqual(await stored(), [2, undefined, 5])
    // Another replica has stored the first of them.
    await beats({ ...said(2, 40), ...counters(1) }, said(3, 50))
    assert.deepEqual(await stored(), [3, undefined, 5])
    await beats({ ...said(4, 5_005), ...counters(2) }, said(5, 5_010), said(6, 5_020))
    assert.deepEqual(await stored(), [6, 5, 5_005])
    await beat({ ...said(7, 10_005), ...counters(3) })
    await beats({ ...said(7, 10_005), ...counters(3) }, said(8, 10_010))
    assert.deepEqual(await stored(), [8, 5_005, 10_005])
    // What another boot has counted does not count.
    await beats(
      { ...said(9, 15_005), ...counters(4) },
      { ...said(1, 5), boot: randomUUID(), startedAt: startedAt + 20_000, at: startedAt + 20_005 },
    )
    const { counted, countedBefore } = await row()
    assert.deepEqual([countedBefore, counted], [null, null])
  })

  test('several boots of one edge in one batch are placed one after the other', async () => {
    const { edge, row } = newEdge()
    const at = Date.now()
    const heard = ['first', 'second', 'third'].map((version) => ({
      ageMs: 0,
      presence: {
        ...{ v: 1, edge, region: 'eu', boot: randomUUID(), at, startedAt: at, version, sequence: 1 },
        ...{
          state: 'serving',
          config: { applied: 0 },
          revocations: 0,
          gauges: {},
          degraded: [],
          listeners: [],
        },
      } as unknown as Presence,
    }))
    await recordPresence(deps, heard)
    const { version, otherBoots } = await row()
    assert.equal(version, 'third')
    assert.equal(otherBoots.length, 2)
  })
})

test('many heartbeats are stored in two parts, and all of one edge are in the same part, in their order', () => {
  const beat = (edge: string, ageMs: number) => ({ presence: { edge } as Presence, ageMs })
  const heard = Array.from({ length: 300 }, (_, index) => beat(`edge-${index % 150}`, index))
  const parts = halvesOf(heard)
  assert.deepEqual(
    parts.map(({ length }) => length),
    [150, 150],
  )
  const partOf = new Map<string, number>()
  for (const [index, part] of parts.entries())
    for (const { presence } of part) {
      assert.equal(partOf.get(presence.edge) ?? index, index)
      partOf.set(presence.edge, index)
    }
  for (const part of parts)
    assert.deepEqual(
      part.map(({ ageMs }) => ageMs),
      part.map(({ ageMs }) => ageMs).toSorted((one, other) => one - other),
    )
  assert.deepEqual(halvesOf(heard.slice(0, 100)), [heard.slice(0, 100)])
})

test('if an edge changes its version within one batch, only its last heartbeats are stored', () => {
  const foreign = (edge: string) => ({ foreign: { v: 2, edge, region: 'eu' } })
  const ours = (edge: string) => ({ presence: { edge } as Presence, arrivedAt: performance.now() })
  const sorted = sortOut([foreign('down'), ours('up'), foreign('other'), ours('down'), foreign('up')])
  assert.deepEqual(
    sorted.heard.map(({ presence }) => presence.edge),
    ['up', 'down'],
  )
  assert.deepEqual(
    sorted.foreign.map(({ edge }) => edge),
    ['other', 'up'],
  )
})
