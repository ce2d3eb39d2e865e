import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AlertView } from '@imapfleet/api'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { serveLoopback } from '../loopback.test-support.ts'
import { programWith } from '../program.test-support.ts'

const pending: AlertView = {
  ...{
    id: 1,
    rule: 'drift',
    severity: 'ticket',
    title: 'Drift',
    subject: 'eu-1',
    region: 'eu',
    edge: 'eu-1',
  },
  ...{ text: 'eu-1 runs another revision', state: 'pending', since: '2026-12-01T10:00:00.000Z' },
  ...{ openedAt: null, resolvedAt: null, acknowledged: null, silencedBy: null, action: 'Read its log.' },
}
let next: number | null = null
const server = await serveLoopback((request, response) => {
  const isPending = request.url?.includes('state=pending') === true
  const alerts = isPending ? [pending, { ...pending, id: 2 }] : []
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ alerts, problems: [], next: isPending ? next : null }))
})
const run = programWith(server, temporaryDirectory('cli-alerts'))

test('the number of pending conditions does not stop at one page of them', async () => {
  assert.match((await run('alerts')).stderr, /^2 conditions have not lasted/m)
  next = 1
  assert.match((await run('alerts')).stderr, /^2\+ conditions have not lasted/m)
})
