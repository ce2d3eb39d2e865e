import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { Database } from '../../platform/db/database.ts'
import { testDatabase } from '../../platform/db/postgres.test-support.ts'
import { wireVersion, type Presence } from '@imapfleet/protocol'
import { insertRevision } from '../config/queries.ts'
import { IssuedClaims, ownClaims } from './claims.ts'
import { forgetOldVersions, issueVersions, noteRestore, ownVersions, readFleet } from './queries.ts'
import { continueAbove, fleetProblems, reportForeignEdges } from './restores.ts'
import { changeFleet } from './service.ts'
import { Log } from '@imapfleet/observe'

const dayUs = 86_400_000_000
const nowUs = () => Date.now() * 1000
const log = new Log({ level: 'error', format: 'text' }, () => undefined)

suite('versions of the desired state', () => {
  let db: Database
  before(async () => (db = await testDatabase()))
  after(() => db?.close())

  const setVersion = async (version: number) => await db.sql`update fleet set desired_version = ${version}`
  const elevenMinutes = async () =>
    await db.sql`update fleet set restored_at = restored_at - interval '11 minutes'`
  const own = async (...versions: number[]) => [...(await ownVersions(db.sql, versions))]

  test('a version is the time of the change, and above all before', async () => {
    const start = nowUs()
    const first = await changeFleet(db, async (_, version) => version)
    assert.ok(first >= start - dayUs && first <= nowUs() + dayUs)
    assert.ok(Math.abs(first - nowUs()) < 60_000_000)
    const ahead = first + 30 * dayUs
    await setVersion(ahead)
    const next = await issueVersions(db.orm)
    assert.ok(next > ahead && next <= ahead + 1_000_000)
    await setVersion(1_700_000_000)
    assert.ok((await issueVersions(db.orm)) > first)
    const above = await issueVersions(db.orm, { above: ahead + dayUs })
    assert.ok(above > ahead + dayUs && above <= ahead + dayUs + 1_000_000)
  })

  test('versions ahead of the clock are not issued a second time after the restore of a dump', async () => {
    const dump = nowUs() + 30 * dayUs
    const history = async () => {
      await setVersion(dump)
      return [await issueVersions(db.orm), await issueVersions(db.orm), await issueVersions(db.orm)]
    }
    const lost = new Set(await history())
    assert.deepEqual(
      (await history()).filter((version) => lost.has(version)),
      [],
    )
    await setVersion(nowUs())
  })

  test('every version is recorded, also those of a replica that does not record them, and those of a change that fails are not', async () => {
    const first = await issueVersions(db.orm, { amount: 3 })
    assert.equal((await own(first, first + 1, first + 2, first + 3)).length, 3)
    // As a replica of an older release does.
    await db.sql`update fleet set desired_version = desired_version + 1`
    assert.deepEqual(await own(first + 3), [first + 3])
    let failed = 0
    await assert.rejects(
      changeFleet(db, async (_, version) => {
        failed = version
        throw new Error('no')
      }),
    )
    assert.deepEqual(await own(failed), [])
  })

  test('a revision has the version of its change, also if the writer does not name it', async () => {
    const made = await changeFleet(db, async (queries, version) => ({
      version,
      row: await insertRevision(queries, revisionOf(1)),
    }))
    assert.equal(made.row.version, made.version)
  })

  test('versions are forgotten after 400 days, and nothing is known of them then', async () => {
    const { desiredVersion } = await readFleet(db.orm)
    await db.sql`insert into desired_versions values (${nowUs() - 401 * dayUs}), (${nowUs() - 399 * dayUs})`
    await forgetOldVersions(db.orm)
    const [row] = await db.sql`select min(version)::float8 as oldest, count(*)::int from desired_versions`
    assert.ok(row?.['oldest'] > nowUs() - 400 * dayUs)
    const { versionsSince } = await readFleet(db.orm)
    assert.ok(versionsSince > nowUs() - 402 * dayUs && versionsSince < nowUs() - 400 * dayUs)
    const claim = async (version: number) => (await ownClaims(db, [presence({ version })]))[0]
    assert.deepEqual((await claim(versionsSince - 10))?.foreign, [])
    assert.deepEqual((await claim(versionsSince + 10))?.foreign, [versionsSince + 10])
    assert.deepEqual(await own(desiredVersion), [desiredVersion])
  })

  test('of what an edge says, only versions that this database issued for its own layers count', async () => {
    const { row: eu } = await changeFleet(db, async (queries) => ({
      row: await insertRevision(queries, { ...revisionOf(2), layerKind: 'region', layerName: 'eu' }),
    }))
    const version = await issueVersions(db.orm)
    const versions = { global: 0, region: eu.version, edge: version }
    const [known, moved, foreign, old] = await ownClaims(db, [
      presence({ version, versions }),
      presence({ version, versions, region: 'us' }),
      presence({ version: version + 77, versions: { global: 5, region: 5, edge: 0 } }),
      presence({}),
    ])
    assert.deepEqual(known, {
      desiredClaimed: version,
      desiredVersion: version,
      foreign: [],
      configVersions: { global: 0, region: eu.version, edge: null },
      configRejectedVersions: null,
      revocationsApplied: version,
    })
    assert.equal(moved?.configVersions?.region, null)
    assert.deepEqual(
      [foreign?.desiredVersion, foreign?.foreign, foreign?.configVersions, foreign?.revocationsApplied],
      [null, [version + 77], { global: null, region: null, edge: 0 }, 0],
    )
    assert.deepEqual([old?.desiredClaimed, old?.foreign, old?.configVersions], [null, [], null])
  })

  test('a version that was not issued here is noticed also if the edge had replaced it before it was heard', async () => {
    const [earlier, version] = [await issueVersions(db.orm), await issueVersions(db.orm)]
    const claims = async (replaced: number[]) => (await ownClaims(db, [presence({ version, replaced })]))[0]!
    assert.deepEqual((await claims([earlier])).foreign, [])
    const lost = version - 1
    const { foreign, desiredVersion, revocationsApplied } = await claims([earlier, lost])
    assert.deepEqual([foreign, desiredVersion, revocationsApplied], [[lost], version, version])
  })

  test('an edge without versions has applied revocations up to a sequence that was issued', async () => {
    const version = await issueVersions(db.orm)
    const applied = async (revocations: number) =>
      (await ownClaims(db, [{ ...presence({}), revocations }]))[0]?.revocationsApplied
    assert.equal(await applied(version), version)
    assert.equal(await applied(version + 1), 0)
    assert.equal(await applied(Number.MAX_SAFE_INTEGER), 0)
  })

  test('versions continue above those that edges run, but not above a claim that is far ahead of the clock', async () => {
    const deps = { db, log, now: Date.now }
    const { desiredVersion } = await readFleet(db.orm)
    const edge = (desiredClaimed: number | null, issued?: number) => ({
      ...{ id: 'eu-1', desiredClaimed, desiredVersion: issued ?? null },
    })
    const none = [edge(null), edge(desiredVersion, desiredVersion), edge(desiredVersion - 1)]
    assert.equal(await continueAbove(deps, [...none, edge(nowUs() + 400 * dayUs)], desiredVersion), false)
    assert.equal((await readFleet(db.orm)).desiredVersion, desiredVersion)
    const ahead = desiredVersion + 200 * dayUs
    assert.equal(await continueAbove(deps, [...none, edge(ahead), edge(ahead - 1)], desiredVersion), true)
    assert.ok((await readFleet(db.orm)).desiredVersion > ahead)
  })

  test('what this database issued is asked once, and again after the loss of a connection', async () => {
    let losses = 0
    const issued = new IssuedClaims({ sql: db.sql, losses: () => losses })
    const revision = { ...revisionOf(900), layerKind: 'edge', layerName: 'known-1' } as const
    const { version } = await changeFleet(db, async (queries) => await insertRevision(queries, revision))
    const layer = { kind: 'edge', name: 'known-1', version } as const
    const known = async () => [
      (await issued.versions([version])).has(version),
      (await issued.layers([layer])).size > 0,
    ]
    assert.deepEqual(await known(), [true, true])
    await db.sql`delete from layers where revision = 900`
    await db.sql`delete from revisions where version = ${version}`
    await db.sql`delete from desired_versions where version = ${version}`
    assert.deepEqual(await known(), [true, true])
    losses += 1
    assert.deepEqual(await known(), [false, false])
  })

  test('what it has issued is asked again after a short time, because an older dump may have been read into it', async () => {
    let now = 0
    const issued = new IssuedClaims({ sql: db.sql, losses: () => 0 }, () => now)
    const version = await issueVersions(db.orm)
    assert.deepEqual([...(await issued.versions([version]))], [version])
    await db.sql`delete from desired_versions where version = ${version}`
    now = 29_000
    assert.deepEqual([...(await issued.versions([version]))], [version])
    now = 30_000
    assert.deepEqual([...(await issued.versions([version]))], [])
  })

  test('what edges say is told once in ten minutes, and what the bucket shows as often as it is new', async () => {
    const told = async () =>
      (await db.sql`select after from audit where action = 'fleet.restore'`).map(({ after: facts }) => facts)
    const deps = { db, log, now: Date.now }
    await reportForeignEdges(deps, [])
    assert.equal((await told()).length, 0)
    const from = nowUs()
    for (const index of [0, 1, 2]) await reportForeignEdges(deps, [{ id: 'eu-1', versions: [from + index] }])
    assert.equal((await told()).length, 1)
    assert.match(String((await told())[0]?.evidence), /edges report .* \(eu-1\)/)
    assert.match((await fleetProblems(db.orm, Date.now())).join(), /restored .* \(eu-1\); changes since/)
    assert.deepEqual(await fleetProblems(db.orm, Date.now() + 25 * 3_600_000), [])
    const evidence = { text: 'bucket', from, to: from + 5 }
    assert.equal(await noteRestore(db.orm, evidence, undefined), false)
    const later = { ...evidence, to: (await readFleet(db.orm)).desiredVersion + 6 }
    assert.equal(await noteRestore(db.orm, later, undefined), true)
    assert.equal(await noteRestore(db.orm, later, undefined), false)
    const { desiredVersion } = await readFleet(db.orm)
    await reportForeignEdges(deps, [{ id: 'us-1', versions: [desiredVersion + 1] }])
    assert.equal((await told()).length, 1)
    await elevenMinutes()
    await reportForeignEdges(deps, [{ id: 'us-1', versions: [desiredVersion + 1] }])
    assert.equal((await told()).length, 2)
  })

  test('a restore is told once, however often and however late edges name its versions, and the next one again', async () => {
    const deps = { db, log, now: Date.now }
    const told = async () =>
      (await db.sql`select after from audit where action = 'fleet.restore' order by id`).map(
        ({ after: facts }) => facts,
      )
    const earlier = (await told()).length
    // The dump ends before these: the versions of the lost history lie between two that were issued here.
    const dumped = await issueVersions(db.orm)
    const [first, second] = [dumped + 1, dumped + 2]
    await elevenMinutes()
    await reportForeignEdges(deps, [
      { id: 'eu-1', versions: [first] },
      { id: 'eu-2', versions: [] },
    ])
    assert.equal((await told()).length, earlier + 1)
    assert.match(String((await told()).at(-1)?.evidence), /\(eu-1\)$/)
    // After the quiet time: the same edge still names it, and another one had applied a later version of that history.
    await elevenMinutes()
    await reportForeignEdges(deps, [
      { id: 'eu-1', versions: [first] },
      { id: 'us-1', versions: [second, first] },
    ])
    assert.equal((await told()).length, earlier + 1)
    const next = (await issueVersions(db.orm)) + 1
    await reportForeignEdges(deps, [
      { id: 'eu-1', versions: [first] },
      { id: 'us-1', versions: [next, second] },
    ])
    const last = (await told()).at(-1)
    assert.equal((await told()).length, earlier + 2)
    assert.match(String(last?.evidence), /\(us-1\)$/)
    assert.equal(Date.parse(last?.lostSince), Math.floor((next - 1) / 1000))
  })

  test('a claim that is far ahead of the clock raises no version, and hides no restore', async () => {
    const deps = { db, log, now: Date.now }
    await elevenMinutes()
    const { desiredVersion } = await readFleet(db.orm)
    await reportForeignEdges(deps, [{ id: 'us-9', versions: [nowUs() + 400 * dayUs] }])
    const { restoredAbove, desiredVersion: now } = await readFleet(db.orm)
    assert.ok(now > desiredVersion && now < desiredVersion + dayUs)
    assert.equal(restoredAbove, now)
  })
})

const revisionOf = (revision: number) => ({
  ...{ revision, layerKind: 'global' as const, layerName: '', document: {}, changes: [], note: '' },
  createdBy: 'ann',
})

const presence = ({
  version,
  replaced,
  versions,
  region = 'eu',
}: {
  version?: number
  replaced?: number[]
  versions?: Presence['config']['versions']
  region?: string
}): Presence => ({
  v: wireVersion,
  edge: 'eu-1',
  region,
  boot: '0191d5a0-0000-7000-8000-000000000001',
  at: 1,
  version: 'x',
  startedAt: 1,
  state: 'serving',
  ...(version !== undefined && { desired: { version, ...(replaced && { replaced }) } }),
  config: { applied: 1, ...(versions && { versions }) },
  revocations: 0,
  gauges: {},
  degraded: [],
  listeners: [],
})
