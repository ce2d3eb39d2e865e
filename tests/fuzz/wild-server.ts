/** Makes the stub server misbehave towards some users at random. All other users get correct answers. */
import { setTimeout as pause } from 'node:timers/promises'
import type { StubCommand, StubConnection } from '../support/stub-connection.ts'
import type { StubImapd } from '../support/stub-imapd.ts'
import { mutate, type Random } from './random.ts'

type Harm = (random: Random, command: StubCommand, connection: StubConnection) => boolean | Promise<boolean>

/** Each returns true when it has answered the command. */
const harms: readonly [Harm, ...Harm[]] = [
  (random, { tag }, connection) => {
    connection.send(mutate(random, `* 3 EXISTS\r\n${tag} OK done\r\n`))
    return true
  },
  (_, { tag }, connection) => {
    connection.send(`x${tag} OK done\r\nzz9 OK done\r\n`)
    return true
  },
  (_, { tag }, connection) => {
    connection.send(`${tag} OK done\r\n${tag} OK done\r\n`)
    return true
  },
  (_, { tag }, connection) => {
    connection.send(`${tag} OK done\r\n* 1 FETCH (BODY[] {500}\r\nhalf`)
    return true
  },
  (_, { tag }, connection) => {
    connection.send(`${tag} OK do`)
    return true
  },
  (random, _, connection) => {
    connection.send(random.bytes(1 + random.below(300)))
    return false
  },
  (_, __, connection) => {
    connection.send('+ go on\r\n')
    return false
  },
  (_, __, connection) => {
    connection.send('* 1 EXISTS\r\n'.repeat(3000))
    return false
  },
  (_, { tag }, connection) => {
    connection.send(`* 1 FETCH (BODY[] {500}\r\nshort)\r\n${tag} OK done\r\n`)
    return true
  },
  (_, __, connection) => {
    connection.send('* 1 FETCH (BODY[] {500}\r\nhalf of it')
    connection.destroy()
    return true
  },
  (_, __, connection) => {
    connection.send('* BAD [ALERT] no\r\n')
    return true
  },
  (_, { tag }, connection) => {
    connection.send(`${tag} BAD Internal error {5}\r\n`)
    return true
  },
  async (random, _, connection) => {
    for (const part of ['*', ' ', '  ', ' 3 EXI', 'STS\r\n', '* SEARCH 1', ' ', '\r\n']) {
      connection.send(part)
      await pause(random.below(10))
    }
    return false
  },
  async (random, { tag }, connection) => {
    connection.send('* SEARCH')
    for (let parts = random.below(20); parts > 0; parts--) {
      connection.send(' 1'.repeat(5000))
      await pause(random.below(10))
    }
    connection.send(random.pick(['\r\n', ` {3}\r\nabc\r\n${tag} OK done\r\n`, '']))
    return false
  },
  (_, __, connection) => {
    connection.send('* BYE not today\r\n')
    return false
  },
  (_, __, connection) => {
    connection.destroy()
    return true
  },
  async (_, __, connection) => {
    await connection.end()
    return true
  },
  () => true,
  async (random) => {
    await pause(random.below(120))
    return false
  },
  (_, __, connection) => {
    connection.dribble = true
    return false
  },
]

/** Until `stub.reset()`, commands and logins of wild users and one greeting in ten fail in some way. */
export function makeWild(stub: StubImapd, random: Random, isWild: (user: string) => boolean): void {
  stub.behave((command, connection) => {
    const named = connection.user ?? command.args.find((arg) => isWild(arg))
    if (named === undefined || !isWild(named) || !random.chance(0.25)) return false
    return random.pick(harms)(random, command, connection)
  })
  stub.greet((connection) => {
    const greeting =
      '* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE IDLE AUTH=PLAIN] Wild server ready.\r\n'
    const kind = random.below(30)
    if (kind === 0) connection.send(mutate(random, greeting))
    else if (kind === 1) connection.destroy()
    else if (kind > 2) connection.send(greeting)
  })
}

/** Sends unsolicited data on a connection of a wild user, as a server may at any time. */
export function surprise(stub: StubImapd, random: Random, isWild: (user: string) => boolean): void {
  for (const connection of stub.connections) {
    if (!connection.open || !isWild(connection.user ?? '') || !random.chance(0.2)) continue
    connection.send(
      random.pick([
        '* 9 EXISTS\r\n',
        '* 9 EX',
        'a1 OK late\r\n',
        '* BYE bored\r\n',
        '+ \r\n',
        random.bytes(40),
      ]),
    )
  }
}
