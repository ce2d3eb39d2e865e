import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JetStreamApiError } from '@nats-io/jetstream'
import { errors } from '@nats-io/transport-node'
import { downReasonOf, isLoginRefusal, isNatsError, isTooLarge, sendRefusalIn } from './errors.ts'
import { clientTls } from './tls.ts'

const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:4222'), { code: 'ECONNREFUSED' })

test('the reason is the error of the socket, not that of the library around it', () => {
  const wrapped = new errors.ConnectionError('connection refused', { cause: refused })
  assert.equal(downReasonOf(wrapped), 'connect ECONNREFUSED 127.0.0.1:4222')
  const both = new AggregateError([Object.assign(new Error(''), { code: 'ECONNREFUSED' })])
  assert.equal(downReasonOf(new errors.ConnectionError('', { cause: both })), 'ECONNREFUSED')
})

test('the reason says what to do about an error of TLS, and if JetStream is disabled', () => {
  const untrusted = Object.assign(new Error('x'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' })
  assert.match(downReasonOf(new errors.ConnectionError('x', { cause: untrusted })), /check the CA file$/)
  const off = Object.assign(new Error('jetstream is not enabled', { cause: refused }), {
    name: 'JetStreamNotEnabled',
  })
  assert.equal(downReasonOf(off), 'JetStream is not enabled: start nats-server with -js')
})

test('if TLS times out and no client certificate is configured, the reason suggests one', () => {
  const timeout = new errors.TimeoutError()
  assert.match(downReasonOf(timeout, clientTls([], { ca: 'PEM' })), /requires a client certificate/)
  assert.equal(downReasonOf(timeout, clientTls([], { cert: 'PEM', key: 'PEM' })), 'timeout')
  assert.equal(downReasonOf(timeout), 'timeout')
})

test('a refused login is distinguished from a refused message, and an outage of NATS from a bug', () => {
  const login = new errors.AuthorizationError('Authorization Violation')
  const message = new errors.PermissionViolationError('no', 'publish', 'a.b')
  assert.deepEqual([isLoginRefusal(login), isLoginRefusal(message)], [true, false])
  assert.ok(isLoginRefusal(new errors.ProtocolError('User Authentication Revoked')))
  assert.deepEqual([isNatsError(message), isNatsError(new TypeError('x'))], [true, false])
})

test('a message that the server or the stream can never accept is distinguished from a temporary refusal', () => {
  const refusal = (code: number) =>
    new JetStreamApiError({ code: 400, err_code: code, description: 'message size exceeds maximum allowed' })
  assert.equal(isTooLarge(refusal(10_054)), true)
  assert.equal(isTooLarge(errors.InvalidArgumentError.format('payload', 'max_payload size exceeded')), true)
  assert.equal(isTooLarge(refusal(10_077)), false)
  assert.equal(isTooLarge(new errors.TimeoutError()), false)
})

test('a full share, a full stream, a missing right, a missing stream and an outage are distinguished', () => {
  const full = (what: string) =>
    new JetStreamApiError({ code: 503, err_code: 10_077, description: `maximum ${what} exceeded` })
  assert.equal(sendRefusalIn(full('messages per subject')), 'share-full')
  assert.equal(sendRefusalIn(full('bytes')), 'stream-full')
  assert.equal(sendRefusalIn(new errors.PermissionViolationError('no', 'publish', 'a.b')), 'not-allowed')
  assert.equal(sendRefusalIn(Object.assign(new Error('x'), { name: 'JetStreamNotEnabled' })), 'no-stream')
  assert.equal(sendRefusalIn(new errors.TimeoutError()), undefined)
})
