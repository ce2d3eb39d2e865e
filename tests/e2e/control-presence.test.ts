/** What control knows of its edges, from heartbeats of edges that are faulty: wrong clocks, shared ids, other versions. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { edgeSchema, liveFleetSchema, type EdgeView, type OrderView } from '@imapfleet/api'
import { node, programFiles } from '@imapfleet/local'
import { encode, orderSchema, subjects } from '@imapfleet/protocol'
import { runCommand } from '../support/command.ts'
import { Plane } from '../support/plane.ts'
import { until } from '../support/until.ts'

const dayMs = 86_400_000
const heartbeatMs = 400

suite('edges that are faulty', () => {
  let plane: Plane
  before(async () => {
    plane = await Plane.start()
  })
  after(async () => await plane?.stop())

  const read = async (id: string): Promise<EdgeView> =>
    edgeSchema.parse((await plane.api(`/v1/edges/${id}`)).body)
  const problemOf = async (id: string, kind: string) =>
    (await read(id)).problems.find((problem) => problem.kind === kind)?.text
  const metric = async (name: string, id: string) => {
    const answer = await fetch(`${plane.control.api}/v1/metrics`, {
      headers: { authorization: `Bearer ${plane.token}` },
    })
    const line = new RegExp(`^imapfleet_${name}\\{edge="${id}"[^}]*\\} (.+)$`, 'm').exec(await answer.text())
    return line && Number(line[1])
  }
  const cli = async (...words: string[]) =>
    (
      await runCommand(node, [programFiles.cli, ...words], {
        env: { IMAPFLEET_SERVER: plane.control.api, IMAPFLEET_TOKEN: plane.token },
      })
    ).stdout
  /** The edge as the live view shows it first. */
  const live = async (id: string) => {
    const response = await fetch(`${plane.control.api}/v1/live`, {
      headers: { authorization: `Bearer ${plane.token}` },
    })
    let text = ''
    for await (const chunk of response.body!) {
      text += Buffer.from(chunk as Uint8Array).toString()
      const [, data] = /^data: (.+)$/m.exec(text) ?? []
      if (data === undefined || !text.includes('\n\n')) continue
      return liveFleetSchema.parse(JSON.parse(data)).edges.find((edge) => edge.id === id)
    }
    return undefined
  }

  test('an edge whose clock is put back while it runs goes on being heard, and its clock is a problem everywhere', async (t) => {
    const edge = await plane.edge('eu', 'back')
    let backMs = 0
    let sequence = 0
    const beat = () => {
      const at = Date.now() - backMs
      edge.beat({ sequence: ++sequence, at, startedAt: at - 60_000, heartbeatMs })
    }
    const timer = setInterval(beat, heartbeatMs)
    t.after(() => clearInterval(timer))
    await until('the edge', async () => (await plane.api('/v1/edges/back')).status === 200)
    assert.deepEqual((await read('back')).problems, [])
    backMs = dayMs
    const text = await until('the problem', async () => await problemOf('back', 'clock'))
    assert.match(text, /^its clock is 24 h behind the clock of control/)
    await sleep(heartbeatMs * 4)
    const { state, clockSkewMs, startedAt } = await read('back')
    assert.equal(state, 'serving')
    assert.ok(Math.abs((clockSkewMs ?? 0) + dayMs) < 2_000, `${clockSkewMs}`)
    assert.ok(Math.abs(Date.now() - Date.parse(startedAt) - 60_000) < 10_000, startedAt)
    assert.ok(Math.abs((await metric('edge_clock_skew_seconds', 'back'))! + 86_400) < 2)
    assert.equal(await metric('edge_problems', 'back'), 1)
    assert.deepEqual((await live('back'))?.problems, (await read('back')).problems)
    for (const words of [['edges'], ['edges', 'show', 'back'], ['top', '--once']])
      assert.match(await cli(...words), /its clock is 24 h behind/, words.join(' '))
    backMs = 0
    await until('no problem', async () => (await read('back')).problems.length === 0)
  })

  test('two processes with one edge id are told, and an order to them is ambiguous, until one of them ends', async (t) => {
    const edge = await plane.edge('eu', 'twice')
    const boots = [randomUUID(), randomUUID()]
    const beats = boots.map((boot, index) => {
      let sequence = 0
      const beat = () => {
        edge.boot = boot
        edge.beat({ boot, sequence: ++sequence, heartbeatMs, gauges: { upstreams_idle: index + 1 } })
      }
      beat()
      return setInterval(beat, heartbeatMs)
    })
    t.after(() => beats.forEach((timer) => clearInterval(timer)))
    const text = await until('the problem', async () =>
      (await plane.api('/v1/edges/twice')).status === 200 ? await problemOf('twice', 'instances') : undefined,
    )
    assert.match(text, /^2 processes use its id, boots .* and .*: give each its own edge\.id$/)
    for (const boot of boots) assert.ok(text.includes(boot))
    assert.equal(await metric('edge_instances', 'twice'), 2)
    // The later one is shown, and not both in turn.
    for (let look = 0; look < 5; look++) {
      assert.equal((await read('twice')).connections.cached, 2)
      await sleep(heartbeatMs / 3)
    }

    edge.nats.subscribe(subjects.order({ kind: 'edge', region: 'eu', edge: 'twice' }), {
      callback: (_error, { data }) => {
        const { id } = orderSchema.parse(JSON.parse(Buffer.from(data).toString()))
        edge.answer(id, { boot: boots[0]!, result: { sessions: 1 } })
        setTimeout(() => edge.answer(id, { boot: boots[1]!, result: { sessions: 0 } }), 100)
      },
    })
    await edge.nats.flush()
    const kick = async () =>
      (
        await plane.api('/v1/orders', {
          body: { target: { kind: 'edge', name: 'twice' }, action: { kind: 'kick-user', user: 'joe' } },
        })
      ).body as OrderView
    const [answered] = (await kick()).edges
    assert.equal(answered?.status, 'failed')
    assert.match(answered?.reason ?? '', /2 processes use its id.*ended 1 session; .*ended 0 sessions/)

    clearInterval(beats[1])
    await until('one process', async () => (await read('twice')).instances === 1)
    await until('the other one shown', async () => (await read('twice')).boot === boots[0])
    const lines = (await readFile(plane.control.process.logFile, 'utf8')).split('\n')
    assert.equal(lines.filter((line) => /two processes use the same edge id/.test(line)).length, 1)
    assert.ok(lines.filter((line) => /edges started/.test(line) && line.includes('twice')).length <= 3)
  })

  test('an edge that speaks another wire version is shown as incompatible, known before or not', async (t) => {
    const edge = await plane.edge('us', 'future')
    const other = { v: 2, edge: 'future', region: 'us', version: '9.0.0', news: { of: ['another', 'kind'] } }
    const beatOther = () => edge.nats.publish(subjects.presence(edge.address), encode(other))
    const timer = setInterval(beatOther, heartbeatMs)
    t.after(() => clearInterval(timer))
    await until('the edge', async () => (await plane.api('/v1/edges/future')).status === 200)
    const { state, version, wireVersion, problems } = await read('future')
    assert.deepEqual([state, version, wireVersion], ['incompatible', '9.0.0', 2])
    assert.deepEqual(
      problems.map(({ text }) => text),
      ['speaks wire version 2, and control speaks 1: upgrade control'],
    )
    assert.equal(await metric('edge_up', 'future'), 0)
    assert.match(await cli('edges'), /^future +us +incompatible .*speaks wire version 2/m)
    clearInterval(timer)
    edge.restart()
    // Control reads both at once, and the last one counts.
    beatOther()
    edge.beat({ sequence: 1 })
    await until('an edge of our version', async () => (await read('future')).state === 'serving')
    const connections = (await read('future')).connections
    edge.beat({ sequence: 2 })
    beatOther()
    await until('another version again', async () => (await read('future')).state === 'incompatible')
    assert.deepEqual(connections, { cached: 0, active: 0, clients: 0 })
  })

  test('a heartbeat of another version that names another edge than its subject is refused', async () => {
    const edge = await plane.edge('us', 'liar')
    edge.nats.publish(subjects.presence(edge.address), encode({ v: 2, edge: 'victim', region: 'us' }))
    edge.beat({ sequence: 1 })
    await until('the edge itself', async () => (await plane.api('/v1/edges/liar')).status === 200)
    assert.equal((await plane.api('/v1/edges/victim')).status, 404)
  })
})
