import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserFacts } from './facts.ts'
import { Knowledge } from './knowledge.ts'
import { commandOf } from './shapes.ts'

const minMs = 3

test('every session of a distant server, or of one that is not measured yet, learns', () => {
  const knowledge = new Knowledge()
  assert.deepEqual(
    [0, 1, 2].map((now) => knowledge.isWorthwhile(minMs, now)),
    [true, true, true],
  )
  knowledge.measured(minMs, 0)
  assert.deepEqual(
    [3, 4, 5].map((now) => knowledge.isWorthwhile(minMs, now)),
    [true, true, true],
  )
})

test('one session a second of a nearby server learns, also under load, and all sessions after the round trip has grown', () => {
  const knowledge = new Knowledge()
  knowledge.measured(0.4, 0)
  const learn = [0, 1, 999, 1_000, 1_500, 2_000].filter((now) => knowledge.isWorthwhile(minMs, now))
  assert.deepEqual(learn, [0, 1_000, 2_000])
  for (let now = 2_000; now < 500_000; now += 100) knowledge.measured(40, now)
  assert.equal(knowledge.roundTripMs, 0.4)
  for (let now = 500_000; now <= 600_000; now += 100) knowledge.measured(40, now)
  assert.deepEqual(
    [600_001, 600_002].map((now) => knowledge.isWorthwhile(minMs, now)),
    [true, true],
  )
  knowledge.measured(0.4, 600_100)
  assert.equal(knowledge.roundTripMs, 0.4)
})

test('with a minimum of 0 ms, every session learns', () => {
  const knowledge = new Knowledge()
  knowledge.measured(0.1, 0)
  assert.deepEqual(
    [0, 1].map((now) => knowledge.isWorthwhile(0, now)),
    [true, true],
  )
})

test('the number of remembered refused questions is limited', () => {
  const knowledge = new Knowledge()
  const question = (name: string) => commandOf(`UID SEARCH HEADER ${name} ""`).question!
  for (let count = 0; count < 1000; count++) knowledge.refused(question(`x${count}`))
  assert.ok(knowledge.isRefused(question('x999')))
  // The shape is the same.
  assert.ok(knowledge.isRefused(question('x0')))
  knowledge.understood(question('x0'))
  assert.ok(!knowledge.isRefused(question('x1')))
  assert.ok(knowledge.isRefused(question('x999')))
  const long = question('x'.repeat(2000))
  knowledge.refused(long)
  knowledge.understood(question('x0'))
  assert.ok(!knowledge.isRefused(long))
})

test('removed users use no memory, also while their sessions run', () => {
  const knowledge = new Knowledge(20_000)
  const fill = (name: string) => {
    const facts = knowledge.user(name)
    for (let count = 0; count < 16; count++)
      facts.mailbox(`m${count}`).noteFound(
        'UID SEARCH ALL',
        Array.from({ length: 100 }, (_, index) => index + 1),
      )
    knowledge.keep(name, facts)
    return facts
  }
  const empty = new UserFacts().bytes
  const running = Array.from({ length: 10 }, (_, index) => fill(`user${index % 2}`))
  running.push(fill('other'))
  const bytes = [...new Set(running)].reduce((sum, facts) => sum + facts.bytes - empty, 0)
  assert.ok(bytes <= 20_000, String(bytes))
  // A session of a user for whom another session has created new facts.
  const [old] = running
  const fresh = knowledge.user('user0')
  assert.notEqual(fresh, old)
  old!.mailbox('a').noteFound('UID SEARCH ALL', [1, 2, 3])
  knowledge.keep('user0', old!)
  assert.equal(old!.bytes, empty)
  assert.equal(knowledge.user('user0'), fresh)
})

test('after the settings of a server were replaced, no questions are sent', () => {
  const knowledge = new Knowledge()
  knowledge.answered(3)
  assert.equal(knowledge.commandsMax(0), 6)
  knowledge.retire()
  knowledge.failed(0)
  knowledge.answered(3)
  assert.equal(knowledge.commandsMax(1e12), 0)
})

test('a server that cuts off sessions pauses only if it answers no question meanwhile, and not by a restart', () => {
  const knowledge = new Knowledge()
  knowledge.answered(4)
  const cuts = (...times: number[]) => {
    for (const at of times) knowledge.cutOff(at)
    return knowledge.commandsMax(20_000)
  }
  // A restart, and the mailbox of one user.
  assert.equal(cuts(0, 1, 2, 3, 999, 1_000), 8)
  for (let at = 2_000; at < 12_000; at += 2_000) {
    assert.equal(cuts(at), 8)
    knowledge.answered(1)
  }
  assert.equal(cuts(13_000, 14_000, 15_000, 16_000, 16_500), 8)
  assert.equal(cuts(17_000), 0)
  assert.equal(knowledge.commandsMax(617_000), 1)
})
