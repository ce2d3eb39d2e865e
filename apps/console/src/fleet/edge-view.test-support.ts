/** An edge without problems, as the API shows it, at `testedAt`. */
import type { EdgeView } from '@imapfleet/api'

export const testedAt = new Date('2026-11-27T12:00:00Z')

export const healthyEdge: EdgeView = {
  id: 'eu-1',
  region: 'eu',
  state: 'serving',
  version: '0.1.0',
  boot: '8a0c8a4e-93b0-4c5b-8f3e-1e6d9d6f0a11',
  startedAt: '2026-11-27T10:00:00Z',
  lastSeenAt: '2026-11-27T11:59:58Z',
  connections: { cached: 1, active: 2, clients: 3 },
  config: { wanted: 4, applied: 4, rejected: null },
  degraded: [],
  problems: [],
  listeners: [],
  drain: false,
}
