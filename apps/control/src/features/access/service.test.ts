/** Bearer tokens, on a real Postgres. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { authenticateToken, createToken } from './service.ts'

suite('authentication', () => {
  let deps: TestDeps
  before(async () => {
    deps = await testDeps()
  })
  after(async () => await deps?.db.close())

  test('a token is valid until the moment of its expiry', async () => {
    const from = deps.now()
    const input = { name: 'ci', role: 'viewer', scopes: [], expiresInSeconds: 60 } as const
    const { token } = await createToken(deps, 'root', { ...input, scopes: [] })
    deps.setNow(from + 59_999)
    assert.equal((await authenticateToken(deps, token, '192.0.2.1')).name, 'ci')
    deps.setNow(from + 60_000)
    await assert.rejects(authenticateToken(deps, token, '192.0.2.1'), { code: 'token_invalid' })
  })
})
