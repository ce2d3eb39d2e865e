/** After a user is revoked, the old secret is refused, whatever state the connections of the user are in. */
import { expectOwn, logout, settled } from '../checks.ts'
import { startFleet } from '../nats-fleet.ts'
import { startProxy } from '../proxy-process.ts'
import { expect, type MailAccount, type Scenario, type StubWorld } from '../scenario.ts'

/** Every login with the old secret is refused, because it reaches the server, which has a new one. */
async function expectRevoked(world: StubWorld, user: MailAccount): Promise<void> {
  for (let round = 0; round < 3; round++) {
    const client = await world.connect()
    const { status } = await client.command(`LOGIN ${user.name} ${user.secret}`)
    expect(
      status === 'NO',
      'after the revocation the old secret was answered OK: an idle connection was left',
    )
  }
}

function changeSecret(world: StubWorld, user: MailAccount): void {
  const account = world.stub.accounts.get(user.name)
  if (account) account.secret = 'secret-of-tomorrow'
}

/** Runs `play` with a separate edge that is part of a fleet, and with a function that revokes a user. */
function revoked(
  name: string,
  guarantee: string,
  play: (world: StubWorld, revoke: (user: MailAccount) => Promise<void>) => Promise<void>,
): Scenario {
  return {
    name: `revoked-${name}`,
    guarantee,
    on: 'stub',
    oursOnly: 'imapproxy has no revocations',
    run: async (world) => {
      const fleet = await startFleet({ region: 'lab', edge: 'conformance' })
      const config = { fleet: { servers: [fleet.url] }, pool: { resetTimeoutMs: 3000 } }
      const proxy = await startProxy('ours', { upstreamPort: world.stub.port, isStub: true, config })
      try {
        await fleet.joined(proxy)
        await play(world.behind(proxy), (user) => fleet.revoke(proxy, user.name))
      } finally {
        await proxy.stop()
        await fleet.stop()
      }
    },
  }
}

export const revocation: Scenario[] = [
  revoked('idle', 'a revocation closes an idle connection immediately', async (world, revoke) => {
    const [user, other] = [await world.user(), await world.user()]
    await logout(await world.login(user))
    await logout(await world.login(other))
    await settled(world.proxy)
    changeSecret(world, user)
    await revoke(user)
    await expectRevoked(world, user)
    expect((await world.login(other)).reused, 'another user’s connection was gone too')
  }),
  revoked('leased', 'a connection in use when its user is revoked is not kept', async (world, revoke) => {
    const user = await world.user()
    const session = await world.login(user)
    changeSecret(world, user)
    await revoke(user)
    await session.client.command('LOGOUT').catch(() => undefined)
    await settled(world.proxy)
    await expectRevoked(world, user)
  }),
  revoked(
    'resetting',
    'a connection that is being reset when its user is revoked is not kept',
    async (world, revoke) => {
      const user = await world.user()
      const session = await world.login(user)
      const gate = Promise.withResolvers<void>()
      let isAsked = false
      world.stub.behave(async (command) => {
        if (command.name !== 'NOOP') return false
        isAsked = true
        world.stub.signal.changed()
        await gate.promise
        return false
      })
      await logout(session)
      await world.until(() => isAsked, 'a reset')
      changeSecret(world, user)
      await revoke(user)
      gate.resolve()
      await settled(world.proxy)
      await expectRevoked(world, user)
    },
  ),
  revoked(
    'dialing',
    'a connection that is being logged in when its user is revoked is not kept',
    async (world, revoke) => {
      const user = await world.user()
      const gate = Promise.withResolvers<void>()
      world.stub.behave(async (command, connection) => {
        if (!/LOGIN|AUTHENTICATE/.test(command.name) || connection.user !== undefined) return false
        // The server accepted the login before the secret changed, and its answer is still to come.
        connection.user = user.name
        world.stub.signal.changed()
        await gate.promise
        connection.send(`${command.tag} OK Logged in\r\n`)
        return true
      })
      const client = await world.connect()
      const tag = client.tag()
      client.send(`${tag} LOGIN ${user.name} ${user.secret}\r\n`)
      await world.until(() => world.stub.connections.some((seen) => seen.user === user.name), 'the login')
      changeSecret(world, user)
      await revoke(user)
      world.stub.reset()
      gate.resolve()
      await client.reply(tag)
      await client.command('LOGOUT').catch(() => undefined)
      await settled(world.proxy)
      await expectRevoked(world, user)
    },
  ),
  revoked(
    'busy',
    'a revocation in the middle of many logins of its user leaves no idle connection',
    async (world, revoke) => {
      const user = await world.user()
      let isOver = false
      const visitor = async () => {
        while (!isOver) {
          const client = await world.connect()
          const reply = await client.command(`LOGIN ${user.name} ${user.secret}`)
          if (reply.status === 'OK') await client.command('LOGOUT').catch(() => undefined)
          await client.kill()
        }
      }
      const visits = Promise.all(Array.from({ length: 4 }, () => visitor()))
      // Awaited below. A failure before is reported by what fails here.
      visits.catch(() => undefined)
      await world.until(() => world.dials().length >= 3, 'three logins')
      changeSecret(world, user)
      await revoke(user)
      isOver = true
      await visits
      await settled(world.proxy)
      await expectRevoked(world, user)
      const now = { ...user, secret: 'secret-of-tomorrow' }
      await expectOwn(await world.login(now))
    },
  ),
]
