import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'
import { z } from 'zod'
import { ask } from './ask.ts'
import { Failure, type FailureKind } from './failure.ts'
import { serveLoopback } from './loopback.test-support.ts'

const schema = z.object({ edges: z.array(z.object({ id: z.string() })) })

const send =
  (status: number, type: string, body: string, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': type, ...headers }).end(body)
  }
const problem = (status: number, data: object) =>
  send(status, 'application/problem+json', JSON.stringify({ type: 'about:blank', status, ...data }))

async function failing(handler: RequestListener): Promise<Failure> {
  const url = await serveLoopback(handler)
  try {
    await ask({ url, token: 'secret-token' }, schema)
  } catch (error) {
    assert.ok(error instanceof Failure, String(error))
    assert.doesNotMatch(error.message, /secret-token/)
    return error
  }
  throw new assert.AssertionError({ message: 'the request did not fail' })
}

test('an answer is parsed, and unknown fields are dropped', async () => {
  let seen: string | undefined
  const url = await serveLoopback((request, response) => {
    seen = request.headers.authorization
    response.end('{"edges":[{"id":"eu-1","news":1}]}')
  })
  assert.deepEqual(await ask({ url, token: 'abc' }, schema), { edges: [{ id: 'eu-1' }] })
  assert.equal(seen, 'Bearer abc')
})

const cases: [string, RequestListener, FailureKind, RegExp][] = [
  ['a web page', send(200, 'text/html', '<html>'), 'unreachable', /a web page/],
  ['an empty answer', send(200, 'application/json', ''), 'unreachable', /nothing/],
  ['other JSON', send(200, 'application/json', '{"edges":[{"id":5}]}'), 'unreachable', /edges\.0\.id/],
  ['a gateway error', send(502, 'text/html', '<h1>'), 'unreachable', /status 502 with a web page/],
  ['a 404 of another server', send(404, 'application/json', '{"e":1}'), 'unreachable', /status 404/],
  [
    'a redirect',
    send(302, 'text/html', '', { location: 'https://else.example/' }),
    'unreachable',
    /else\.example/,
  ],
  [
    'an unknown token',
    problem(401, { title: 'No', code: 'token_unknown' }),
    'refused',
    /imapfleet-control token create/,
  ],
  [
    'a refusal',
    problem(404, { title: 'No', code: 'x', detail: 'no edge nope' }),
    'refused',
    /^no edge nope$/,
  ],
  [
    'problems',
    problem(400, {
      title: 'Not valid',
      code: 'c',
      problems: [{ key: 'pool.x', message: 'must be at least 1' }],
    }),
    'refused',
    /^Not valid: pool\.x must be at least 1$/,
  ],
]
for (const [name, handler, kind, message] of cases)
  test(`${name} is reported in one sentence, as ${kind}`, async () => {
    const failure = await failing(handler)
    assert.equal(failure.kind, kind)
    assert.match(failure.message, message)
  })

test('a server that hangs up, does not speak HTTP, or does not exist is unreachable', async () => {
  const gone = await failing((request) => request.socket.destroy())
  assert.equal(gone.kind, 'unreachable')
  const imap = await listen((socket) => socket.end('* OK IMAP4rev1 ready\r\n'))
  await assert.rejects(ask({ url: imap.url }, schema), /does not speak HTTP/)
  const closed = await listen(() => undefined)
  await closed.close()
  await assert.rejects(ask({ url: closed.url }, schema), /connection refused/)
})

async function listen(onSocket: (socket: Socket) => void) {
  const server = createServer(onSocket).listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.unref()
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  return { url, close: () => once(server.close(), 'close') }
}
