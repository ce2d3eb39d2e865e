/** Changes under a precondition, over HTTP. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { ProblemDetails } from '@imapfleet/api'
import { testApi, type TestApi } from '../../api.test-support.ts'
import { createToken } from '../access/service.ts'

suite('If-Match', () => {
  let api: TestApi
  let authorization: string
  before(async () => {
    api = await testApi()
    const { token } = await createToken(api.deps, 'root', { name: 'ann', role: 'operator', scopes: [] })
    authorization = `Bearer ${token}`
  })
  after(async () => await api?.close())

  let usesMax = 0
  const change = async (ifMatch: string, more: object = {}) => {
    const body = { layer: { kind: 'global' }, set: { 'pool.usesMax': ++usesMax }, ...more }
    const answer = await api.ask('writeRevision', {
      sample: { body },
      headers: { authorization, 'if-match': ifMatch },
    })
    const { code, newest } = (await answer.json()) as Partial<ProblemDetails>
    return [answer.status, code, newest]
  }
  const etag = async () =>
    (await api.ask('readConfig', { headers: { authorization } })).headers.get('etag') ?? ''

  test('the change is made only if a strong tag is that of the newest revision', async () => {
    assert.deepEqual(await change(await etag()), [201, undefined, undefined])
    assert.deepEqual(await change('"0"'), [412, 'precondition_failed', 1])
    assert.deepEqual(await change(`"0", ${await etag()}, "9"`), [201, undefined, undefined])
    assert.deepEqual(await change('*'), [201, undefined, undefined])
    // The same state, but a weak tag does not say that nothing differs.
    assert.deepEqual(await change(`W/${await etag()}`), [412, 'precondition_failed', 3])
    for (const other of ['""', '"03"', '"3.0"', '"3e0"', '"three"', '"0x3"'])
      assert.deepEqual(await change(other), [412, 'precondition_failed', 3], other)
    for (const malformed of ['3', '"3', '*, "3"', 'w/"3"', '"3" "4"'])
      assert.deepEqual(await change(malformed), [400, 'request_invalid', undefined], malformed)
    assert.deepEqual(await change(await etag(), { base: 2 }), [409, 'config_conflict', 3])
    assert.equal(await etag(), '"3"')
  })
})
