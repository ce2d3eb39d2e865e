/** A real edge whose clock is a day ahead or behind. libfaketime of Debian sets it; without it the tests are skipped. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { edgeSchema, type OrderView, type TraceView } from '@imapfleet/api'
import { runDirectory, unpackPackage } from '@imapfleet/local'
import { LoneEdge } from '../support/lone-edge.ts'
import { Plane } from '../support/plane.ts'
import { entered, listeningStub } from '../support/stub-edge.ts'
import type { StubImapd } from '../support/stub-imapd.ts'
import { until } from '../support/until.ts'

async function fakeTimeLibrary(): Promise<string | undefined> {
  const directory = join(runDirectory, 'libfaketime')
  const name = 'libfaketimeMT.so.1'
  const find = () =>
    existsSync(directory)
      ? readdirSync(directory, { recursive: true, encoding: 'utf8' }).find((file) => file.endsWith(name))
      : undefined
  if (!find()) await unpackPackage('libfaketime', directory)
  const found = find()
  return found && join(directory, found)
}

const library = await fakeTimeLibrary()

for (const [offset, text] of [
  ['+1d', 'ahead of'],
  ['-1d', 'behind'],
] as const)
  suite(
    `an edge that is a day ${text} control`,
    { skip: library === undefined && 'there is no libfaketime' },
    () => {
      let plane: Plane
      let stub: StubImapd
      let edge: LoneEdge
      before(async () => {
        plane = await Plane.start()
        stub = await listeningStub()
        const { url, tokenFile } = plane.nats
        const fleet = { servers: [url], ...(tokenFile !== undefined && { tokenFile }), heartbeatMs: 300 }
        edge = await LoneEdge.start(stub.port, { fleet: { ...fleet, reportIntervalMs: 300 } }, [
          'env',
          `LD_PRELOAD=${library}`,
          `FAKETIME=${offset}`,
          'FAKETIME_DONT_FAKE_MONOTONIC=1',
        ])
        await until('the edge', async () => (await plane.api('/v1/edges/lone')).status === 200)
      })
      after(async () => {
        await edge?.stop()
        await plane?.stop()
        await stub?.close()
      })

      test('its clock is told, and it is in no other respect conspicuous', async () => {
        const read = async () => edgeSchema.parse((await plane.api('/v1/edges/lone')).body)
        const { state, problems, startedAt } = await until('the problem', async () => {
          const view = await read()
          return view.problems.length > 0 ? view : undefined
        })
        assert.equal(state, 'serving')
        assert.deepEqual(
          problems.map(({ kind, text: said }) => `${kind} ${said}`),
          [`clock its clock is 24 h ${text} the clock of control: set it, or run NTP`],
        )
        assert.ok(Math.abs(Date.now() - Date.parse(startedAt)) < 60_000, startedAt)
      })

      test('it carries out orders', async () => {
        const client = await entered(edge)
        const { edges } = (
          await plane.api('/v1/orders', { body: { action: { kind: 'kick-user', user: 'alice' } } })
        ).body as OrderView
        assert.deepEqual(
          edges.map(({ status, result }) => [status, result]),
          [['answered', { sessions: 1 }]],
        )
        await client.close()
      })

      test('it traces a user for as long as was asked', async () => {
        const active = async () => (await edge.stats()).gauges['traces_active']
        const { id } = (await plane.api('/v1/traces', { body: { user: 'bob', seconds: 5 } }))
          .body as TraceView
        assert.ok(id)
        await until('the trace', async () => (await active()) === 1)
        const startedAt = performance.now()
        await until('its end', async () => (await active()) === 0)
        const lasted = performance.now() - startedAt
        assert.ok(lasted > 2_000 && lasted < 12_000, `${lasted} ms`)
      })
    },
  )
