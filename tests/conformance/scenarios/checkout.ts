/** Leases of a connection at the moment when it expires, reaches a limit, or is no longer configured. */
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '@imapfleet/local'
import { StubImapd } from '../../support/stub-imapd.ts'
import { expectOwn, logout, settled } from '../checks.ts'
import { expect, type Scenario } from '../scenario.ts'
import { quote } from '../wire.ts'

const room = (limits: Record<string, number>) => ({ upstreams: { main: limits } })

export const checkout: Scenario[] = [
  {
    name: 'uses-max',
    guarantee: 'a connection serves usesMax sessions and is not leased again',
    on: 'stub',
    config: { pool: { usesMax: 2 } },
    oursOnly: 'imapproxy has no such limit',
    run: async (world) => {
      const user = await world.user()
      for (let session = 1; session <= 4; session++) {
        await logout(await world.login(user))
        await settled(world.proxy)
        const due = Math.ceil(session / 2)
        expect(
          world.dials().length === due,
          `session ${session} made it ${world.dials().length} connections, not ${due}`,
        )
      }
    },
  },
  {
    name: 'lifetime-max',
    guarantee: 'a connection older than lifetimeMaxMs is not leased again, however often it was used (D12)',
    on: 'stub',
    config: { pool: { lifetimeMaxMs: 1000 } },
    oursOnly: 'imapproxy has no such limit',
    run: async (world) => {
      const user = await world.user()
      const first = await world.login(user)
      for (const end = Date.now() + 1400; Date.now() < end; await pause(200))
        await first.client.command('NOOP')
      await logout(first)
      await settled(world.proxy)
      const next = await world.login(user)
      expect(!next.reused && world.dials().length === 2, 'a connection of 1.4 s was leased')
      await expectOwn(next)
    },
  },
  {
    name: 'expiry',
    guarantee: 'a login at the moment at which the idle connection expires works',
    on: 'stub',
    config: { pool: { idleTimeoutMs: 1000 } },
    keywords: { cache_expiration_time: '1' },
    run: async (world) => {
      const users = await Promise.all(Array.from({ length: 16 }, () => world.user()))
      for (const user of users) await logout(await world.login(user))
      await settled(world.proxy)
      const late = users.map(async (user, at) => {
        await pause(800 + at * 25)
        for (let round = 0; round < 3; round++) {
          const session = await world.login(user)
          await expectOwn(session)
          await logout(session)
        }
      })
      await Promise.all(late)
    },
  },
  {
    name: 'expiry-closes',
    guarantee: 'an idle connection is closed when its timeout expires',
    on: 'stub',
    config: { pool: { idleTimeoutMs: 1000 } },
    oursOnly: 'imapproxy checks once a minute',
    run: async (world) => {
      await logout(await world.login(await world.user()))
      await settled(world.proxy)
      await world.until(() => world.dials().every(({ open }) => !open), 'the end of the idle connection')
    },
  },
  {
    name: 'reload',
    guarantee:
      'a configuration change in the middle of many logins fails none of them, and later logins never reach the old server',
    on: 'stub',
    config: { pool: { usesMax: 900 } },
    oursOnly: 'imapproxy cannot reload',
    run: async (world) => {
      const other = new StubImapd(await freePort())
      await other.listen()
      const users = await Promise.all(Array.from({ length: 4 }, () => world.user()))
      for (const user of users) other.account(user.name, user.secret)
      // This user does not log in again: the idle connection must be closed nevertheless.
      await logout(await world.login(await world.user()))
      let isOver = false
      const visitors = users.map(async (user) => {
        while (!isOver) {
          const session = await world.login(user)
          await expectOwn(session)
          await logout(session)
        }
      })
      try {
        await world.until(() => world.dials().length >= 4, 'four logins')
        await world.proxy.reload({ upstreams: { main: { port: other.port } } })
        const before = world.dials().length
        isOver = true
        await Promise.all(visitors)
        for (const user of users) await expectOwn(await world.login(user))
        expect(world.dials().length <= before + users.length, 'the old server got new logins')
        expect(other.connections.length > 0, 'the new server got no login')
        const all = world.dials()
        await world.until(() => all.every(({ open }) => !open), 'the end of its connections after the change')
      } finally {
        isOver = true
        await Promise.allSettled(visitors)
        await world.proxy.reload({})
        await other.close()
      }
    },
  },
  {
    name: 'room',
    guarantee: 'at the connection limit a login waits, and an idle connection of another user is evicted',
    on: 'stub',
    config: room({ connectionsMax: 2, connectionsSpareMax: 0, queueMax: 2, queueTimeoutMs: 4000 }),
    oursOnly: 'imapproxy refuses immediately when its cache is full',
    run: async (world) => {
      const [anna, bela, carl, dora] = [
        await world.user(),
        await world.user(),
        await world.user(),
        await world.user(),
      ]
      await logout(await world.login(anna))
      await settled(world.proxy)
      const [one, two] = [await world.login(bela), await world.login(carl)]
      const waiting = world.login(dora)
      waiting.catch(() => undefined)
      await expectOwn(two)
      await logout(one)
      await expectOwn(await waiting)
      const open = world.stub.connections.filter((connection) => connection.open).length
      expect(open <= 2, `the server sees ${open} connections, 2 are allowed`)
    },
  },
  {
    name: 'queue',
    guarantee:
      'a login that finds the queue full, or waits in it too long, is refused as unavailable; one that leaves it costs no connection',
    on: 'stub',
    config: room({ connectionsMax: 2, queueMax: 2, queueTimeoutMs: 700 }),
    oursOnly: 'imapproxy has no queue',
    run: async (world) => {
      const [anna, bela, carl] = [await world.user(), await world.user(), await world.user()]
      const sessions = [await world.login(anna), await world.login(bela)]
      const queued = [await world.connect(), await world.connect(), await world.connect()] as const
      const tags = queued.map((client) => client.tag())
      for (const [at, client] of queued.entries())
        client.send(`${tags[at]} LOGIN ${carl.name} ${carl.secret}\r\n`)
      await queued[0].kill()
      const replies = [await queued[1].reply(tags[1] ?? ''), await queued[2].reply(tags[2] ?? '')]
      for (const { status, text } of replies) {
        const isHonest = status === 'NO' && /^\[(?:UNAVAILABLE|LIMIT|INUSE)\]/.test(text)
        expect(isHonest, `a login without room was answered ${status} ${quote(text)}`)
      }
      expect(world.dials().length === 2, `the server saw ${world.dials().length} connections, 2 are allowed`)
      for (const session of sessions) await logout(session)
      await settled(world.proxy)
      await expectOwn(await world.login(carl))
    },
  },
  {
    name: 'room-per-user',
    guarantee:
      'one user gets at most the configured number of connections; the next session waits, other users do not',
    on: 'stub',
    config: room({ connectionsPerUserMax: 1, queueTimeoutMs: 4000 }),
    oursOnly: 'imapproxy has no such limit',
    run: async (world) => {
      const [anna, bela] = [await world.user(), await world.user()]
      const one = await world.login(anna)
      const waiting = world.login(anna)
      waiting.catch(() => undefined)
      await expectOwn(await world.login(bela))
      await logout(one)
      await expectOwn(await waiting)
      const ofAnna = world.stub.connections.filter(({ open, user }) => open && user === anna.name).length
      expect(ofAnna === 1, `the server sees ${ofAnna} connections of one user, 1 is allowed`)
    },
  },
]
