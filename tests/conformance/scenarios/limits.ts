/** Limits of clients before login, and how the connection of a client that exceeds them ends. */
import { setTimeout as pause } from 'node:timers/promises'
import { expectOwn } from '../checks.ts'
import { expect, type Scenario, type World } from '../scenario.ts'
import { quote, type WireClient } from '../wire.ts'
import { residentBytes } from '../../support/resident-bytes.ts'

const tight = {
  clients: { loginTimeoutMs: 1000, lineBytesMax: 8192, preloginBytesMax: 16_384, preloginCommandsMax: 20 },
}

/** The connection ends with BYE and a reason. */
async function expectBye(client: WireClient, when: string): Promise<void> {
  const rest = await client.rest()
  const last = rest.trimEnd().split('\r\n').at(-1) ?? ''
  expect(/^\* BYE \S/.test(last), `${when} the connection ended with ${quote(last)}`)
}

function limited(
  name: string,
  guarantee: string,
  run: (client: WireClient, world: World) => Promise<void>,
): Scenario {
  return {
    name: `limit-${name}`,
    guarantee,
    on: 'stub',
    config: tight,
    run: async (world) => {
      const before = residentBytes([world.proxy.pid])
      await run(await world.connect(), world)
      const grown = (residentBytes([world.proxy.pid]) - before) >> 20
      expect(grown < 24, `the memory of the proxy grew by ${grown} MB`)
      expect(world.dials().length === 0, 'the server was asked')
    },
  }
}

/** Sends until the proxy closes the connection, at most 64 MB. */
async function sendWithoutEnd(client: WireClient, piece: string): Promise<void> {
  for (let sent = 0; sent < 64 << 20 && !client.ended; sent += piece.length) {
    client.send(piece)
    await new Promise(setImmediate)
  }
  expect(client.ended, 'the connection was not ended after 64 MB')
}

/** The place of a closed connection is free again soon. */
async function expectRoom(world: World): Promise<void> {
  for (let tries = 0; ; tries++) {
    const client = await world.dial()
    const greeting = await client.response('a greeting')
    await client.kill()
    if (greeting.startsWith('* OK')) return
    expect(tries < 50, 'the place of a closed connection was not free again')
  }
}

const giants = [
  '{2000000000}',
  '{2000000000+}',
  '{99999999999999999999}',
  '{99999999999999999999+}',
  '{17000+}',
]

export const limits: Scenario[] = [
  limited('line', 'a line longer than the limit before login ends with BYE', async (client) => {
    client.send(`a LOGIN ${'x'.repeat(9000)}`)
    await expectBye(client, 'after a line of 9,000 bytes')
  }),
  limited(
    'endless-line',
    'an endless line before login is cut off and costs little memory',
    async (client) => {
      await sendWithoutEnd(client, 'x'.repeat(65_536))
    },
  ),
  limited(
    'endless-literal',
    'an endless literal before login is cut off and costs little memory',
    async (client) => {
      client.send('a LOGIN {2000000000+}\r\n')
      await sendWithoutEnd(client, 'x'.repeat(65_536))
    },
  ),
  limited('giant-literal', 'a literal larger than the limit is refused with BYE', async (first, world) => {
    await first.kill()
    for (const giant of giants) {
      const client = await world.connect()
      client.send(`a LOGIN ${giant}\r\n`)
      const rest = await client.rest()
      expect(!rest.startsWith('+'), `${giant} was invited`)
      expect(/^\* BYE \S/m.test(rest), `after ${giant} the connection ended with ${quote(rest)}`)
    }
  }),
  limited('bytes', 'more bytes than the limit before login, in short lines, end with BYE', async (client) => {
    const line = `a NOOP ${'x'.repeat(2000)}\r\n`
    client.send(line.repeat(9))
    await expectBye(client, 'after 18,000 bytes')
  }),
  limited('commands', 'more commands than the limit before login end with BYE', async (client) => {
    client.send('a NOOP\r\n'.repeat(21))
    await expectBye(client, 'after 21 commands')
  }),
  limited('silence', 'a silent client is closed with BYE', async (client) => {
    await expectBye(client, 'after a second of silence')
  }),
  limited(
    'drip',
    'a client that sends single bytes slowly is closed at the same deadline',
    async (client) => {
      const startedAt = Date.now()
      while (!client.ended && Date.now() - startedAt < 5000) {
        client.send('x')
        await pause(50)
      }
      expect(client.ended, 'a byte every 50 ms held the connection for 5 s')
      await expectBye(client, 'after a byte every 50 ms')
    },
  ),
  limited('authenticate', 'a client that stops inside AUTHENTICATE is closed with BYE', async (client) => {
    client.send('a AUTHENTICATE LOGIN\r\n')
    await client.invitation()
    await expectBye(client, 'after a second inside AUTHENTICATE')
  }),
  {
    name: 'limit-failures',
    guarantee: 'refused logins on one connection end it with BYE after the third',
    on: 'any',
    config: { clients: { loginFailuresMax: 3 } },
    run: async (world) => {
      const user = await world.user()
      const client = await world.connect()
      for (const wrong of ['one', 'two', 'three']) {
        const reply = await client.command(`LOGIN ${user.name} ${wrong}`)
        expect(reply.status === 'NO', `a wrong password was answered ${reply.status}`)
      }
      await expectBye(client, 'after three refusals')
      await expectOwn(await world.login(user))
    },
  },
  {
    name: 'limit-connections',
    guarantee:
      'one address gets at most the configured number of connections, and another one when one is closed',
    on: 'stub',
    config: { clients: { connectionsPerAddressMax: 5 } },
    oursOnly: 'imapproxy has no such limit',
    run: async (world) => {
      const clients = []
      for (let count = 0; count < 5; count++) clients.push(await world.connect())
      await expectBye(await world.dial(), 'with five others open')
      await clients[0]?.kill('close')
      await expectRoom(world)
      for (const client of clients) await client.kill()
      await expectRoom(world)
    },
  },
]
