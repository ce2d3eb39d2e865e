/** Credentials of edges: shown once, not stored, and invalid immediately after they are revoked. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, suite, test } from 'node:test'
import type { ControlProcess } from '@imapfleet/local'
import { connectOnce, credentialsAuthenticator } from '@imapfleet/nats'
import { errors } from '@nats-io/transport-node'
import type { AuditEntry, EdgeView, EnrolmentMade, EnrolmentView, ProblemDetails } from '@imapfleet/api'
import { Plane } from '../support/plane.ts'
import { until } from '../support/until.ts'

suite('credentials of edges', () => {
  let plane: Plane
  let replica: ControlProcess
  before(async () => {
    plane = await Plane.start({ perEdge: true })
    replica = await plane.replica()
  })
  after(() => plane?.stop())

  const enroll = async (id: string, region = 'eu', of = plane.control) => {
    const answer = await plane.api(`/v1/edges/${id}/enrolments`, { body: { region }, of })
    return { status: answer.status, body: answer.body as EnrolmentMade & ProblemDetails }
  }
  const revoke = async (id: string, of = plane.control, query = '') => {
    const answer = await plane.api(`/v1/edges/${id}/enrolments${query}`, { method: 'DELETE', of })
    return { status: answer.status, ...(answer.body as { enrolments: EnrolmentView[]; code?: string }) }
  }
  /** Whether NATS accepts this credential. */
  const opens = async ({ credentials }: { credentials: string }): Promise<boolean> => {
    const authenticator = credentialsAuthenticator(credentials)
    try {
      const nats = await connectOnce({ servers: [plane.nats.url], authenticator }, 'test')
      await nats.close()
      return true
    } catch (error) {
      assert.ok(error instanceof errors.AuthorizationError, String(error))
      return false
    }
  }

  test('a credential is shown once and not stored, and the record says who made it', async () => {
    const { status, body } = await enroll('eu-1')
    assert.equal(status, 201)
    assert.ok(await opens(body))
    const keyed = await fetch(`${plane.control.api}/v1/edges/eu-1/enrolments`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${plane.token}`,
        'content-type': 'application/json',
        'idempotency-key': 'once',
      },
      body: JSON.stringify({ region: 'eu' }),
    })
    const second = (await keyed.json()) as EnrolmentMade
    const tables = ['enrolments', 'audit', 'idempotency']
    const rows = await Promise.all(
      tables.map(async (table) => await plane.sql`select * from ${plane.sql(table)}`),
    )
    const log = await readFile(plane.control.process.logFile, 'utf8')
    for (const { credentials } of [body, second]) {
      const seed = /^SU[A-Z2-7]{56}$/m.exec(credentials)?.[0] ?? assert.fail('it holds no seed')
      const jwt = /^ey.*$/m.exec(credentials)?.[0] ?? assert.fail('it holds no JWT')
      for (const secret of [seed, jwt])
        assert.ok(!JSON.stringify(rows).includes(secret) && !log.includes(secret))
    }
    const audit = (await plane.api('/v1/audit?action=edge.enroll')).body as { entries: AuditEntry[] }
    const [, entry] = audit.entries
    assert.deepEqual(
      [entry?.actor, entry?.target, entry?.after],
      ['tests', 'edge/eu-1', { key: body.key, region: 'eu', expiresAt: null }],
    )
    const listed = (await plane.api('/v1/enrolments?edge=eu-1&limit=1')).body as {
      enrolments: EnrolmentView[]
    }
    assert.deepEqual([listed.enrolments[0]?.key, listed.enrolments[0]?.createdBy], [second.key, 'tests'])
  })

  test('only an admin can make or revoke one, and an edge is in one region only', async () => {
    const operator = await plane.control.createToken('op', 'operator')
    for (const method of ['POST', 'DELETE'])
      assert.equal(
        (await plane.api('/v1/edges/eu-1/enrolments', { method, token: operator, body: { region: 'eu' } }))
          .status,
        403,
      )
    assert.equal((await plane.api('/v1/enrolments', { token: operator })).status, 403)
    const elsewhere = await enroll('eu-1', 'us')
    assert.deepEqual([elsewhere.status, elsewhere.body.code], [409, 'edge_enrolled'])
    assert.equal((await enroll('EU*1')).status, 400)
    assert.equal((await enroll('eu-1', 'e.u')).status, 400)
    const unknown = await revoke('nobody')
    assert.deepEqual([unknown.status, unknown.code], [404, 'enrolment_unknown'])
  })

  test('a revoked edge is disconnected immediately and cannot connect again, and others stay', async () => {
    const [edge, other] = [await plane.edge('eu', 'cut-1'), await plane.edge('eu', 'stay-1')]
    for (const each of [edge, other]) each.beat({ heartbeatMs: 60_000 })
    const ends = until('the end of its connection', async () => {
      for await (const status of edge.nats.status())
        if (status.type === 'error' && /Revoked/.test(status.error.message)) return true
    })
    const { status, enrolments } = await revoke('cut-1', replica)
    assert.deepEqual([status, enrolments.length], [200, 1])
    assert.ok(enrolments[0]?.enforcedAt)
    await ends
    const credentials = await readFile(`${plane.nats.keys?.edgesDirectory}/cut-1.creds`, 'utf8')
    assert.equal(await opens({ credentials }), false)
    await other.send(other.report({}))
    assert.ok(!other.nats.isClosed())
    const shown = (await plane.api('/v1/edges/cut-1')).body as EdgeView
    assert.equal(shown.credential, 'revoked')
    assert.equal(((await plane.api('/v1/edges/stay-1')).body as EdgeView).credential, 'valid')
    const audit = (await plane.api('/v1/audit?action=edge.revoke')).body as { entries: AuditEntry[] }
    assert.deepEqual(audit.entries[0]?.before, { key: enrolments[0]?.key, region: 'eu' })
    const again = await enroll('cut-1')
    assert.ok(await opens(again.body))
  })

  test('if one of several credentials is revoked, the edge keeps the others', async () => {
    const [old, fresh] = [(await enroll('turn-1')).body, (await enroll('turn-1')).body]
    const { enrolments } = await revoke('turn-1', plane.control, `?key=${old.key}`)
    assert.deepEqual(
      enrolments.map(({ key }) => key),
      [old.key],
    )
    assert.deepEqual([await opens(old), await opens(fresh)], [false, true])
  })

  test('two replicas that revoke at the same time lose no revocation', async () => {
    const ids = ['many-1', 'many-2', 'many-3', 'many-4']
    const made = await Promise.all(
      ids.map(async (id, n) => await enroll(id, 'eu', n % 2 ? replica : plane.control)),
    )
    await Promise.all(ids.map(async (id, n) => await revoke(id, n % 2 ? plane.control : replica)))
    for (const { body } of made) assert.equal(await opens(body), false, body.edge)
  })

  test('a credential that is revoked while NATS is down is refused when NATS is up, and after each restart of it', async () => {
    const { body } = await enroll('late-1')
    await plane.nats.process?.kill()
    const away = await revoke('late-1')
    assert.deepEqual([away.status, away.enrolments[0]?.enforcedAt], [200, null])
    await plane.nats.process?.start()
    await until('NATS to know', async () => {
      const listed = await plane.api('/v1/enrolments?edge=late-1')
      return (listed.body as { enrolments: EnrolmentView[] }).enrolments[0]?.enforcedAt !== null
    })
    assert.equal(await opens(body), false)
    await Promise.all([plane.control.process.kill(), replica.process.kill(), plane.nats.process?.kill()])
    await plane.nats.process?.start()
    assert.equal(await opens(body), false)
  })
})
