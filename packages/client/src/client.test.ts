import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemDetailsSchema } from '@imapfleet/api'
import { z } from 'zod'
import { clientOf } from './client.ts'
import { isTransient, NoAnswerError, ProblemError } from './errors.ts'
import { breakOff, answerJson, refuse, serveInTurn, type Responder } from './loopback.test-support.ts'

const thing = z.object({ id: z.string(), size: z.int() })
const table = {
  readThing: { method: 'GET', path: '/v1/things/{id}', params: z.object({ id: z.string() }), answer: thing },
  listThings: {
    method: 'GET',
    path: '/v1/things',
    query: z.object({ limit: z.coerce.number().default(50), owner: z.string().optional() }),
    answer: z.array(thing),
  },
  makeThing: {
    method: 'POST',
    path: '/v1/things',
    body: z.object({ size: z.int().default(1) }),
    answer: thing,
  },
  makeKey: { method: 'POST', path: '/v1/keys', answer: thing, secret: true },
  dropThings: { method: 'DELETE', path: '/v1/things' },
  readLines: { method: 'GET', path: '/v1/lines', text: 'application/jsonl', line: thing },
} as const
const contract = { routes: table, problem: problemDetailsSchema }

const token = 't0ken'
const one = { id: 'a', size: 1 }

test('path and query are encoded, the token is sent, and the answer is what the schema parsed', async () => {
  const { server, asked } = await serveInTurn(answerJson({ ...one, newer: true }), answerJson([]))
  const client = clientOf(contract, { server: new URL('fleet/', server), token })
  assert.deepEqual(await client.call('readThing', { params: { id: 'a/b ?#%' } }), one)
  await client.call('listThings', { query: { limit: 5, owner: 'x&y=z' } })
  assert.deepEqual(
    asked.map(({ method, path, headers }) => [method, path, headers.authorization]),
    [
      ['GET', '/fleet/v1/things/a%2Fb%20%3F%23%25', 'Bearer t0ken'],
      ['GET', '/fleet/v1/things?limit=5&owner=x%26y%3Dz', 'Bearer t0ken'],
    ],
  )
})

test('a name that would change the address to another route is refused, and no request is sent', async () => {
  const { server, asked } = await serveInTurn(answerJson(one))
  const client = clientOf(contract, { server: new URL('fleet/', server), token })
  for (const id of ['', '.', '..'])
    await assert.rejects(client.call('readThing', { params: { id } }), {
      code: 'request_invalid',
      message: `id cannot be "${id}": nothing has this name.`,
    })
  assert.equal(asked.length, 0)
})

test('with the cookie of the console, requests have its header and no token', async () => {
  const { server, asked } = await serveInTurn(answerJson([]))
  await clientOf(contract, { server, cookie: true }).call('listThings')
  assert.equal(asked[0]?.headers['x-imapfleet-console'], '1')
  assert.equal(asked[0]?.headers.authorization, undefined)
})

test('a route without an answer returns nothing', async () => {
  const { server, asked } = await serveInTurn((response) => void response.writeHead(204).end())
  assert.equal(await clientOf(contract, { server, token }).call('dropThings'), undefined)
  assert.equal(asked[0]?.method, 'DELETE')
})

test('an answer that the caller has already is not asked for, but checked', async () => {
  const { server, asked } = await serveInTurn(answerJson({ id: 'asked', size: 2 }), answerJson(one))
  const problem = { type: 'about:blank', title: 'Gone', status: 401, code: 'session_over', detail: 'Over.' }
  const kept = [
    { status: 200, text: JSON.stringify(one) },
    { status: 401, text: JSON.stringify(problem) },
    { status: 200, text: '{"id":1}' },
    { status: 200, text: 'no JSON' },
  ]
  const addresses: string[] = []
  const client = clientOf(contract, {
    server,
    token,
    known: ({ pathname }) => {
      addresses.push(pathname)
      return kept.shift()
    },
  })
  const read = async () => await client.call('readThing', { params: { id: 'a' } })
  assert.deepEqual(await read(), one)
  await assert.rejects(read, { name: 'ProblemError', code: 'session_over', message: 'Over.' })
  await assert.rejects(read, { kind: 'other-version' })
  await assert.rejects(read, { kind: 'other-server' })
  assert.equal(asked.length, 0)
  assert.deepEqual(await read(), { id: 'asked', size: 2 })
  await client.call('makeThing', { body: {} })
  assert.deepEqual(addresses, Array(5).fill('/v1/things/a'), 'only what is read')
})

test('a refusal has the code, the status, the mistakes, and one sentence with all of them', async () => {
  const problems = [
    { key: 'pool.usesMax', message: 'is too large' },
    { key: '', message: 'nothing is set' },
  ]
  const { server, asked } = await serveInTurn(
    refuse(400, 'config_invalid', { problems, detail: 'See problems.' }),
    refuse(409, 'config_conflict', { newest: 7, detail: 'Read it again.' }),
  )
  const client = clientOf(contract, { server, token })
  await assert.rejects(client.call('makeThing', { body: {} }), (error) => {
    assert.ok(error instanceof ProblemError)
    assert.deepEqual([error.code, error.status, error.problems], ['config_invalid', 400, problems])
    assert.equal(error.message, 'Title of config_invalid: pool.usesMax is too large; nothing is set')
    return true
  })
  await assert.rejects(client.call('makeThing', { body: {} }), { newest: 7, message: 'Read it again.' })
  assert.equal(asked.length, 2, 'a refusal is not repeated')
})

test('a read and a write are repeated after a lost answer, the write with the same key', async () => {
  const { server, asked } = await serveInTurn(
    breakOff,
    answerJson(one),
    breakOff,
    answerJson(one),
    answerJson(one),
  )
  const client = clientOf(contract, { server, token })
  await client.call('readThing', { params: { id: 'a' } })
  await client.call('makeThing', { body: { size: 2 } })
  await client.call('makeThing', { body: { size: 2 } })
  const keys = asked.map(({ headers }) => headers['idempotency-key'])
  assert.deepEqual(keys.slice(0, 2), [undefined, undefined])
  assert.match(String(keys[2]), /^[0-9a-f-]{36}$/)
  assert.equal(keys[3], keys[2], 'the repeated write')
  assert.notEqual(keys[4], keys[2], 'another write')
  assert.equal(asked[3]?.body, '{"size":2}')
})

test('a request for a secret is not repeated, because it would make a second one', async () => {
  const { server, asked } = await serveInTurn(breakOff, answerJson(one))
  await assert.rejects(clientOf(contract, { server, token }).call('makeKey'), { kind: 'network' })
  assert.equal(asked.length, 1)
})

test('a write whose first attempt is still running waits for its outcome', async () => {
  const { server, asked } = await serveInTurn(breakOff, refuse(409, 'idempotency_unknown'), answerJson(one))
  const key = 'chosen'
  assert.deepEqual(
    await clientOf(contract, { server, token }).call('makeThing', { body: {}, idempotencyKey: key }),
    one,
  )
  assert.deepEqual(
    asked.map(({ headers }) => headers['idempotency-key']),
    [key, key, key],
  )
})

test('the page of a proxy while control restarts is repeated, and is never taken for an answer', async () => {
  const page =
    (status: number): Responder =>
    (response) =>
      void response.writeHead(status, { 'content-type': 'text/html' }).end('<html>login</html>')
  const restarting = await serveInTurn(page(502), page(503), answerJson(one))
  const client = clientOf(contract, { server: restarting.server, token })
  assert.deepEqual(await client.call('readThing', { params: { id: 'a' } }), one)

  const other = await serveInTurn(page(200), page(404))
  for (const found of [/a web page/, /status 404 with a web page/])
    await assert.rejects(
      clientOf(contract, { server: other.server, token }).call('readThing', { params: { id: 'a' } }),
      (error) => {
        assert.ok(error instanceof NoAnswerError)
        assert.equal(error.kind, 'other-server')
        assert.match(error.message, found)
        return true
      },
    )
})

test('an answer that does not match the schema is another version, and names the place', async () => {
  const { server } = await serveInTurn(answerJson({ id: 'a', size: 'large' }))
  await assert.rejects(
    clientOf(contract, { server, token }).call('readThing', { params: { id: 'a' } }),
    (error) => {
      assert.ok(error instanceof NoAnswerError)
      assert.equal(error.kind, 'other-version')
      assert.match(error.message, /\(size: /)
      assert.equal(isTransient(error), false)
      return true
    },
  )
})

test('a redirect is refused, because the token would go to another server', async () => {
  const { server, asked } = await serveInTurn(
    (response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/evil' }).end(),
  )
  await assert.rejects(clientOf(contract, { server, token }).call('listThings'), /redirects to .*evil/)
  assert.equal(asked.length, 1)
})

test('a server that cannot be reached is tried again briefly, and the error says why', async () => {
  let attempts = 0
  const refusing: typeof fetch = () => {
    attempts += 1
    return Promise.reject(
      Object.assign(
        new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) }),
      ),
    )
  }
  const client = clientOf(contract, { server: new URL('http://127.0.0.1:9/'), token, fetch: refusing })
  await assert.rejects(client.call('listThings'), {
    kind: 'network',
    reason: 'connection refused: check that it runs and that the address is right',
  })
  assert.equal(attempts, 3)
})

test('an expired certificate is not tried again', async () => {
  let attempts = 0
  const expired: typeof fetch = () => {
    attempts += 1
    return Promise.reject(
      new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'CERT_HAS_EXPIRED' }) }),
    )
  }
  const client = clientOf(contract, { server: new URL('https://127.0.0.1:9/'), token, fetch: expired })
  await assert.rejects(client.call('listThings'), /certificate has expired/)
  assert.equal(attempts, 1)
})

test('without an answer the time limit ends the request, and it is not repeated', async () => {
  const { server } = await serveInTurn(() => undefined)
  let attempts = 0
  // Counted here: the time limit may expire before a busy server has read the request.
  const counted: typeof fetch = async (...request) => {
    attempts += 1
    return await fetch(...request)
  }
  const client = clientOf(contract, { server, token, fetch: counted })
  await assert.rejects(client.call('listThings', { timeoutMs: 30 }), {
    kind: 'network',
    reason: /time limit/,
  })
  assert.equal(attempts, 1)
})

test('requests for reading have the time limit of the client, and others the usual one', async () => {
  const { server } = await serveInTurn(
    () => undefined,
    (request, response) => setTimeout(() => answerJson(one)(request, response), 100),
  )
  const client = clientOf(contract, { server, token, readTimeoutMs: 30 })
  const signal = AbortSignal.timeout(10_000)
  await assert.rejects(client.call('listThings', { signal }), { kind: 'network', reason: /time limit/ })
  assert.deepEqual(await client.call('makeThing', { body: {} }), one)
})

test("the caller's signal ends a request with its reason, also between two attempts", async () => {
  const silent = await serveInTurn(() => undefined)
  const reason = new Error('the page was left')
  const call = (server: URL, signal: AbortSignal) =>
    clientOf(contract, { server, token }).call('listThings', { signal })
  const stop = new AbortController()
  const asking = call(silent.server, stop.signal)
  stop.abort(reason)
  await assert.rejects(asking, reason)

  const between = new AbortController()
  const breaking = await serveInTurn((response) => {
    response.socket?.destroy()
    setImmediate(() => between.abort(reason))
  })
  await assert.rejects(call(breaking.server, between.signal), reason)
  assert.equal(breaking.asked.length, 1)
})

test('an answer without an end does not fill the memory', async () => {
  const chunk = new Uint8Array(8 * 1024 * 1024).fill(0x20)
  let sent = 0
  const endless: typeof fetch = () =>
    Promise.resolve(
      new Response(
        new ReadableStream({
          pull: (controller) => {
            sent += chunk.length
            controller.enqueue(chunk)
          },
        }),
      ),
    )
  const client = clientOf(contract, { server: new URL('http://127.0.0.1:9/'), token, fetch: endless })
  await assert.rejects(client.call('listThings'), /larger than/)
  assert.ok(sent < 100 * 1024 * 1024)
})

test('lines are parsed one by one, and a cut answer is an error after the lines before it', async () => {
  const text = [one, { id: 'b', size: 2 }].map((line) => `${JSON.stringify(line)}\n`).join('')
  const jsonl =
    (body: string): Responder =>
    (response) =>
      void response.writeHead(200, { 'content-type': 'application/jsonl' }).end(body)
  const { server } = await serveInTurn(jsonl(text), jsonl(`${text}{"id":`), jsonl('{"id":5}\n'))
  const client = clientOf(contract, { server, token })
  assert.deepEqual(await Array.fromAsync(client.lines('readLines')), [one, { id: 'b', size: 2 }])
  const seen: string[] = []
  await assert.rejects(async () => {
    for await (const { id } of client.lines('readLines')) seen.push(id)
  }, /last line is incomplete/)
  assert.deepEqual(seen, ['a', 'b'])
  await assert.rejects(Array.fromAsync(client.lines('readLines')), /cannot parse/)
})

test('an answer of lines that control ends early is a refusal after the lines before it', async () => {
  const problem = {
    type: 'about:blank',
    title: 'Gone',
    status: 401,
    code: 'token_invalid',
    detail: 'Revoked.',
  }
  const text = `${JSON.stringify(one)}\n${JSON.stringify({ kind: 'closed', ...problem })}\n`
  const { server } = await serveInTurn(
    (response) => void response.writeHead(200, { 'content-type': 'application/jsonl' }).end(text),
  )
  const seen: string[] = []
  const read = async () => {
    for await (const { id } of clientOf(contract, { server, token }).lines('readLines')) seen.push(id)
  }
  await assert.rejects(read(), { name: 'ProblemError', code: 'token_invalid', message: 'Revoked.' })
  assert.deepEqual(seen, [one.id])
})
