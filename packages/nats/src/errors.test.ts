import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errors } from '@nats-io/transport-node'
import { awayReason, isLoginRefusal, isNatsError } from './errors.ts'
import { clientTls } from './tls.ts'

const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:4222'), { code: 'ECONNREFUSED' })

test("the socket's own error is told, not the client's wrapper", () => {
  const wrapped = new errors.ConnectionError('connection refused', { cause: refused })
  assert.equal(awayReason(wrapped), 'connect ECONNREFUSED 127.0.0.1:4222')
  const both = new AggregateError([Object.assign(new Error(''), { code: 'ECONNREFUSED' })])
  assert.equal(awayReason(new errors.ConnectionError('', { cause: both })), 'ECONNREFUSED')
})

test('an error of TLS and a JetStream that is off say what to do', () => {
  const untrusted = Object.assign(new Error('x'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' })
  assert.match(awayReason(new errors.ConnectionError('x', { cause: untrusted })), /check the CA file$/)
  const off = Object.assign(new Error('jetstream is not enabled', { cause: refused }), {
    name: 'JetStreamNotEnabled',
  })
  assert.equal(awayReason(off), 'JetStream is not enabled: start nats-server with -js')
})

test('a server that lets TLS time out may want the certificate that is not configured', () => {
  const timeout = new errors.TimeoutError()
  assert.match(awayReason(timeout, clientTls([], { ca: 'PEM' })), /requires a client certificate/)
  assert.equal(awayReason(timeout, clientTls([], { cert: 'PEM', key: 'PEM' })), 'timeout')
  assert.equal(awayReason(timeout), 'timeout')
})

test('a refused login is told apart from a refused message, a NATS that is away from a bug', () => {
  const login = new errors.AuthorizationError('Authorization Violation')
  const message = new errors.PermissionViolationError('no', 'publish', 'a.b')
  assert.deepEqual([isLoginRefusal(login), isLoginRefusal(message)], [true, false])
  assert.ok(isLoginRefusal(new errors.ProtocolError('User Authentication Revoked')))
  assert.deepEqual([isNatsError(message), isNatsError(new TypeError('x'))], [true, false])
})
