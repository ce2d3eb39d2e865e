/** Tokens and sessions, on a real Postgres. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import type { Actor } from '../../platform/access.ts'
import { openDatabase } from '../../platform/db/database.ts'
import { listAudit } from '../audit/service.ts'
import {
  authenticateToken,
  createToken,
  forgetOldAccess,
  listTokens,
  resumeSession,
  revokeToken,
  currentRights,
  sessionSeconds,
  signIn,
  signOut,
  type TokenInput,
} from './service.ts'

const source = '192.0.2.1'
const root: Actor = {
  id: '00000000-0000-4000-8000-000000000000',
  name: 'root',
  role: 'admin',
  scopes: [],
  limits: {},
}

suite('access', () => {
  let deps: TestDeps
  before(async () => {
    deps = await testDeps()
  })
  after(async () => await deps?.db.close())

  const make = (name: string, input: Partial<TokenInput> = {}) =>
    createToken(deps, 'root', { name, role: 'operator', scopes: [], ...input })

  const everythingStored = async () => {
    const tables = await deps.db.sql<{ name: string }[]>`
      select table_name as name from information_schema.tables where table_schema = 'public'`
    const rows = await Promise.all(
      tables.map(async ({ name }) => await deps.db.sql`select * from ${deps.db.sql(name)}`),
    )
    return JSON.stringify(rows)
  }

  test('neither a token nor the secret of a session is stored; only their hashes are', async () => {
    const { token } = await make('hashed')
    const { secret } = await signIn(deps, token, source)
    const stored = await everythingStored()
    for (const plain of [token, secret]) {
      assert.ok(!stored.includes(plain) && !stored.includes(plain.slice(10)), 'in plain text')
      assert.ok(stored.includes(createHash('sha256').update(plain).digest('hex')), 'as a hash')
    }
  })

  test('a token is valid until the moment of its expiry', async () => {
    const from = deps.now()
    const { token } = await make('ci', { role: 'viewer', expiresInSeconds: 60 })
    deps.setNow(from + 59_999)
    assert.equal((await authenticateToken(deps, token, source)).name, 'ci')
    deps.setNow(from + 60_000)
    await assert.rejects(authenticateToken(deps, token, source), { code: 'token_invalid' })
    deps.setNow(from)
  })

  test('a revoked token is refused from the next request on, and stays revoked at its first time', async () => {
    const { token, id } = await make('leaver')
    const { revokedAt } = await revokeToken(deps, root, id)
    await assert.rejects(authenticateToken(deps, token, source), /was revoked/)
    deps.setNow(deps.now() + 5_000)
    assert.equal((await revokeToken(deps, root, id)).revokedAt, revokedAt)
    const { entries } = await listAudit(deps, { limit: 10, action: 'token.revoke' })
    assert.deepEqual(
      entries.filter(({ target }) => target === 'leaver').map(({ actor }) => actor),
      ['root'],
    )
    await assert.rejects(revokeToken(deps, root, root.id), { code: 'token_unknown' })
  })

  test('tokens are listed in pages without gaps, also those that were made at the same time', async () => {
    for (const name of ['p1', 'p2', 'p3', 'p4', 'p5']) await make(name)
    await deps.db.sql`update tokens set created_at = '2026-01-01' where name like 'p_'`
    const whole = (await listTokens(deps, { limit: 500 })).tokens.map(({ id }) => id)
    const paged: string[] = []
    let cursor: string | null | undefined
    while (cursor !== null) {
      const page = await listTokens(deps, { limit: 2, before: cursor ?? undefined })
      paged.push(...page.tokens.map(({ id }) => id))
      cursor = page.next
    }
    assert.deepEqual(paged, whole)
    assert.ok(whole.length >= 5)
  })

  test('a session has the rights of its token, and ends after its time, by signing out, and with its token', async () => {
    const from = deps.now()
    const { token, id } = await make('ann', { scopes: ['trace-bodies'] })
    const first = await signIn(deps, token, source)
    const second = await signIn(deps, token, source)
    const actor = await resumeSession(deps, first.secret)
    assert.deepEqual(
      [actor.id, actor.name, actor.role, actor.scopes],
      [id, 'ann', 'operator', ['trace-bodies']],
    )
    assert.ok(actor.session !== undefined && actor.session !== first.secret)

    await signOut(deps, first.secret)
    await signOut(deps, first.secret)
    await assert.rejects(resumeSession(deps, first.secret), { code: 'session_over' })
    deps.setNow(from + sessionSeconds * 1000 - 1)
    await resumeSession(deps, second.secret)
    deps.setNow(from + sessionSeconds * 1000)
    await assert.rejects(resumeSession(deps, second.secret), { code: 'session_over' })
    deps.setNow(from)
    await revokeToken(deps, root, id)
    await assert.rejects(resumeSession(deps, second.secret), /Your session has ended. This token was revoked/)
    const { entries } = await listAudit(deps, { limit: 50, actor: 'ann' })
    assert.deepEqual(
      entries.map(({ action }) => action),
      ['session.end', 'session.begin', 'session.begin'],
    )
  })

  test('the rights of earlier requests are those of now: role, scopes, expiry, revocation, end of the session', async () => {
    const from = deps.now()
    const [kept, demoted, expired, revoked, signedOut] = await Promise.all([
      make('kept'),
      make('demoted', { scopes: ['trace-bodies'] }),
      make('expired', { expiresInSeconds: 60 }),
      make('revoked'),
      make('signed-out'),
    ])
    const both = await Promise.all([
      signIn(deps, signedOut.token, source),
      signIn(deps, signedOut.token, source),
    ])
    const actors = [
      ...(await Promise.all(
        [kept, demoted, expired, revoked].map(({ token }) => authenticateToken(deps, token, source)),
      )),
      ...(await Promise.all(both.map(({ secret }) => resumeSession(deps, secret)))),
      { ...root, name: 'deleted' },
    ]
    await deps.db.sql`update tokens set role = 'viewer', scopes = '[]' where id = ${demoted.id}`
    await revokeToken(deps, root, revoked.id)
    await signOut(deps, both[0].secret)
    deps.setNow(from + 60_000)
    const rights = await currentRights(deps, actors)
    assert.deepEqual(
      rights.map((right) => (right instanceof Error ? right.code : [right.role, right.scopes.length])),
      [
        ['operator', 0],
        ['viewer', 0],
        'token_invalid',
        'token_invalid',
        'session_over',
        ['operator', 0],
        'token_invalid',
      ],
    )
    deps.setNow(from)
  })

  test('a session does not give the rights of another token', async () => {
    const [a, b] = await Promise.all([make('a'), make('b')])
    const { secret } = await signIn(deps, a.token, source)
    const { session } = await resumeSession(deps, secret)
    const [right] = await currentRights(deps, [{ ...root, id: b.id, session: session! }])
    assert.ok(right instanceof Error && right.code === 'session_over')
  })

  test('guessing is limited for each address, and the limit holds for right tokens, too', async () => {
    const { token } = await make('victim')
    const guess = (from: string) => authenticateToken(deps, `imapfleet_${Math.random()}`, from)
    for (let count = 0; count < 30; count++)
      await assert.rejects(guess('2001:db8:1:2::1'), { code: 'token_invalid' })
    // One customer has a whole /64.
    for (const from of ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9']) {
      await assert.rejects(guess(from), { code: 'too_many_attempts' })
      await assert.rejects(authenticateToken(deps, token, from), { code: 'too_many_attempts' })
    }
    await authenticateToken(deps, token, '2001:db8:1:3::1')
    // Another replica, which has seen none of them.
    const replica = await testDepsOn(deps)
    await assert.rejects(authenticateToken(replica, token, '2001:db8:1:2::1'), { code: 'too_many_attempts' })
    await deps.db.sql`update login_failures set since = since - interval '1 minute'`
    await authenticateToken(replica, token, '2001:db8:1:2::1')
    await forgetOldAccess(deps)
    assert.equal((await deps.db.sql`select * from login_failures`).length, 0)
  })

  test('while Postgres accepts no writes, tokens and sessions work, wrong tokens are refused, and guessing stays limited', async () => {
    const { token } = await make('reader')
    const { secret } = await signIn(deps, token, source)
    const name = deps.db.address.url.slice(deps.db.address.url.lastIndexOf('/') + 1)
    await deps.db.sql`alter database ${deps.db.sql(name)} set default_transaction_read_only = on`
    const readOnly = { ...(await testDepsOn(deps)), db: openDatabase(deps.db.address) }
    try {
      const from = '198.51.100.1'
      assert.equal((await authenticateToken(readOnly, token, from)).name, 'reader')
      assert.equal((await resumeSession(readOnly, secret)).name, 'reader')
      for (let count = 0; count < 30; count++)
        await assert.rejects(authenticateToken(readOnly, 'wrong', from), { code: 'token_invalid' })
      await assert.rejects(authenticateToken(readOnly, token, from), { code: 'too_many_attempts' })
      await authenticateToken(readOnly, token, '198.51.100.2')
      readOnly.setNow(readOnly.now() + 60_000)
      await authenticateToken(readOnly, token, from)
    } finally {
      await readOnly.db.close()
      await deps.db.sql`alter database ${deps.db.sql(name)} set default_transaction_read_only = off`
    }
  })
})

/** Another process on the same database. */
async function testDepsOn(deps: TestDeps): Promise<TestDeps> {
  const other = await testDeps()
  await other.db.close()
  return { ...other, db: deps.db }
}
