/** The sections of the host itself: who this edge is, what it writes, its local port, its fleet, its process. */
import { z } from 'zod'
import { address, bytes, count, field, filePath, milliseconds, name, natsServer } from './fields.ts'

export const identity = z.strictObject({
  id: field(name.default('edge'), 'Name of this edge, unique in the fleet.', { reload: 'restart' }),
  region: field(
    name.default('default'),
    'Region this edge serves; revisions and orders can be aimed at it.',
    {
      reload: 'restart',
    },
  ),
})

export const trace = z.strictObject({
  file: field(filePath.optional(), 'File that traces are written to (protocol_log_filename).', {
    reload: 'restart',
  }),
  usersMax: field(count(1, 10_000).default(100), 'Users traced at once.'),
  bytesMax: field(bytes(1024).default(16_777_216), 'Bytes one trace may write before it ends.'),
})

export const log = z.strictObject({
  level: field(
    z.enum(['error', 'warn', 'info', 'debug']).default('info'),
    'Least important line that is written.',
  ),
  format: field(z.enum(['text', 'json']).default('text'), 'One line of text or of JSON an event.', {
    reload: 'restart',
  }),
})

export const http = z.strictObject({
  address: field(address.default('127.0.0.1'), 'Address of the local health and metrics port.', {
    reload: 'restart',
  }),
  port: field(
    z.int().min(0).max(65_535).default(9143),
    'Port of health, statistics and Prometheus metrics; 0: none.',
    { reload: 'restart' },
  ),
})

export const fleet = z.strictObject({
  servers: field(z.array(natsServer).max(32).default([]), 'NATS servers; empty: the edge runs alone.', {
    reload: 'restart',
  }),
  credentialsFile: field(filePath.optional(), "File with this edge's NATS credentials.", {
    reload: 'restart',
  }),
  tokenFile: field(
    filePath.optional(),
    'File with a NATS token, for a server without per-edge credentials.',
    { reload: 'restart' },
  ),
  tlsCaFile: field(filePath.optional(), 'PEM file of the authority that signed the NATS servers.', {
    reload: 'restart',
  }),
  tlsCertFile: field(
    filePath.optional(),
    'PEM file of a client certificate, where the NATS servers ask for one.',
    { reload: 'restart' },
  ),
  tlsKeyFile: field(filePath.optional(), 'PEM file of the key of tlsCertFile.', { reload: 'restart' }),
  heartbeatMs: field(milliseconds(200, 600_000).default(5_000), 'How often presence is sent.', {
    reload: 'restart',
  }),
  reportIntervalMs: field(
    milliseconds(200, 3_600_000).default(10_000),
    'How often statistics are reported.',
    { reload: 'restart' },
  ),
  reconcileMs: field(
    milliseconds(200, 3_600_000).default(45_000),
    'How often the desired state is read without being asked.',
    { reload: 'restart' },
  ),
  outboxMax: field(
    count(10, 1_000_000).default(8_640),
    'Reports kept while the fleet is out of reach (8,640 of 10 s: a day).',
    { reload: 'restart' },
  ),
  stateDir: field(
    filePath.default('/var/lib/imapfleet'),
    'Directory of the last good configuration and the outbox.',
    { reload: 'restart' },
  ),
})

export const processSection = z.strictObject({
  user: field(z.string().min(1).max(64).optional(), 'User to become after binding (proc_username).', {
    reload: 'restart',
  }),
  group: field(z.string().min(1).max(64).optional(), 'Group to become after binding (proc_groupname).', {
    reload: 'restart',
  }),
  drainTimeoutMs: field(milliseconds(0).default(30_000), 'How long a stop waits for sessions to end.'),
})
