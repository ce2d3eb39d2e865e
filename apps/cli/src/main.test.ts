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
const main = join(import.meta.dirname, 'main.ts')

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
const second: EdgeView = { ...edge, id: 'us-1', region: 'us' }
let withSecond = false
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
  if (what === 'GET /v1/edges') return void json(200, { edges: withSecond ? [edge, second] : [edge] })
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
  if (what.startsWith('GET /v1/rollouts?')) return json(200, { rollouts: [], next: null })
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
  return spawn(process.execPath, [main, ...words], {
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
    /^imapfleet: unknown command 'edgse': did you mean `imapfleet edges`\? .*--help`\)\n$/,
  ],
  [
    'an id in the place of a subcommand',
    ['edges', '-o', 'json', 'foo'],
    2,
    /did you mean `imapfleet edges show foo`\? \(see `imapfleet edges --help`\)\n$/,
  ],
  ['a word of another program', ['get', 'edge', 'foo'], 2, /did you mean `imapfleet edges show foo`\?/],
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
  ['revoking an edge without a terminal to confirm', ['edges', 'revoke', 'eu-1', ...good], 2, /use --yes/],
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

test('the answer has the requested format, without titles and remarks if these are not wanted', async () => {
  const id = 'eu-\\x1b[31m1'
  assert.equal((await run(['edges', ...good, '-o', 'name'])).stdout, `${id}\n`)
  const csv = (await run(['edges', ...good, '-o', 'csv'])).stdout.split('\n')
  assert.match(csv[0]!, /^id,region,state,version,.*,last_seen,.*problems$/)
  assert.ok(csv[1]!.startsWith(`${id},eu,silent,0.1.0,`) && csv[1]!.includes(now), csv.join('\n'))
  assert.equal((await run(['edges', ...good, '-o', 'csv', '--no-headers'])).stdout, `${csv[1]}\n`)
  const yaml = (await run(['edges', ...good, '-o', 'yaml'])).stdout
  assert.match(yaml, /^edges:\n {2}- id: "eu-\\e\[31m1"\n/)
  const bare = await run(['edges', ...good, '--no-headers'])
  assert.match(bare.stdout, /^eu-\\x1b\[31m1 /)
  const wide = await run(['edges', ...good, '-o', 'wide'])
  assert.match(wide.stdout, /STARTED/)
  assert.match((await run(['edges', '--region', 'x', ...good])).stderr, /no edges in region x/)
  assert.equal((await run(['edges', '--region', 'x', '-q', ...good])).stderr, '')
  const version = await run(['version', '-o', 'csv'])
  assert.deepEqual(
    [version.status, version.stderr],
    [0, 'this answer is not a list, so it is printed as text\n'],
  )
  assert.match(version.stdout, /^imapfleet /)
})

test('help shows durations as durations, choices, and only defaults that have a meaning', async () => {
  const { stdout } = await run(['config', 'apply', '--help'])
  const help = stdout.replaceAll(/\s+/g, ' ')
  assert.match(help, /--timeout <duration> how long to wait; for a rollout at most 1h \(default: 30s\)/)
  assert.match(help, /--output <format> .*\(table, wide, json, yaml, csv, name; default: table\)/)
  assert.doesNotMatch(help, /default: (true|""|\[\]|\d{3,})/)
})

test('ids are completed from the server, without unsafe ones; a server that refuses completes nothing', async () => {
  withSecond = true
  const complete = async (typed: string[], token = 'good') => {
    const environment = { IMAPFLEET_SERVER: server.href, IMAPFLEET_TOKEN: token }
    return await run(['complete', '--', ...typed], environment)
  }
  assert.match((await complete(['drain', ''])).stdout, /^us-1\tus, silent\n:\d+\n$/)
  assert.match((await complete(['stats', '--region', ''])).stdout, /^eu\t\nus\t\n:\d+\n$/)
  const refused = await complete(['edges', 'show', ''], 'bad')
  assert.deepEqual([refused.status, refused.stderr], [0, ''])
  assert.match(refused.stdout, /^:\d+\n$/)
  withSecond = false
})

test('a watched list is repeated until the signal, also after a missing answer', async () => {
  asked.length = 0
  const child = start(['edges', '--watch', '--every', '500ms', ...good, '-o', 'name'])
  const closed = once(child, 'close')
  let seen = ''
  for await (const chunk of child.stdout) {
    seen += String(chunk)
    if (seen.split('\n').length > 3) child.kill('SIGINT')
  }
  assert.deepEqual(await closed, [0, null])
  assert.ok(asked.filter((what) => what === 'GET /v1/edges').length >= 3)
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

test('output that cannot be written is a failure', async () => {
  const args = ['-c', '"$0" "$@" > /dev/full', process.execPath, main, 'edges', ...good]
  const child = spawn('/bin/sh', args, { env: { HOME: home, XDG_CONFIG_HOME: home, PATH: '' } })
  const closed = once(child, 'close')
  const stderr = await text(child.stderr)
  assert.deepEqual(await closed, [1, null])
  assert.equal(stderr, 'imapfleet: cannot write the output: ENOSPC\n')
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
