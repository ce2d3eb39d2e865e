/** Limits of tokens themselves: how they are given, and what a change of them means. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createToken } from './features/access/service.ts'
import { apiOfTenants, problemCodeIn } from './limits.test-support.ts'

suite('limits of tokens', () => {
  const { deps, ask } = apiOfTenants()

  test('what a token did is not repeated to it after its limits have changed', async () => {
    const { token, id: its } = await createToken(deps(), 'root', {
      ...{ name: 'narrowed', role: 'operator', scopes: [] },
    })
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': 'first' }
    const sample = { body: { kind: 'user', subject: 'ann@own.example', note: 'farland' } }
    assert.equal((await ask('addRevocation', headers, sample)).status, 201)
    assert.equal((await ask('addRevocation', headers, sample)).status, 201)
    await deps().db.sql`update tokens set limits = '{"regions":["eu"]}' where id = ${its}`
    const { status, text } = await ask('addRevocation', headers, sample)
    assert.deepEqual([status, problemCodeIn(text)], [409, 'idempotency_conflict'])
  })

  test('a token with limits cannot be an admin, and a limit without names is refused', async () => {
    const root = await createToken(deps(), 'root', { name: 'root', role: 'admin', scopes: [] })
    const headers = { authorization: `Bearer ${root.token}` }
    const make = async (body: Record<string, unknown>) =>
      await ask('createToken', headers, { body: { name: 'made', role: 'operator', ...body } })
    assert.equal((await make({ limits: { regions: ['eu'], domains: ['Own.Example'] } })).status, 201)
    for (const refused of [
      { role: 'admin', limits: { regions: ['eu'] } },
      { role: 'admin', limits: { domains: ['own.example'] } },
      { limits: { regions: [] } },
      { limits: { domains: [] } },
      { limits: { domains: ['ann@own.example'] } },
      { limits: { regions: ['*'] } },
      { limits: { region: ['eu'] } },
      { limits: null },
    ])
      assert.equal((await make(refused)).status, 400, JSON.stringify(refused))
    const { text } = await ask('listTokens', headers, { query: { limit: '500' } })
    assert.match(text, /"limits":\{"domains":\["own\.example"\],"regions":\["eu"\]\}/)
    await assert.rejects(
      createToken(deps(), 'root', {
        ...{ name: 'x', role: 'admin', scopes: [] },
        limits: { regions: ['eu'] },
      }),
      { code: 'request_invalid' },
    )
  })
})
