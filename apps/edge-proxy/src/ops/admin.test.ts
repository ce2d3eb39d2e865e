import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerAdmin, type AdminActions } from './admin.ts'
import { arriving } from '../client/client.test-support.ts'

/** A client whose admin commands act on this record. */
async function administrator() {
  const done: string[] = []
  const actions: AdminActions = {
    version: '1.2.3',
    hasLog: true,
    connections: () => [
      { number: 7, user: 'joe', active: true },
      { number: 12, user: 'jane@example.com', active: false },
    ],
    trace: (user) => void done.push(`trace ${user}`),
    newLog: () => void done.push('newlog'),
    resetCounters: () => void done.push('reset'),
  }
  const { peer, login } = await arriving({
    admin: (client, verb, tag, rest) => answerAdmin(client, verb, tag, rest, actions),
  })
  void login()
  return { peer, done }
}

test('each command answers with exactly the words of the original', async () => {
  const { peer, done } = await administrator()
  const answers: [string, string][] = [
    ['1 XPROXY_VERSION\r\n', '* XPROXY_VERSION 1.2.3\r\n1 OK Completed\r\n'],
    [
      '2 xproxy_dumpicc\r\n',
      '* XPROXY_DUMPICC 7 joe Active\r\n* XPROXY_DUMPICC 12 jane@example.com Cached\r\n2 OK Completed\r\n',
    ],
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
  assert.deepEqual(done, ['trace joe', 'trace undefined', 'newlog', 'reset'])
})

test('a name to trace cannot add a line to the answer', async () => {
  const { peer } = await administrator()
  peer.say('1 XPROXY_TRACE jo\x01e\r2 OK\r\n')
  const answer = await peer.until('\r\n')
  assert.match(answer, /^1 OK Tracing enabled for user jo\?e\?2 OK\r\n$/)
})
