import assert from 'node:assert/strict'
import { after, before, beforeEach, suite, test } from 'node:test'
import { checkProvider } from './check-provider.ts'
import { LoopbackProvider } from './provider.test-support.ts'

suite('doctor and the provider', () => {
  const idp = new LoopbackProvider()
  before(async () => await idp.start())
  after(() => idp.stop())
  beforeEach(() => idp.reset())
  const verdicts = async () =>
    (await checkProvider(idp.options())).map(({ verdict, text }) => `${verdict}: ${text}`)

  test('a provider that answers is all right, and the redirect URI is printed', async () => {
    const [first = '', ...others] = await verdicts()
    assert.match(first, /^ok: .* redirect URI for control is https:\/\/control\.example\/sign-in\/callback$/)
    assert.deepEqual(others, ['ok: 0 groups may use imapfleet'])
    assert.deepEqual(await checkProvider(undefined), [])
  })

  test('a claim that the provider does not announce is a warning', async () => {
    idp.metadata = { claims_supported: ['sub', 'email'] }
    assert.match((await verdicts()).at(-1) ?? '', /^warn: .* does not announce the claim groups$/)
  })

  test('a provider with another issuer, and one that does not answer, are failures', async () => {
    idp.metadata = { issuer: 'https://evil.example' }
    assert.match((await verdicts()).join(), /^fail: /)
    idp.handler = (_, response) => response.destroy() !== undefined
    assert.match((await verdicts()).join(), /^fail: /)
  })
})
