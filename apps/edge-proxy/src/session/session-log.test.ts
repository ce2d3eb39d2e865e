import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Layer } from '@imapfleet/config'
import { edgeAtWork } from '../edge/edge.test-support.ts'
import { untilTrue } from '../pool/pool.test-support.ts'

async function edgeWithLog(layer: Layer = {}) {
  const atWork = await edgeAtWork(layer)
  const lines = () => atWork.logged.filter((line) => line.includes(' session_ended '))
  return {
    ...atWork,
    lines,
    /** A session of joe that sends this, until its line is in the log. */
    visit: async (text: string) => {
      const before = lines().length
      const peer = await atWork.session()
      peer.say(text)
      await peer.closed()
      await untilTrue(() => lines().length > before)
      await atWork.quiet()
    },
  }
}

test('each session is logged in one line, with the counted bytes', async () => {
  const { edge, visit, lines } = await edgeWithLog({ edge: { id: 'eu-1' } })
  const { counters } = edge.context.metrics
  await visit('a NOOP\r\nb LOGOUT\r\n')
  const bytes = `client_bytes=18 upstream_bytes=${counters.upstream_bytes_total.value}`
  assert.equal(counters.client_bytes_total.value, 18)
  await visit('a LOGOUT\r\n')
  const [first, second] = lines()
  assert.match(
    first!,
    new RegExp(
      `^\\S+Z info session_ended edge=eu-1 session=[0-9a-f]+-\\w+ user=joe client=127\\.0\\.0\\.1 upstream=main reused=false ahead_used=0 ${bytes} duration_ms=\\d+ ending=logout\n$`,
    ),
  )
  assert.match(
    second!,
    / reused=true ahead_used=0 client_bytes=10 upstream_bytes=0 duration_ms=\d+ ending=logout\n$/,
  )
  assert.equal(lines().length, 2)
})

test('the line of a session whose client has disconnected has its address and the ending', async () => {
  const { session, lines } = await edgeWithLog()
  const peer = await session()
  peer.socket.resetAndDestroy()
  await untilTrue(() => lines().length === 1)
  assert.match(lines()[0]!, / client=127\.0\.0\.1 .* ending=client-gone\n$/)
})

test('log.sessions, or a level above info, turns off the line immediately', async () => {
  const { edge, config, session, lines, quiet } = await edgeWithLog()
  const leave = async () => {
    const peer = await session()
    peer.say('a LOGOUT\r\n')
    await peer.closed()
    await quiet()
    await untilTrue(() => edge.context.sessions.active.size === 0)
  }
  for (const log of [{ sessions: false }, { level: 'warn' }]) {
    edge.apply(config({ log }))
    await leave()
    assert.deepEqual(lines(), [])
  }
  edge.apply(config())
  await leave()
  assert.equal(lines().length, 1)
})
