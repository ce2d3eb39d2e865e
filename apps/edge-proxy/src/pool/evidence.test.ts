/** The effect of a server's answer to a login on open connections, in every state. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { wire } from '../imap/cuts.test-support.ts'
import { serverAt, wellBehaved, type Script } from '../server/scripted-server.test-support.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import type { SecretChange } from './evidence.ts'
import { giveBackTo, poolAtWork, swapIn, untilTrue, type PoolAtWork } from './pool.test-support.ts'

/** A pool and a server on which passwords change. `answers` has answers by password; the default is OK. */
async function atWork(settings: Parameters<typeof poolAtWork>[0] = {}) {
  const work = await poolAtWork(settings)
  const answers = new Map<string, string>()
  const holds = new Set<string>()
  const script: Script = (asked) => {
    const { verb, text, tag, peer } = asked
    if (verb === 'NOOP' && holds.has(verb)) return undefined
    if (verb !== 'LOGIN' && verb !== 'AUTHENTICATE') return wellBehaved(asked)
    const last = text.split(' ').at(-1)!.replaceAll('"', '')
    const secret =
      verb === 'LOGIN'
        ? last
        : Buffer.from(last, 'base64')
            .toString()
            .split(/[\0\x01]/)
            .at(-1)!
    const answer = `${tag} ${answers.get(secret) ?? 'OK in'}\r\n`
    if (!holds.has(secret)) return answer
    late.push(() => peer.say(answer))
    return undefined
  }
  /** Answers that are held back. */
  const late: (() => void)[] = []
  work.scripted.script = script
  const changes: SecretChange[] = []
  work.pool.evidence.onChange = (each) => void changes.push(each)
  const idle = async (...who: Parameters<PoolAtWork['lease']>) => {
    const { connection } = await work.lease(...who)
    await giveBackTo(work.pool, connection)
    assert.equal(work.pool.connections.stateOf(connection), 'idle')
    return connection
  }
  return { ...work, answers, holds, late, changes, idle }
}

type AtWork = Awaited<ReturnType<typeof atWork>>

const no = 'NO [AUTHENTICATIONFAILED] no'

/** A connection of joe in this state, opened with A. `rest` continues it, and settles when no session uses it. */
type Staged = { connection?: ServerConnection; rest: () => Promise<void> }
const states: Record<string, (work: AtWork) => Promise<Staged>> = {
  async idle(work) {
    return { connection: await work.idle('joe', 'A'), rest: async () => {} }
  },
  async leased(work) {
    const { connection } = await work.lease('joe', 'A')
    return { connection, rest: () => giveBackTo(work.pool, connection) }
  },
  async resetting(work) {
    const { connection } = await work.lease('joe', 'A')
    const answer = held(work)
    const given = giveBackTo(work.pool, connection)
    return {
      connection,
      rest: async () => {
        await answer()
        await given
      },
    }
  },
  async 'resetting, and claimed by the next login'(work) {
    const { connection } = await work.lease('joe', 'A')
    const answer = held(work)
    const given = giveBackTo(work.pool, connection)
    const next = work.login('joe', 'A')
    return {
      connection,
      rest: async () => {
        await answer()
        await given
        const leased = await next
        if (leased.kind === 'leased') await giveBackTo(work.pool, leased.connection)
      },
    }
  },
  async 'being proven for a login'(work) {
    const connection = await work.idle('joe', 'A')
    connection.doubt()
    const answer = held(work)
    const next = work.login('joe', 'A')
    return {
      connection,
      rest: async () => {
        await answer()
        const leased = await next
        if (leased.kind === 'leased') await giveBackTo(work.pool, leased.connection)
      },
    }
  },
  async dialing(work) {
    work.holds.add('A')
    const login = work.login('joe', 'A')
    await untilTrue(() => work.late.length > 0)
    work.holds.delete('A')
    return {
      rest: async () => {
        work.late.shift()!()
        const leased = await login
        if (leased.kind === 'leased') await giveBackTo(work.pool, leased.connection)
      },
    }
  },
}

/** Holds back the answer to the next NOOP. The returned function sends it. */
function held({ holds, scripted }: AtWork): () => Promise<void> {
  holds.add('NOOP')
  const before = scripted.asked.filter((text) => text === 'NOOP').length
  return async () => {
    await untilTrue(() => scripted.asked.filter((text) => text === 'NOOP').length > before)
    holds.delete('NOOP')
    scripted.connections[0]!.say(`${scripted.tags[scripted.asked.lastIndexOf('NOOP')]} OK done\r\n`)
  }
}

/** Evidence that may arrive in that state. `ends`: why it closes the connection. */
const lessons: Record<string, { teach: (work: AtWork) => Promise<unknown>; ends?: string; evicts?: true }> = {
  'its secret is refused': {
    teach: (work) => fresh(work, 'A', no),
    ends: 'secret-refused',
  },
  'its secret is refused without a code': {
    teach: (work) => fresh(work, 'A', 'NO wrong'),
    ends: 'secret-refused',
  },
  'its secret has expired': { teach: (work) => fresh(work, 'A', 'NO [EXPIRED] x'), ends: 'secret-refused' },
  'its user is disabled': {
    teach: (work) => fresh(work, 'A', 'NO [CONTACTADMIN] x'),
    ends: 'secret-refused',
  },
  'its user may not log in': {
    teach: (work) => fresh(work, 'A', 'NO [AUTHORIZATIONFAILED] x'),
    ends: 'not-authorized',
  },
  'another secret is accepted for the first time': {
    teach: (work) => fresh(work, 'B', 'OK in'),
    ends: 'secret-superseded',
  },
  'another secret is accepted for the same name in capitals': {
    teach: (work) => fresh(work, 'B', 'OK in', 'JOE'),
    ends: 'secret-superseded',
  },
  'another edge reports a change for its user': {
    teach: async ({ pool }) => pool.evidence.changedElsewhere(new Set(['jane', 'joe'])),
    ends: 'fleet-evidence',
  },
  'a wrong secret is refused': { teach: (work) => fresh(work, 'wrong', no) },
  'the server is busy': { teach: (work) => fresh(work, 'A', 'NO [UNAVAILABLE] x'), evicts: true },
  'a limit is reached': { teach: (work) => fresh(work, 'A', 'NO [LIMIT] x'), evicts: true },
  'the mailbox is in use': { teach: (work) => fresh(work, 'A', 'NO [INUSE] x'), evicts: true },
  'the server is broken': { teach: (work) => fresh(work, 'A', 'NO [SERVERBUG] x') },
  'the server wants TLS': { teach: (work) => fresh(work, 'A', 'NO [PRIVACYREQUIRED] x') },
  'the server does not understand': { teach: (work) => fresh(work, 'A', 'BAD what') },
  'the server has gone': {
    teach: async (work) => {
      work.scripted.greeting = '* BYE gone\r\n'
      await fresh(work, 'A', 'OK in')
      work.scripted.greeting = '* OK ready\r\n'
    },
  },
  'another user’s secret is refused': { teach: (work) => fresh(work, 'A', no, 'jane') },
  'another user has a new secret': { teach: (work) => fresh(work, 'B', 'OK in', 'jane') },
  'another edge reports a change for another user': {
    teach: async ({ pool }) => pool.evidence.changedElsewhere(new Set(['jane'])),
  },
}

/** A login that the server checks, even if a connection is idle. */
async function fresh(work: AtWork, secret: string, answer: string, user = 'joe'): Promise<void> {
  work.answers.set(secret, answer)
  const resume = work.pool.suspendReuse()
  const result = await work.login(user, secret)
  resume()
  work.answers.delete(secret)
  if (result.kind === 'leased')
    await work.pool.giveBack(
      {
        connection: result.connection,
        refusal: 'kicked',
        unanswered: [],
        idling: false,
        usesCondstore: false,
        hadBad: false,
      },
      work.pool.connections.holderOf(result.connection)!,
    )
}

for (const [state, stage] of Object.entries(states))
  for (const [lesson, { teach, ends, evicts }] of Object.entries(lessons)) {
    // The login evicts the connection (capacity.test.ts).
    if (evicts && (state === 'idle' || state === 'resetting')) continue
    test(`${state}, ${lesson}: ${ends ?? 'it is kept'}`, async () => {
      const work = await atWork()
      const { connection, rest } = await stage(work)
      await teach(work)
      if (state === 'idle') assert.equal(connection!.link.isOpen, ends === undefined)
      await rest()
      const counted = (counter: string) => work.count(`${counter}{reason="${ends}"}`)
      if (ends !== undefined)
        assert.ok(counted('upstream_drops_total') + counted('reuse_refused_total') >= 1, 'not counted')
      if (connection) assert.equal(work.pool.connections.stateOf(connection), ends ? 'closed' : 'idle')
      else assert.equal(work.pool.connections.count('idle'), ends ? 0 : 1)
      await work.accounted()
    })
  }

for (const [user, more] of [
  ['JOE', {}],
  ['Joe', { authzid: wire('jane'), mechanism: 'PLAIN' }],
] as const)
  for (const lesson of [
    'its secret is refused',
    'another secret is accepted for the first time',
    'another edge reports a change for its user',
  ])
    test(`a login in progress as ${user}${'authzid' in more ? ' for jane' : ''}, ${lesson}: its connection is closed after the session`, async () => {
      const work = await atWork()
      work.holds.add('A')
      const login = work.login(user, 'A', more)
      await untilTrue(() => work.late.length > 0)
      work.holds.delete('A')
      await lessons[lesson]!.teach(work)
      work.late.shift()!()
      const leased = await login
      assert.ok(leased.kind === 'leased')
      await giveBackTo(work.pool, leased.connection)
      assert.equal(work.pool.connections.stateOf(leased.connection), 'closed')
    })

test('after a change of the password, the old one is refused, and a connection with the new one is idle', async () => {
  const { idle, login, lease, answers, logins } = await atWork()
  await idle('joe', 'A')
  answers.set('A', no)
  const changed = await idle('joe', 'B')
  assert.equal((await login('joe', 'A')).kind, 'refused')
  assert.equal((await lease('joe', 'B')).connection, changed)
  assert.equal(logins(), 3)
})

test('two secrets in turn need one more login each, and then both have idle connections', async () => {
  const { idle, logins } = await atWork()
  for (const [secret, expected] of [
    ['A', 1],
    ['B', 2],
    ['A', 3],
    ['B', 3],
    ['A', 3],
    ['B', 3],
  ] as const) {
    await idle('joe', secret)
    assert.equal(logins(), expected, secret)
  }
})

test('a secret that was refused counts as new when it is accepted again', async () => {
  const { pool, idle, login, answers } = await atWork()
  await idle('joe', 'A')
  const other = await idle('joe', 'B')
  answers.set('A', no)
  await login('joe', 'A')
  assert.ok(other.link.isOpen)
  answers.delete('A')
  await idle('joe', 'A')
  assert.equal(other.link.isOpen, false)
  assert.equal(pool.connections.count('idle'), 1)
})

test('a token and a password, and logins as other users, are secrets of the user who logs in', async () => {
  const work = await atWork()
  const { idle, lease } = work
  const token = { mechanism: 'XOAUTH2', secret: wire('user=joe\x01auth=Bearer t\x01\x01') } as const
  const password = await idle('joe', 'A')
  const opened = await idle('joe', '', token)
  assert.equal(password.link.isOpen, false)
  const asJane = await idle('joe', 'A', { authzid: wire('jane'), mechanism: 'PLAIN' })
  assert.ok(opened.link.isOpen, 'A was known')
  assert.equal(asJane.openedBy, 'joe')
  const jane = await idle('jane', 'J')
  assert.ok(asJane.link.isOpen)
  await lease('joe', 'B')
  assert.deepEqual([asJane.link.isOpen, opened.link.isOpen, jane.link.isOpen], [false, false, true])
  await fresh(work, 'J', no, 'jane')
  assert.equal(jane.link.isOpen, false)
})

test('the same token is the same secret in every form of message', async () => {
  const work = await atWork()
  const { idle, lease, answers, logins } = work
  const messages = [
    { mechanism: 'XOAUTH2', secret: wire('user=joe\x01auth=Bearer t\x01\x01') },
    { mechanism: 'OAUTHBEARER', secret: wire('n,a=joe,\x01host=h\x01auth=Bearer t\x01\x01') },
    { mechanism: 'OAUTHBEARER', secret: wire('n,a=joe,\x01host=g\x01port=1\x01auth=Bearer t\x01\x01') },
  ] as const
  const first = await idle('joe', '', messages[0])
  for (const message of messages) {
    const { connection } = await lease('joe', '', message)
    assert.equal(connection, first)
    await giveBackTo(work.pool, connection)
  }
  assert.equal(logins(), 1)
  const other = { mechanism: 'XOAUTH2', secret: wire('user=joe\x01auth=Bearer u\x01\x01') } as const
  await idle('joe', '', other)
  assert.equal(first.link.isOpen, false)
  const second = await idle('joe', '', messages[1])
  // The last field of these messages is empty.
  answers.set('', no)
  const resume = work.pool.suspendReuse()
  assert.equal((await work.login('joe', '', messages[0])).kind, 'refused')
  resume()
  assert.equal(second.link.isOpen, false, 'the refused token opened it')
})

test('a refusal of one identity does not affect the user’s other identities', async () => {
  const { idle, login, answers, pool } = await atWork()
  const own = await idle('joe', 'A')
  const asJane = await idle('joe', 'A', { authzid: wire('jane'), mechanism: 'PLAIN' })
  answers.set('A', 'NO [AUTHORIZATIONFAILED] not her')
  const resume = pool.suspendReuse()
  await login('joe', 'A', { authzid: wire('jane'), mechanism: 'PLAIN' })
  resume()
  assert.deepEqual([own.link.isOpen, asJane.link.isOpen], [true, false])
})

test('evidence applies to all servers, because two of them may be one mail system', async () => {
  const { idle, lease, scripted } = await atWork()
  const elsewhere = serverAt(scripted.port, {}, 'elsewhere')
  const there = await idle('joe', 'A', { server: elsewhere })
  const here = await idle('joe', 'A')
  assert.ok(there.link.isOpen, 'the same secret')
  await lease('joe', 'B')
  assert.deepEqual([there.link.isOpen, here.link.isOpen], [false, false])
})

test('with a master user, the server checks identities but not the secrets of clients', async () => {
  const limits = { masterUser: 'master', masterPassword: 'M', sharedSecret: 'S' }
  const { idle, login, answers, changes, pool } = await atWork({ limits })
  const [joe, jane] = [await idle('joe', 'S'), await idle('jane', 'S')]
  assert.deepEqual(changes, [])
  // The edge itself refuses this login.
  for (const wrong of ['', 'wrong', 's']) assert.equal((await login('joe', wrong)).kind, 'refused')
  assert.deepEqual([joe.link.isOpen, jane.link.isOpen, changes.length], [true, true, 0])
  answers.set('M', no)
  const resume = pool.suspendReuse()
  await login('joe', 'S')
  await login('jim', 'S')
  resume()
  assert.deepEqual([joe.link.isOpen, jane.link.isOpen], [false, true])
  assert.deepEqual(changes, [{ kind: 'refused', user: 'joe' }])
})

test('other edges are notified of a new secret and of the refusal of an accepted one, without any form of the secret', async () => {
  const work = await atWork()
  const { changes, idle, login, answers } = work
  await idle('Joe', 'A')
  assert.deepEqual(changes.splice(0), [{ kind: 'proven', user: 'joe' }])
  await idle('Joe', 'A')
  await fresh(work, 'A', 'OK in', 'joe')
  answers.set('wrong', no)
  await login('joe', 'wrong')
  await login('jane', 'wrong')
  await fresh(work, 'A', 'NO [UNAVAILABLE] x')
  assert.deepEqual(changes, [])
  await fresh(work, 'A', no)
  assert.deepEqual(changes.splice(0), [{ kind: 'refused', user: 'joe' }])
  await fresh(work, 'A', no)
  assert.deepEqual(changes, [])
  await idle('joe', 'A')
  changes.length = 0
  work.pool.evidence.changedElsewhere(new Set(['joe']))
  await fresh(work, 'A', 'OK in')
  assert.deepEqual(changes, [], 'a change that another edge reported is not sent again')
})

test('a change that another edge reports ends connections opened before it, but none opened after it', async () => {
  const { pool, idle, lease } = await atWork()
  await idle('joe', 'A')
  pool.evidence.changedElsewhere(new Set(['joe']))
  const later = await idle('joe', 'A')
  assert.equal((await lease('joe', 'A')).connection, later)
})

test('a distrusted connection does not prove its secret: a login with it evicts nothing before the server accepts it', async () => {
  const limits = { connectionsMax: 2, connectionsPerUserMax: 0 }
  const { pool, lease, login, idle, answers } = await atWork({ limits })
  await lease('joe', 'A')
  const other = await idle('jane', 'J')
  answers.set('A', no)
  pool.evidence.changedElsewhere(new Set(['joe']))
  await login('joe', 'A')
  assert.ok(other.link.isOpen)
})

test('a connection is not leased if evidence comes between the end of its reset and the lease', async () => {
  const work = await atWork()
  const { connection } = await work.lease('joe', 'A')
  const given = giveBackTo(work.pool, connection)
  const next = work.lease('joe', 'A')
  void given.then(() => work.pool.evidence.changedElsewhere(new Set(['joe'])))
  assert.equal((await next).reused, false)
  assert.equal(connection.link.isOpen, false)
})

test('ENABLE does not move a session to a connection whose secret was refused', async () => {
  const { pool, lease, server, idle, answers, login } = await atWork()
  const { connection: enabled } = await lease('joe', 'A')
  enabled.enabledByOne(['QRESYNC'], 'QRESYNC')
  const { connection } = await lease('joe', 'A')
  await giveBackTo(pool, enabled)
  answers.set('A', no)
  await login('joe', 'A')
  assert.equal(swapIn(pool, server, 'QRESYNC', connection), undefined)
  answers.delete('A')
  await idle('joe', 'A')
})

/** Random histories, compared with a model of the right passwords and the evidence about them. */
test('after any history, the secret of an idle connection was not refused or superseded since it was opened', async () => {
  const secrets = ['A', 'B', 'C'] as const
  const step = fc.record({
    kind: fc.constantFrom('page', 'page', 'page', 'change', 'changed-elsewhere'),
    secret: fc.constantFrom(...secrets),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const work = await atWork()
      const refused = (secret: string) => work.answers.has(secret)
      /** Secrets that should have an idle connection, by the rules of evidence. */
      const reusable = new Set<string>()
      const known = new Set<string>()
      for (const { kind, secret } of steps) {
        if (kind === 'change') {
          if (refused(secret)) work.answers.delete(secret)
          else work.answers.set(secret, no)
        } else if (kind === 'changed-elsewhere') {
          work.pool.evidence.changedElsewhere(new Set(['joe']))
          reusable.clear()
        } else {
          const result = await work.login('joe', secret)
          const isReusable = reusable.has(secret)
          assert.equal(result.kind === 'leased' && result.reused, isReusable, `${secret} is reusable`)
          if (!isReusable) assert.equal(result.kind === 'refused', refused(secret))
          if (result.kind === 'refused') {
            known.delete(secret)
            continue
          }
          if (!isReusable && !known.has(secret)) reusable.clear()
          known.add(secret)
          reusable.add(secret)
          await giveBackTo(work.pool, result.connection)
        }
        assert.equal(work.pool.connections.count('idle'), reusable.size)
      }
    }),
    { seed: 11, numRuns: 60 },
  )
})
