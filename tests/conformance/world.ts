/**
 * Puts a proxy in front of a server and gives scenarios their functions. Checks after every scenario that the proxy runs,
 * serves a new user, holds exactly the connections that the server sees, and wrote no secret.
 */
import { freePort } from '@imapfleet/local'
import { StubImapd } from '../support/stub-imapd.ts'
import { StubTap } from '../support/stub-tap.ts'
import { expectInvariant, expectOwn, sessionOf, settled } from './checks.ts'
import { bodiesIn, deliverTo, makeAccount, type ConformanceDovecot } from './dovecot.ts'
import { startProxy, type ProxyName, type ProxyProcess } from './proxy-process.ts'
import { expect, type Scenario, type StubWorld } from './scenario.ts'
import { WireClient, quote } from './wire.ts'

/** A proxy and the server behind it: the stub, or a recording relay to Dovecot. */
export interface Stage {
  proxy: ProxyProcess
  seen: StubImapd | StubTap
  dovecot: ConformanceDovecot | undefined
  stop(): Promise<void>
}

let userCount = 0
let clientCount = 0

/** In front of `dovecot`, which the caller stops, or in front of a new stub server. */
export async function startStage(
  name: ProxyName,
  scenario: Scenario,
  dovecot?: ConformanceDovecot,
  isAhead = false,
): Promise<Stage> {
  const port = await freePort()
  const seen = dovecot ? new StubTap(port, dovecot.port) : new StubImapd(port)
  await seen.listen()
  try {
    const { config = {}, keywords = {} } = scenario
    const isStub = dovecot === undefined
    const proxy = await startProxy(name, { upstreamPort: port, isStub, config, keywords, isAhead })
    const stop = async () => {
      await proxy.stop()
      await seen.close()
    }
    return { proxy, seen, dovecot, stop }
  } catch (error) {
    await seen.close()
    throw error
  }
}

/**
 * The world of one scenario on a stage. Call `conclude` when the scenario has succeeded, and `dismiss` to disconnect its
 * clients in any case.
 */
export function makeWorld(
  { proxy, seen, dovecot }: Stage,
  scenario: Scenario,
): { world: StubWorld; conclude(): Promise<void>; dismiss(): Promise<void> } {
  const clients: WireClient[] = []
  // Conditions on what the server has received are checked at each event.
  seen.forget()
  // An edge can open a connection before the login that uses it, and in an earlier scenario.
  const isOfEarlier = new Set(seen.connections.filter(({ received }) => triesLogin(received)))

  const worldBehind = (front: ProxyProcess): StubWorld => {
    const patienceMs = front.name === 'ours' ? 20_000 : 2500
    const world: StubWorld = {
      proxy: front,
      patienceMs,
      get stub() {
        if (seen instanceof StubImapd) return seen
        throw new Error('this scenario needs the stub server')
      },
      behind: worldBehind,
      dials: () =>
        seen.connections.filter(
          (connection) => !isOfEarlier.has(connection) && triesLogin(connection.received),
        ),
      until: async (condition, what) =>
        expect(await seen.signal.until(condition, patienceMs), `the server never saw ${what}`),
      user: async (name = `u${(userCount += 1)}x`) => {
        const account = { name, secret: `secret-of-${name}` }
        if (seen instanceof StubImapd) seen.account(account.name, account.secret)
        else if (dovecot) await makeAccount(dovecot, account)
        return { name, secret: scenario.secret ?? account.secret }
      },
      dial: async () => {
        clientCount += 1
        const client = await WireClient.open(front.port, `${letters(clientCount)}-`, patienceMs)
        clients.push(client)
        return client
      },
      connect: async () => {
        const client = await world.dial()
        const greeting = await client.response('a greeting')
        expect(greeting.startsWith('* OK '), `the greeting is ${quote(greeting)}`)
        return client
      },
      login: async (user) => {
        const client = await world.connect()
        return sessionOf(client, user, await client.command(`LOGIN ${user.name} ${user.secret}`))
      },
      deliver: async (user, body) => {
        if (dovecot) await deliverTo(dovecot, user, body)
        else deliverAt(world.stub, user.name, body)
      },
      bodies: async (user) => {
        if (dovecot) return bodiesIn(dovecot, user)
        const mails = world.stub.accounts.get(user.name)?.box('INBOX') ?? []
        return mails.map((mail) => mail.body.toString('latin1'))
      },
    }
    return world
  }

  const world = worldBehind(proxy)
  const dismiss = async () => {
    for (const client of clients) await client.kill()
  }
  const conclude = async () => {
    await dismiss()
    if (seen instanceof StubImapd) seen.reset()
    const session = await world.login(await world.user())
    await expectOwn(session)
    await session.client.kill()
    await settled(proxy)
    await expectInvariant(proxy, () => seen.connections.filter((connection) => connection.open).length)
    const leak = /secret-of-\w+/.exec(proxy.log())
    expect(leak === null, `the log of the proxy holds a secret: ${leak?.[0]}`)
    if (seen instanceof StubImapd && seen.faults.length > 0)
      throw new Error('the stub server itself failed', { cause: seen.faults[0] })
  }
  return { world, conclude, dismiss }
}

/** Sessions with INBOX selected learn of it with their next command. */
function deliverAt(stub: StubImapd, name: string, body: string): void {
  const account = stub.accounts.get(name)
  account?.append('INBOX', Buffer.from(body, 'latin1'))
  for (const connection of stub.connections)
    if (connection.user === name && connection.selected?.toUpperCase() === 'INBOX')
      connection.news = `* ${account?.box('INBOX')?.length} EXISTS\r\n`
}

const triesLogin = (received: string) => /^\S+ (?:LOGIN|AUTHENTICATE)\b/im.test(received)

/** 1 → a, 27 → aa: a tag prefix that identifies a client in a report. */
function letters(count: number): string {
  const rest = Math.floor((count - 1) / 26)
  return (rest > 0 ? letters(rest) : '') + String.fromCharCode(97 + ((count - 1) % 26))
}
