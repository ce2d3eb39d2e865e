/**
 * Clients that disconnect in the middle of something, as PHP does at a timeout. What they left incomplete must not reach the
 * next session, and must not turn its commands into mail.
 */
import { expectOwn, expectUnselected, logout, settled } from '../checks.ts'
import { expect, type MailAccount, type Scenario, type World } from '../scenario.ts'
import { quote, type WireClient } from '../wire.ts'
import { residentBytes } from '../../support/resident-bytes.ts'

/** Two sessions in a row are the user's own, in step, and have nothing selected. */
async function expectNextClean(world: World, user: MailAccount): Promise<void> {
  for (let round = 0; round < 2; round++) {
    const next = await world.login(user)
    await expectOwn(next)
    await expectUnselected(next)
    await next.client.command('LOGOUT')
    await settled(world.proxy)
  }
}

/** The user has only mails that a client meant to send. */
async function expectMailsWhole(world: World, user: MailAccount, whole: string[] = []): Promise<void> {
  const bodies = (await world.bodies(user)).slice(3)
  const torn = bodies.find((body) => !whole.includes(body))
  expect(torn === undefined, `a mail was stored that no client sent: ${quote(torn ?? '')}`)
}

const head = 'From: me\r\nSubject: torn\r\n\r\n'

/** What a client sends before it is killed. `then` runs after these bytes. */
interface Death {
  name: string
  guarantee: string
  send: (client: WireClient) => void
  then?: (client: WireClient) => Promise<unknown>
  /** Mails that were complete, and may therefore have been stored. */
  whole?: string[]
}

const deaths: Death[] = [
  {
    name: 'mid-line',
    guarantee:
      'a client killed in the middle of a command line leaves no bytes in front of the next session’s commands',
    send: (client) => client.send(`${client.tag()} STATUS "box`),
  },
  {
    name: 'mid-command',
    guarantee: 'a client killed while commands are being answered leaves no reply for the next session (D1)',
    send: (client) => {
      for (let count = 0; count < 20; count++) client.send(`${client.tag()} FETCH 1:* BODY.PEEK[]\r\n`)
    },
  },
  {
    name: 'before-invitation',
    guarantee:
      'after a client killed right after announcing a literal, the server does not wait for that literal',
    send: (client) => client.send(`${client.tag()} APPEND INBOX {45}\r\n`),
  },
  {
    name: 'mid-literal',
    guarantee: 'a client killed inside a literal never has the next session’s commands stored as mail (D2)',
    send: (client) => client.send(`${client.tag()} APPEND INBOX {45}\r\n`),
    then: async (client) => {
      await client.invitation()
      client.send(head)
    },
  },
  {
    name: 'mid-literal-plus',
    guarantee: 'a client killed inside a LITERAL+ never has the next session’s commands stored as mail (D2)',
    send: (client) => client.send(`${client.tag()} APPEND INBOX {45+}\r\n${head}`),
  },
  {
    name: 'mid-multi-append',
    guarantee:
      'a client killed inside the second mail of a MULTIAPPEND never has the next session’s commands stored (D2)',
    send: (client) =>
      client.send(`${client.tag()} APPEND INBOX {${head.length}+}\r\n${head} {45+}\r\n${head}`),
    whole: [head],
  },
  {
    name: 'between-multi-append',
    guarantee:
      'a client killed between two mails of a MULTIAPPEND never has the next session’s commands taken as its end',
    send: (client) => client.send(`${client.tag()} APPEND INBOX {${head.length}+}\r\n${head}`),
    whole: [head],
  },
  {
    name: 'in-idle',
    guarantee: 'a client killed in IDLE does not leave the next session in IDLE (D3)',
    send: (client) => client.send(`${client.tag()} IDLE\r\n`),
    then: (client) => client.invitation(),
  },
  {
    name: 'idle-not-begun',
    guarantee: 'a client killed before its IDLE was accepted does not leave the next session in IDLE',
    send: (client) => client.send(`${client.tag()} IDLE\r\n`),
  },
  {
    name: 'idle-half-done',
    guarantee: 'a client killed in the middle of the word DONE does not leave the next session in IDLE',
    send: (client) => client.send(`${client.tag()} IDLE\r\n`),
    then: async (client) => {
      await client.invitation()
      client.send('DO')
    },
  },
  {
    name: 'at-logout',
    guarantee: 'a client killed right after its LOGOUT leaves no trace',
    send: (client) => client.send(`${client.tag()} FETCH 1:* BODY.PEEK[]\r\n${client.tag()} LOGOUT\r\n`),
  },
]

function killedScenario(death: Death, how: 'close' | 'reset'): Scenario {
  return {
    name: `killed-${death.name}${how === 'reset' ? '' : '-politely'}`,
    guarantee: how === 'reset' ? death.guarantee : `${death.guarantee}, even if it closed cleanly`,
    on: 'any',
    run: async (world) => {
      for (const rush of [false, true]) {
        const user = await world.user()
        const { client } = await world.login(user)
        await client.command('SELECT INBOX')
        death.send(client)
        await death.then?.(client)
        await client.kill(how)
        if (!rush) await settled(world.proxy)
        try {
          await expectNextClean(world, user)
        } finally {
          // Also after a failure, because commands stored as mail are a worse finding than a missing reply.
          await expectMailsWhole(world, user, death.whole)
        }
      }
    },
  }
}

/** The server does not answer a command, the client sends LOGOUT after it, and then disconnects. */
function killedWhileWaiting(how: 'close' | 'reset', more: string): Scenario {
  const volume = more === '' ? '' : ', with much more data after it,'
  return {
    name: `killed-while-waiting${how === 'close' ? '-politely' : ''}${more === '' ? '' : '-full'}`,
    guarantee: `a client that ${how}s while its LOGOUT${volume} waits for a reply holds no connection at the server`,
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      const { client } = await world.login(user)
      client.send(`${client.tag()} SLOW\r\n${client.tag()} LOGOUT\r\n${more}`)
      await world.until(() => world.stub.slow > 0, 'SLOW')
      await client.kill(how)
      await settled(world.proxy)
      world.stub.trigger()
      await expectNextClean(world, user)
    },
  }
}

function killedInAuthenticate(mechanism: 'LOGIN' | 'PLAIN'): Scenario {
  return {
    name: `killed-in-authenticate-${mechanism.toLowerCase()}`,
    guarantee: `a client killed inside AUTHENTICATE ${mechanism} harms no other session, and nothing reaches the server`,
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const client = await world.connect()
      client.send(`${client.tag()} AUTHENTICATE ${mechanism}\r\n`)
      await client.invitation()
      client.send('AGhhbGY')
      await client.kill()
      await expectNextClean(world, user)
      const seen = world.dials().some(({ received }) => received.includes('AGhhbGY'))
      expect(!seen, 'half a SASL response was sent to the server')
    },
  }
}

export const killed: Scenario[] = [
  ...deaths.map((death) => killedScenario(death, 'reset')),
  ...deaths
    .filter((death) => /^mid-(?:command|literal)$/.test(death.name))
    .map((death) => killedScenario(death, 'close')),
  {
    name: 'killed-slow-command',
    guarantee: 'the late reply to a command of a killed client never reaches another session (D1)',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      const dead = await world.login(user)
      dead.client.send(`${dead.client.tag()} SLOW\r\n`)
      await world.until(() => world.stub.slow > 0, 'SLOW')
      await dead.client.kill()
      await settled(world.proxy)
      const next = await world.login(user)
      world.stub.trigger()
      await expectOwn(next)
      await logout(next)
      await expectNextClean(world, user)
    },
  },
  ...(['close', 'reset'] as const).map((how) => killedWhileWaiting(how, '')),
  ...(['close', 'reset'] as const).map((how) => killedWhileWaiting(how, 'x NOOP\r\n'.repeat(40_000))),
  {
    name: 'killed-half-closed',
    guarantee: 'a client that stops sending gets no data of other users, and the next session is clean',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const { client } = await world.login(user)
      const tag = client.tag()
      client.send(`${tag} SELECT INBOX\r\n`)
      client.halfClose()
      const rest = await client.rest()
      const unexpected = rest
        .split('\r\n')
        .filter((line) => line !== '' && !line.startsWith('* ') && !line.startsWith(tag))
      expect(unexpected.length === 0, `after its last command came ${quote(rest)}`)
      await expectNextClean(world, user)
    },
  },
  {
    name: 'killed-unread-fetch',
    guarantee:
      'a client that never reads its replies costs little memory, and leaves nothing for the next session',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      world.stub.accounts.get(user.name)?.append('INBOX', Buffer.alloc(64 << 20, 'endless '))
      const { client } = await world.login(user)
      await client.command('SELECT INBOX')
      const before = residentBytes([world.proxy.pid])
      client.pause()
      client.send(`${client.tag()} FETCH 4 BODY.PEEK[]\r\n`)
      await world.until(() => world.dials().some(({ received }) => received.includes('FETCH 4')), 'FETCH')
      // Other sessions in between give the flood time to fill all buffers.
      const other = await world.user()
      for (let round = 0; round < 20; round++) {
        const session = await world.login(other)
        await expectOwn(session)
        await session.client.command('LOGOUT')
      }
      const grown = (residentBytes([world.proxy.pid]) - before) >> 20
      expect(grown < 32, `the memory of the proxy grew by ${grown} MB for a client that reads nothing`)
      await client.kill()
      await expectNextClean(world, user)
    },
  },
  killedInAuthenticate('LOGIN'),
  { ...killedInAuthenticate('PLAIN'), oursOnly: 'imapproxy knows AUTHENTICATE LOGIN only' },
  {
    name: 'killed-while-logging-in',
    guarantee:
      'a client killed while the server decides on its login leaves no connection that another user could get',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      const gate = Promise.withResolvers<void>()
      world.stub.behave(async (command) => {
        if (/LOGIN|AUTHENTICATE/.test(command.name)) await gate.promise
        return false
      })
      const client = await world.connect()
      client.send(`${client.tag()} LOGIN ${user.name} ${user.secret}\r\n`)
      await world.until(() => world.dials().length === 1, 'the login')
      await client.kill()
      gate.resolve()
      await expectNextClean(world, await world.user())
      await expectNextClean(world, user)
    },
  },
  {
    name: 'killed-after-working',
    guarantee: 'a client killed with a mailbox selected and nothing under way leaves it unselected (D3)',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const { client } = await world.login(user)
      await client.command('SELECT INBOX')
      await client.kill()
      await settled(world.proxy)
      await expectNextClean(world, user)
    },
  },
]
