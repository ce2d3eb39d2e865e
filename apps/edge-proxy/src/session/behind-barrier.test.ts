import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edgeAtWork } from '../edge/edge.test-support.ts'
import { untilTrue } from '../pool/pool.test-support.ts'
import { wellBehaved, type Asked } from '../server/scripted-server.test-support.ts'

const question = 'STATUS INBOX (MESSAGES)'
const answer = '* STATUS INBOX (MESSAGES 3)\r\n'

/**
 * The user's first session began with this command and has ended. The second session has sent its login, and the server has not
 * answered the barrier yet.
 */
async function arriving(first = question) {
  const edge = await edgeAtWork({ upstreams: { main: { ahead: 'on', aheadRoundTripMinMs: 0 } } })
  const { scripted, client } = edge
  /** Commands of the edge that the server has not answered. */
  const held: Asked[] = []
  let isHolding = false
  scripted.script = (asked) => {
    if (isHolding && /^[RE][0-9a-f]{24}$/.test(asked.tag)) return void held.push(asked)
    return asked.text === question ? `${answer}${asked.tag} OK done\r\n` : wellBehaved(asked)
  }
  const enter = async () => {
    const peer = await client()
    peer.say('A0 LOGIN joe secret\r\n')
    return peer
  }
  const before = await enter()
  await before.until('A0 OK ')
  before.say(`A1 ${first}\r\n`)
  await before.until('A1 OK ')
  isHolding = true
  before.say('A2 LOGOUT\r\n')
  await before.closed()
  await untilTrue(() => held.length === 1)
  const peer = await enter()
  /** Makes the server answer again. */
  const answered = () => void (isHolding = false)
  const { counters } = edge.edge.context.metrics
  return { ...edge, peer, held, answered, counters }
}

/** Like above, and the question is behind the barrier. */
async function asking() {
  const arrived = await arriving()
  const { held, answered } = arrived
  await untilTrue(() => held.length === 2)
  answered()
  const [barrier, asked] = held as [Asked, Asked]
  assert.deepEqual([barrier.text, asked.text], ['NOOP', question])
  const say = (...parts: string[]) => barrier.peer.say(parts.join(''))
  return { ...arrived, say, barrierOk: `${barrier.tag} OK done\r\n`, reply: `${asked.tag} OK counted\r\n` }
}

test('the first expected question is sent behind the barrier, and its answer is held for the waiting login', async () => {
  for (const order of ['answer first', 'barrier first', 'barrier between']) {
    const { peer, scripted, say, barrierOk, reply, counters } = await asking()
    if (order === 'answer first') say(answer, reply, barrierOk)
    else if (order === 'barrier first') say(barrierOk, answer, reply)
    else say(answer, barrierOk, reply)
    await peer.until('A0 OK ')
    await peer.until('\r\n')
    peer.say(`A1 ${question}\r\n`)
    assert.equal(await peer.until('A1 OK counted\r\n'), `${answer}A1 OK counted\r\n`)
    assert.equal(scripted.asked.filter((text) => text === question).length, 2)
    assert.equal(counters.ahead_used_total({ upstream: 'main' }).value, 1)
    assert.equal(scripted.connections.length, 1)
  }
})

test('an answer after the reply to the barrier reaches the client that asks for it', async () => {
  const { peer, say, barrierOk, reply } = await asking()
  say(barrierOk)
  await peer.until('A0 OK ')
  await peer.until('\r\n')
  peer.say(`A1 ${question}\r\n`)
  say(answer, reply)
  assert.equal(await peer.until('A1 OK counted\r\n'), `${answer}A1 OK counted\r\n`)
})

test('a client that asks something else does not get the answer behind the barrier', async () => {
  const { peer, say, barrierOk, reply, counters } = await asking()
  say(barrierOk)
  await peer.until('A0 OK ')
  await peer.until('\r\n')
  peer.say('A1 NOOP\r\n')
  say(answer, reply)
  assert.equal(await peer.until('A1 OK done\r\n'), 'A1 OK done\r\n')
  assert.equal(counters.ahead_dropped_total({ upstream: 'main', reason: 'not-asked' }).value, 1)
})

test('if the barrier fails, the answers are dropped, and the client asks on another connection', async () => {
  for (const fault of ['refused', 'data', 'closed']) {
    const { peer, scripted, say, barrierOk, reply, held, counters } = await asking()
    if (fault === 'refused') say(answer, reply, barrierOk.replace('OK', 'NO'))
    else if (fault === 'data') say(answer, reply, barrierOk, '* 5 EXISTS\r\n')
    else held[0]!.peer.socket.destroy()
    await peer.until('A0 OK ')
    await peer.until('\r\n')
    peer.say(`A1 ${question}\r\n`)
    assert.equal(await peer.until('A1 OK done\r\n'), `${answer}A1 OK done\r\n`)
    assert.equal(scripted.connections.length, 2)
    assert.equal(scripted.asked.filter((text) => text === question).length, 3)
    assert.equal(counters.ahead_used_total({ upstream: 'main' }).value, 0)
    assert.equal(counters.ahead_dropped_total({ upstream: 'main', reason: 'session-ended' }).value, 1)
  }
})

test('no question that depends on the selected mailbox is sent behind a barrier', async () => {
  const { peer, held, answered } = await arriving('SELECT INBOX')
  await untilTrue(() => held.length === 1)
  assert.equal(held[0]!.text, 'UNSELECT')
  answered()
  held[0]!.peer.say(`${held[0]!.tag} OK done\r\n`)
  await peer.until('A0 OK ')
  assert.equal(held.length, 1)
})
