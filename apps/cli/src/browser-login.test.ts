/** The loopback listener of a login, by real requests. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { createClient } from '@imapfleet/client'
import { listenForCode, loginByBrowser } from './browser-login.ts'
import { serveLoopback } from './loopback.test-support.ts'

const state = 's'.repeat(43)
const code = 'c'.repeat(43)

test('only a request with the right state and a code is accepted', async () => {
  const listener = await listenForCode(state)
  const ask = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${listener.port}${path}`, { method })
  try {
    for (const path of [
      '/',
      '/favicon.ico',
      `/?code=${code}`,
      `/?code=${code}&state=`,
      `/?code=${code}&state=${state.slice(1)}`,
      `/?code=${code}&state=${state}x`,
      `/?code=<b>&state=${state}`,
      `/?state=${state}`,
      `/other?code=${code}&state=${state}`,
    ])
      assert.equal((await ask(path)).status, 400, path)
    assert.equal((await ask(`/?code=${code}&state=${state}`, 'POST')).status, 400)
    const answer = await ask(`/?code=${code}&state=${state}`)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('content-security-policy'), "default-src 'none'")
    assert.doesNotMatch(await answer.text(), /cccc|ssss/)
    assert.equal(await listener.code, code)
  } finally {
    await listener.close()
  }
  await assert.rejects(ask('/'))
})

test('a login ends with an error if no code arrives in time', async () => {
  const listener = await listenForCode(state, 1)
  await assert.rejects(listener.code, /was not finished/)
  await listener.close()
})

test('the browser gets the challenge, and control gets the verifier', async () => {
  let challenge = ''
  let proof: { code?: string; verifier?: string } = {}
  const redeem = async (request: IncomingMessage, response: ServerResponse) => {
    proof = JSON.parse(await text(request)) as typeof proof
    const person = {
      name: 'ann@example.org',
      role: 'viewer',
      limits: {},
      expiresAt: new Date().toISOString(),
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ state: 'done', token: 'imapfleet_x', ...person }))
  }
  const server = await serveLoopback((request, response) => void redeem(request, response))
  const notes: string[] = []
  const { token, name } = await loginByBrowser(createClient({ server }), {
    note: (line) => notes.push(line),
    show: (url) => {
      challenge = url.searchParams.get('challenge') ?? ''
      const answer = new URLSearchParams({ code, state: url.searchParams.get('state') ?? '' })
      void fetch(`http://127.0.0.1:${url.searchParams.get('port')}/?${answer.toString()}`)
    },
  })
  assert.deepEqual([token, name, proof.code], ['imapfleet_x', 'ann@example.org', code])
  assert.equal(
    createHash('sha256')
      .update(proof.verifier ?? '')
      .digest('base64url'),
    challenge,
  )
  assert.match(notes.join(), /visit:\n {2}http:\/\/127\.0\.0\.1:\d+\/cli-login\?port=/)
  assert.ok(!notes.join().includes(proof.verifier ?? 'none'))
})
