import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TraceRequest, TraceView } from '@imapfleet/api'
import { NoAnswerError, ProblemError } from '@imapfleet/client'
import { TraceStarts } from './trace-starts.ts'

const asked = (user: string): TraceRequest => ({ user, seconds: 60 })
const traceOf = ({ user }: TraceRequest): TraceView => ({
  id: `trace-of-${user}`,
  user,
  region: null,
  createdBy: 'marie',
  createdAt: '2026-01-01T00:00:00Z',
  expiresAt: '2026-01-01T00:01:00Z',
  endedAt: null,
  bodies: false,
})
const away = () => new NoAnswerError('network', 'away', { message: 'away' })
const refusal = (status: number, code: string) =>
  new ProblemError({ type: 'about:blank', title: code, status, code }, 'http://127.0.0.1')

/** Each request fails with the next error of its user, and then succeeds. */
function startsWith(troubles: Record<string, Error[]>) {
  const sent: { user: string; key: string }[] = []
  const starts = new TraceStarts(async (request, key) => {
    sent.push({ user: request.user, key })
    const trouble = troubles[request.user]?.shift()
    if (trouble) throw trouble
    return traceOf(request)
  })
  return { starts, sent, users: () => sent.map(({ user }) => user) }
}
const started = ({ started: { value } }: TraceStarts) => value.map(({ user }) => user)

test('a second attempt starts only users who are not traced yet', async () => {
  const { starts, users } = startsWith({ bob: [away()] })
  const all = [asked('alice'), asked('bob'), asked('carol')]
  await assert.rejects(starts.start(all), NoAnswerError)
  assert.deepEqual(started(starts), ['alice'])
  await starts.start(all)
  assert.deepEqual(users(), ['alice', 'bob', 'bob', 'carol'])
  assert.deepEqual(started(starts), ['alice', 'bob', 'carol'])
  await starts.start(all)
  assert.equal(users().length, 4)
})

test('a request with an unknown result is repeated with its key', async () => {
  const troubles = [away(), refusal(503, 'database_unavailable'), refusal(409, 'idempotency_unknown')]
  const { starts, sent } = startsWith({ bob: [...troubles] })
  for (const trouble of troubles)
    await assert.rejects(starts.start([asked('bob')]), (error) => error === trouble)
  await starts.start([asked('bob')])
  assert.equal(new Set(sent.map(({ key }) => key)).size, 1)
})

test('a refused request gets a new key, because control stores its answer to a key', async () => {
  const { starts, sent } = startsWith({ bob: [refusal(409, 'traces_full')] })
  await assert.rejects(starts.start([asked('bob')]), ProblemError)
  await starts.start([asked('bob')])
  assert.equal(new Set(sent.map(({ key }) => key)).size, 2)
})

test('two users, or two different requests, never share a key', async () => {
  const { starts, sent } = startsWith({ alice: [away()] })
  await assert.rejects(starts.start([asked('alice')]), NoAnswerError)
  await starts.start([{ ...asked('alice'), bodies: true }, asked('bob')])
  assert.equal(new Set(sent.map(({ key }) => key)).size, 3)
})
