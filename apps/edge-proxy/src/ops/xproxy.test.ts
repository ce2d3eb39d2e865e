import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { edgeAtWork } from '../edge/edge.test-support.ts'
import { version } from '../version.ts'
import { untilTrue } from '../pool/pool.test-support.ts'

const directory = temporaryDirectory('xproxy')

test('each command is answered exactly like in imapproxy', async () => {
  const file = join(directory, 'trace.log')
  const { edge, session, client } = await edgeAtWork({ admin: { commands: true }, trace: { file } })
  await session('joe')
  const gone = await session('jane@example.com')
  gone.say('a LOGOUT\r\n')
  await gone.closed()
  await untilTrue(() => edge.context.pool.connections.count('idle') === 1)
  const peer = await client()
  const answers: [string, string][] = [
    ['1 XPROXY_VERSION\r\n', `* XPROXY_VERSION ${version}\r\n1 OK Completed\r\n`],
    ['3 XPROXY_TRACE joe\r\n', '3 OK Tracing enabled for user joe\r\n'],
    ['4 XPROXY_TRACE\r\n', '4 OK Tracing disabled\r\n'],
    ['5 XPROXY_NEWLOG\r\n', '5 OK Logfile cleared\r\n'],
    ['6 XPROXY_RESETCOUNTERS\r\n', '6 OK Counters reset\r\n'],
    ['7 XPROXY_WHATEVER\r\n', '7 BAD Please login first\r\n'],
  ]
  for (const [command, answer] of answers) {
    peer.say(command)
    assert.equal(await peer.bytes(answer.length), answer)
  }
  peer.say('8 xproxy_dumpicc\r\n')
  assert.match(
    await peer.until('8 OK Completed\r\n'),
    /^\* XPROXY_DUMPICC \d+ joe Active\r\n\* XPROXY_DUMPICC \d+ jane@example.com Cached\r\n8 OK Completed\r\n$/,
  )
})

test('the name of a traced user cannot add a line to the answer', async () => {
  const file = join(directory, 'names.log')
  const { client } = await edgeAtWork({ admin: { commands: true }, trace: { file } })
  const peer = await client()
  peer.say('1 XPROXY_TRACE jo\x01e\r2 OK\r\n')
  assert.match(await peer.until('\r\n'), /^1 OK Tracing enabled for user jo\?e\?2 OK\r\n$/)
})

test('without a protocol log, tracing and clearing are refused', async () => {
  const { client } = await edgeAtWork({ admin: { commands: true } })
  const peer = await client()
  for (const command of ['XPROXY_TRACE joe', 'XPROXY_TRACE', 'XPROXY_NEWLOG']) {
    peer.say(`1 ${command}\r\n`)
    assert.match(await peer.line(), /^1 NO .*trace\.file/)
  }
})

test('a user name cannot send control characters to the terminal of an operator who lists connections', async () => {
  const { session, client } = await edgeAtWork({ admin: { commands: true } })
  await session('"jo\x1b[2Je"')
  const peer = await client()
  peer.say('1 XPROXY_DUMPICC\r\n')
  assert.match(
    await peer.until('1 OK Completed\r\n'),
    /^\* XPROXY_DUMPICC \d+ jo\?\[2Je Active\r\n1 OK Completed\r\n$/,
  )
})
