import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PeerCertificate } from 'node:tls'
import { clientTls, hostOf } from './tls.ts'

const certificateFor = (subjectaltname: string) =>
  ({ subject: {}, subjectaltname }) as unknown as PeerCertificate
/** The name that Node uses for a server without one. */
const nameless = 'localhost'

test('a server that is configured by its address is verified by it, not as localhost', () => {
  const { checkServerIdentity } = clientTls(['192.0.2.1', '2001:db8::1'], {})
  assert.equal(checkServerIdentity(nameless, certificateFor('IP Address:192.0.2.1')), undefined)
  assert.equal(checkServerIdentity(nameless, certificateFor('IP Address:2001:db8::1')), undefined)
  assert.ok(checkServerIdentity(nameless, certificateFor('DNS:localhost')) instanceof Error)
  assert.ok(checkServerIdentity(nameless, certificateFor('IP Address:192.0.2.2')) instanceof Error)
})

test('a server that is configured by its name is verified by that name only', () => {
  const { checkServerIdentity } = clientTls(['nats.example', '192.0.2.1'], {})
  assert.equal(checkServerIdentity('nats.example', certificateFor('DNS:nats.example')), undefined)
  assert.ok(checkServerIdentity('nats.example', certificateFor('IP Address:192.0.2.1')) instanceof Error)
  assert.equal(
    clientTls(['localhost'], {}).checkServerIdentity(nameless, certificateFor('DNS:localhost')),
    undefined,
  )
})

test('the host is found in every form of a server address', () => {
  assert.deepEqual(['nats://a.example:4222', 'tls://192.0.2.1', 'b.example:4222', '[::1]:4222'].map(hostOf), [
    'a.example',
    '192.0.2.1',
    'b.example',
    '::1',
  ])
})
