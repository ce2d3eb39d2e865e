/** Logins of the command line, on a real Postgres. */
import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import type { Actor } from '../../platform/access.ts'
import { insertToken } from '../access/queries.ts'
import {
  authenticateToken,
  createToken,
  hashOf,
  newSecret,
  resumeSession,
  signIn,
} from '../access/service.ts'
import { listAudit } from '../audit/service.ts'
import {
  allowDeviceLogin,
  allowLogin,
  beginDeviceLogin,
  endOwnToken,
  forgetOldLogins,
  redeemLogin,
} from './cli-login.ts'
import { LoopbackProvider } from './provider.test-support.ts'
import { Provider } from './provider.ts'
import { endPerson } from './service.ts'

const challengeOf = (verifier: string) => createHash('sha256').update(verifier).digest('base64url')
const hour = 3_600_000

suite('logins of the command line', () => {
  const idp = new LoopbackProvider()
  let deps: TestDeps
  before(async () => {
    await idp.start()
    deps = await testDeps()
    deps.provider = new Provider(idp.options(), deps.log, deps.now)
  })
  after(async () => {
    await deps?.db.close()
    idp.stop()
  })

  let sources = 0
  const source = () => `192.0.2.${sources++ % 250}`
  /** The session of a person who signed in before. */
  const session = async (
    name = 'ann@example.org',
    of: { role?: Actor['role']; limits?: Actor['limits'] } = {},
  ) => {
    const { role = 'operator', limits = { regions: ['eu'] } } = of
    const expiresAt = new Date(deps.now() + 5 * hour)
    const token = newSecret()
    await insertToken(deps.db.orm, {
      ...{ id: randomUUID(), name, hash: hashOf(token), role, scopes: ['trace-bodies'], limits },
      ...{ createdBy: name, expiresAt, person: `${idp.issuer} ${name}` },
    })
    const { secret } = await signIn(deps, token, source())
    return { actor: await resumeSession(deps, secret), secret, expiresAt }
  }
  const program = async () => {
    const { token } = await createToken(deps, 'root', { name: 'ci', role: 'admin', scopes: [] })
    const { secret } = await signIn(deps, token, source())
    return {
      bearer: await authenticateToken(deps, token, source()),
      session: await resumeSession(deps, secret),
    }
  }
  const redeem = async (proof: Parameters<typeof redeemLogin>[1]) => {
    const outcome = await redeemLogin(deps, proof, source())
    assert.equal(outcome.state, 'done')
    return outcome.state === 'done' ? outcome : assert.fail()
  }
  const unknown = async (proof: Parameters<typeof redeemLogin>[1], what?: string) =>
    await assert.rejects(redeemLogin(deps, proof, source()), { code: 'login_unknown' }, what)

  test('the token has the rights of the session that agreed, its name, and its end', async () => {
    const { actor, expiresAt } = await session()
    const verifier = newSecret()
    const { code } = await allowLogin(deps, actor, challengeOf(verifier), source())
    const { token, name, expiresAt: until } = await redeem({ code, verifier })
    assert.deepEqual([name, until], ['ann@example.org', expiresAt.toISOString()])
    const { id: _id, session: _session, ...rights } = actor
    const { id: _other, ...same } = await authenticateToken(deps, token, source())
    assert.deepEqual(same, rights)
    const [entry] = (await listAudit(deps, { limit: 1, action: 'session.begin' })).entries
    assert.equal(entry?.actor, 'ann@example.org')
    assert.match(JSON.stringify(entry), /"by":"imapfleet login"/)
  })

  test('a code works once, for a minute, and only with the verifier of who asked', async () => {
    const { actor } = await session()
    const verifier = newSecret()
    const { code } = await allowLogin(deps, actor, challengeOf(verifier), source())
    await redeem({ code, verifier })
    await unknown({ code, verifier }, 'a second time')

    const stolen = await allowLogin(deps, actor, challengeOf(verifier), source())
    await unknown({ code: stolen.code, verifier: newSecret() }, 'with another verifier')
    await unknown({ code: stolen.code, verifier }, 'after an attempt with another verifier')

    const late = await allowLogin(deps, actor, challengeOf(verifier), source())
    const from = deps.now()
    deps.setNow(from + 60_000)
    await unknown({ code: late.code, verifier }, 'too late')
    deps.setNow(from)
    await unknown({ deviceCode: late.code }, 'as a device code')
  })

  test('two requests with one code get one token', async () => {
    const { actor } = await session()
    const verifier = newSecret()
    const { code } = await allowLogin(deps, actor, challengeOf(verifier), source())
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, async () => await redeemLogin(deps, { code, verifier }, source())),
    )
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  })

  test('a device waits until a person has typed its code', async () => {
    const { actor } = await session()
    const { deviceCode, userCode, url } = await beginDeviceLogin(deps, source())
    assert.match(userCode, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
    assert.equal(url, 'https://control.example/cli-login')
    assert.deepEqual(await redeemLogin(deps, { deviceCode }, source()), { state: 'pending' })
    await allowDeviceLogin(deps, actor, userCode.replace('-', ''), source())
    const { name } = await redeem({ deviceCode })
    assert.equal(name, 'ann@example.org')
    await unknown({ deviceCode }, 'a second time')
    await assert.rejects(allowDeviceLogin(deps, actor, userCode.replace('-', ''), source()), {
      code: 'login_unknown',
    })
  })

  test('a login that a person has agreed to belongs to that person', async () => {
    const [ann, bob] = [await session(), await session('bob@example.org')]
    const { deviceCode, userCode } = await beginDeviceLogin(deps, source())
    const code = userCode.replace('-', '')
    await allowDeviceLogin(deps, ann.actor, code, source())
    await assert.rejects(allowDeviceLogin(deps, bob.actor, code, source()), { code: 'login_unknown' })
    assert.equal((await redeem({ deviceCode })).name, 'ann@example.org')
  })

  test('a device code ends after ten minutes, and is deleted', async () => {
    const { actor } = await session()
    const { deviceCode, userCode } = await beginDeviceLogin(deps, source())
    const from = deps.now()
    deps.setNow(from + 600_000)
    await unknown({ deviceCode })
    await assert.rejects(allowDeviceLogin(deps, actor, userCode.replace('-', ''), source()), {
      code: 'login_unknown',
    })
    await forgetOldLogins(deps)
    assert.equal((await deps.db.sql`select * from cli_logins`).length, 0)
    deps.setNow(from)
  })

  test('neither a code nor a token is stored', async () => {
    const { actor } = await session()
    const verifier = newSecret()
    const { code } = await allowLogin(deps, actor, challengeOf(verifier), source())
    const { deviceCode } = await beginDeviceLogin(deps, source())
    const { token } = await redeem({ code, verifier })
    const rows = JSON.stringify([
      await deps.db.sql`select * from cli_logins`,
      await deps.db.sql`select * from tokens`,
      await deps.db.sql`select * from audit`,
    ])
    for (const secret of [code, deviceCode, token, verifier]) assert.ok(!rows.includes(secret))
  })

  test('tokens of programs agree to nothing, and neither does the token of a command line', async () => {
    const { bearer, session: ofToken } = await program()
    const { actor } = await session()
    const verifier = newSecret()
    const { code } = await allowLogin(deps, actor, challengeOf(verifier), source())
    const ofPerson = await authenticateToken(deps, (await redeem({ code, verifier })).token, source())
    const { userCode } = await beginDeviceLogin(deps, source())
    for (const each of [bearer, ofToken, ofPerson]) {
      await assert.rejects(allowLogin(deps, each, challengeOf(verifier), source()), {
        code: 'person_required',
      })
      await assert.rejects(allowDeviceLogin(deps, each, userCode.replace('-', ''), source()), {
        code: 'person_required',
      })
    }
  })

  test('what a person agreed to ends with the session before it is used, and with all else of the person afterwards', async () => {
    const { actor } = await session('cat@example.org')
    const verifier = newSecret()
    const first = await allowLogin(deps, actor, challengeOf(verifier), source())
    const second = await allowLogin(deps, actor, challengeOf(verifier), source())
    const { token } = await redeem({ code: first.code, verifier })
    const root = (await program()).bearer
    assert.deepEqual(await endPerson(deps, root, 'cat@example.org'), { ended: 2 })
    await assert.rejects(authenticateToken(deps, token, source()), { code: 'session_over' })
    await unknown({ code: second.code, verifier })
  })

  test('a person ends the own token; that of a program stays', async () => {
    const { actor } = await session()
    const verifier = newSecret()
    const { code } = await allowLogin(deps, actor, challengeOf(verifier), source())
    const { token } = await redeem({ code, verifier })
    await endOwnToken(deps, await authenticateToken(deps, token, source()))
    await assert.rejects(authenticateToken(deps, token, source()), { code: 'session_over' })
    await assert.rejects(endOwnToken(deps, (await program()).bearer), { code: 'person_required' })
  })

  test('guessing codes is limited for each address', async () => {
    const { actor } = await session()
    const [one, other] = ['198.51.100.1', '198.51.100.2']
    for (let count = 0; count < 30; count++)
      await assert.rejects(redeemLogin(deps, { deviceCode: newSecret() }, one), { code: 'login_unknown' })
    await assert.rejects(redeemLogin(deps, { deviceCode: newSecret() }, one), { code: 'too_many_attempts' })
    for (let count = 0; count < 30; count++)
      await assert.rejects(allowDeviceLogin(deps, actor, 'BBBBBBBB', other), { code: 'login_unknown' })
    await assert.rejects(allowDeviceLogin(deps, actor, 'BBBBBBBB', other), { code: 'too_many_attempts' })
  })

  test('an address holds a few waiting logins at a time, and waiting for a person is no guess', async () => {
    const from = '198.51.100.3'
    const begun = await Promise.all(
      Array.from({ length: 10 }, async () => await beginDeviceLogin(deps, from)),
    )
    for (let count = 0; count < 40; count++)
      await redeemLogin(deps, { deviceCode: begun[0]!.deviceCode }, from)
    for (let count = 0; count < 10; count++) await beginDeviceLogin(deps, from)
    await assert.rejects(beginDeviceLogin(deps, from), { code: 'too_many_attempts' })
    await beginDeviceLogin(deps, source())
  })

  test('a device login needs a provider', async () => {
    await assert.rejects(beginDeviceLogin({ ...deps, provider: undefined }, source()), {
      code: 'provider_missing',
    })
  })
})
