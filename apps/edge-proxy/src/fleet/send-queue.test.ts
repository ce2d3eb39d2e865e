import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { NatsHandles } from '@imapfleet/nats'
import { SendQueue } from './send-queue.ts'

/** A queue with a stand-in for JetStream. The test gives each acknowledgement. */
function start(max = 10) {
  const sent: string[] = []
  const failures: string[] = []
  let answer: (error?: Error) => void = () => {}
  let dropped = 0
  let isUp = true
  const publish = (subject: string) => {
    sent.push(subject)
    return new Promise<void>((resolve, reject) => {
      answer = (error) => (error ? reject(error) : resolve())
    })
  }
  const fleet = { jetstream: { publish } } as unknown as NatsHandles
  const queue = new SendQueue<string>({
    max,
    fleet: () => (isUp ? fleet : undefined),
    stream: 'S',
    subjectOf: (message) => message,
    idOf: (message) => message,
    dropped: () => dropped++,
    failed: (reason) => failures.push(reason),
  })
  return {
    queue,
    sent,
    failures,
    dropped: () => dropped,
    leave: () => (isUp = false),
    /** Resolves after the queue has handled the acknowledgement. */
    acknowledge: async (error?: Error) => {
      answer(error)
      await setImmediate()
    },
  }
}

test('messages are sent one by one in order, and leave the queue when they are acknowledged', async () => {
  const { queue, sent, acknowledge } = start()
  for (const message of ['a', 'b']) queue.add(message)
  const done = queue.send()
  assert.equal(queue.send(), done)
  assert.deepEqual([sent, queue.messages], [['a'], ['a', 'b']])
  await acknowledge()
  assert.deepEqual([sent, queue.messages], [['a', 'b'], ['b']])
  await acknowledge()
  await done
  assert.deepEqual(queue.messages, [])
})

test('a message that is not acknowledged stays, and is sent again before later ones', async () => {
  const { queue, sent, failures, acknowledge } = start()
  for (const message of ['a', 'b']) queue.add(message)
  const done = queue.send()
  await acknowledge(new Error('timeout'))
  await done
  assert.deepEqual([queue.messages, failures], [['a', 'b'], ['timeout']])
  void queue.send()
  assert.deepEqual(sent, ['a', 'a'])
})

test('a full queue drops its oldest message, also while that one is being sent', async () => {
  const { queue, sent, dropped, acknowledge } = start(2)
  for (const message of ['a', 'b']) queue.add(message)
  void queue.send()
  queue.add('c')
  assert.deepEqual([queue.messages, dropped()], [['b', 'c'], 1])
  await acknowledge()
  assert.deepEqual(
    [sent, queue.messages],
    [
      ['a', 'b'],
      ['b', 'c'],
    ],
  )
})

test('no message is sent while NATS is down', async () => {
  const { queue, sent, leave, acknowledge } = start()
  for (const message of ['a', 'b']) queue.add(message)
  const done = queue.send()
  leave()
  await acknowledge()
  await done
  await queue.send()
  assert.deepEqual([sent, queue.messages], [['a'], ['b']])
})

test('a message that is larger than the stream accepts is dropped, so that the next ones are sent', async () => {
  const { queue, sent, dropped, acknowledge, failures } = start()
  for (const message of ['a', 'b']) queue.add(message)
  const first = queue.send()
  await acknowledge(Object.assign(new Error('message size exceeds maximum allowed'), { code: 10_054 }))
  await first
  assert.deepEqual([queue.messages, dropped(), failures.length], [['b'], 1, 1])
  const second = queue.send()
  await acknowledge()
  await second
  assert.deepEqual([sent, queue.messages], [['a', 'b'], []])
})
