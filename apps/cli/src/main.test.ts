import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import type { EdgeView, TraceView } from '@imapfleet/api'
import { serveLoopback } from './loopback.test-support.ts'

const home = temporaryDirectory('cli')

const now = new Date().toISOString()
const edge: EdgeView = {
  id: 'eu-\x1b[31m1',
  region: 'eu',
  state: 'silent',
  version: '0.1.0',
  boot: '7b7c1d3c-6a0b-4f0e-9f3e-0d9b8a1c2d3e',
  startedAt: now,
  lastSeenAt: now,
  connections: { cached: 0, active: 0, clients: 0 },
  config: { wanted: 1, applied: 0, rejected: null },
  degraded: [],
  problems: [],
  listeners: [],
}
const trace: TraceView = {
  id: edge.boot,
  user: 'alice',
  region: null,
  createdBy: 'admin',
  createdAt: now,
  expiresAt: new Date(Date.now() + 600_000).toISOString(),
  endedAt: null,
  bodies: false,
}
const line = { at: 0, edge: 'eu-1', region: 'eu', session: 's', from: 'S', text: 'evil \x1b[2J' }

const event = (data: typeof line) => `event: line\ndata: ${JSON.stringify(data)}\n\n`

const asked: string[] = []
/** The last live trace that was requested. */
let live: ServerResponse | undefined
const server = await serveLoopback((request, response) => {
  const what = `${request.method} ${request.url}`
  asked.push(what)
  const json = (status: number, data: unknown) => response.writeHead(status).end(JSON.stringify(data))
  if (request.headers.authorization !== 'Bearer good')
    return void json(401, { type: 'about:blank', title: 'No', status: 401, code: 'token_invalid' })
  if (what === 'GET /v1/edges') return void json(200, { edges: [edge] })
  if (what === 'POST /v1/traces') return void json(201, trace)
  if (what === `DELETE /v1/traces/${trace.id}`) {
    live?.end(event({ ...line, text: 'the last line' }) + 'event: end\ndata: {}\n\n')
    return void json(200, { ...trace, endedAt: now })
  }
  if (what === 'POST /v1/orders')
    return void json(200, {
      ...{
        id: trace.id,
        givenBy: 'a',
        at: now,
        target: { kind: 'all' },
        action: { kind: 'who' },
        finishedAt: now,
        counts: { answered: 1, failed: 0, silent: 1 },
        next: null,
      },
      edges: [
        { id: 'eu-1', region: 'eu', status: 'answered', reason: null, result: [] },
        { id: 'us-1', region: 'us', status: 'silent', reason: 'no answer', result: null },
      ],
    })
  if (what === 'POST /v1/config/revisions')
    return void json(201, {
      revision: {
        revision: 2,
        createdAt: now,
        createdBy: 'a',
        note: '',
        layer: { kind: 'global' },
        changes: [change],
      },
      edges: [{ id: 'us-1', region: 'us', status: 'silent', reason: null }],
    })
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(event(line))
  live = response
})
const change = { key: 'pool.usesMax', before: null, after: 5 }

const good = ['--server', server.href, '--token', 'good']

function start(words: string[], environment: Record<string, string> = {}) {
  return spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...words], {
    env: {
      ...{ HOME: home, XDG_CONFIG_HOME: home, PATH: '' },
      // The program starts many times: it is compiled once.
      NODE_COMPILE_CACHE: join(home, 'compiled'),
      ...environment,
    },
    cwd: home,
  })
}

async function run(words: string[], environment: Record<string, string> = {}) {
  const child = start(words, environment)
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { status: child.exitCode, stdout, stderr }
}

const failures: [string, string[], number, RegExp][] = [
  [
    'an unknown command',
    ['edgse'],
    2,
    /^imapfleet: unknown command 'edgse' \(Did you mean edges\?\) .*--help`\)\n$/,
  ],
  ['a missing argument', ['config', 'set', 'a'], 2, /^imapfleet: missing required argument 'value' .*\n$/],
  [
    'a server that is no URL',
    ['edges', '--server', 'x', '--token', 'y'],
    2,
    /^imapfleet: the server "x" is not a URL.*\n$/,
  ],
  [
    'a port without a server',
    ['edges', '--server', 'http://127.0.0.1:2', '--token', 'y'],
    3,
    /^imapfleet: cannot reach .*\n$/,
  ],
  ['a bad token', ['edges', '--server', server.href, '--token', 'bad'], 1, /^imapfleet: .*token create.*\n$/],
  [
    'an order that an edge did not answer',
    ['who', '-o', 'json', ...good],
    1,
    /us-1 was silent \(no answer\)/,
  ],
  [
    'a drain without a target',
    ['drain', ...good],
    2,
    /name what to drain: an edge, --region REGION, or --all/,
  ],
  ['forgetting an edge without a terminal to confirm', ['edges', 'forget', 'eu-1', ...good], 2, /use --yes/],
  ['an edge that is silent', ['config', 'set', 'pool.usesMax', '5', ...good], 1, /us-1 is silent/],
]
for (const [name, words, status, stderr] of failures)
  test(`${name} ends with status ${status} and one line that says what to do`, async () => {
    const result = await run(words)
    assert.equal(result.status, status, result.stderr)
    assert.match(result.stderr, stderr)
    assert.equal(result.stderr.split('\n').length, 2)
  })

test('server and token can come from the environment, and an empty variable counts as unset', async () => {
  const told = await run(['edges'], { IMAPFLEET_SERVER: server.href, IMAPFLEET_TOKEN: 'good' })
  assert.equal(told.status, 0)
  const untold = await run(['edges'], { IMAPFLEET_SERVER: server.href, IMAPFLEET_TOKEN: '' })
  assert.match(untold.stderr, /there is no token/)
})

test('a pipe gets no colours and no control characters, and JSON output is JSON', async () => {
  const table = await run(['edges', ...good])
  assert.equal(table.status, 0)
  assert.doesNotMatch(table.stdout, /\x1b/)
  assert.match(table.stdout, /eu-\\x1b\[31m1/)
  const json = await run(['edges', ...good, '-o', 'json'])
  assert.deepEqual(JSON.parse(json.stdout), { edges: [edge], problems: [] })
})

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  test(`${signal} ends a trace on the server, shows its last lines, and ends with status 0`, async () => {
    asked.length = 0
    const child = start(['trace', 'alice', ...good])
    const closed = once(child, 'close')
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
    assert.match(chunk.toString(), / eu-1 s S: evil \\x1b\[2J\n$/)
    const rest = text(child.stdout)
    child.kill(signal)
    assert.deepEqual(await closed, [0, null])
    assert.match(await rest, / the last line\n$/)
    assert.ok(asked.includes(`DELETE /v1/traces/${trace.id}`))
  })

test('a closed pipe ends the trace without a message', async () => {
  asked.length = 0
  const child = start(['trace', 'alice', ...good, '-o', 'json'])
  const closed = once(child, 'close')
  child.stdout.destroy()
  const stderr = await text(child.stderr)
  assert.deepEqual(await closed, [0, null])
  assert.doesNotMatch(stderr, /EPIPE|Error/)
  assert.ok(asked.includes(`DELETE /v1/traces/${trace.id}`))
})
