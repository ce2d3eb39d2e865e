/**
 * The fleet of one test file, with its own directory, ports and data. Edges report several times a second, so that tests
 * do not wait for figures.
 */
import { edgeStatsSchema } from '@imapfleet/protocol'
import { readFile } from 'node:fs/promises'
import {
  copyPreparedDatabase,
  layGround,
  preparedTokenName,
  removeTemporaryDirectory,
  node,
  programFiles,
  startStack,
  temporaryDirectory,
  type EdgeProcess,
  type MailUser,
  type Stack,
} from '@imapfleet/local'
import { WireClient } from '../conformance/wire.ts'
import { runCommand, startCommand, type Running, type Said } from './command.ts'
import { until } from './until.ts'

export interface HttpAnswer {
  status: number
  body: unknown
}

/** A user that logs in last, to see that the log of the mail server holds every earlier login. */
const witness = { user: 'witness', password: 'witness', mailbox: 'small' as const }
const patienceMs = 60_000

export class TestFleet {
  readonly stack: Stack
  readonly eu: EdgeProcess
  readonly us: EdgeProcess
  readonly alice: MailUser
  readonly bob: MailUser
  readonly carol: MailUser
  #clients = 0

  private constructor(stack: Stack) {
    const [eu, us] = stack.edges
    const [alice, bob, carol] = stack.dovecot?.users ?? []
    if (!eu || !us || !alice || !bob || !carol) throw new Error('the stack is not complete')
    this.stack = stack
    this.eu = eu
    this.us = us
    this.alice = alice
    this.bob = bob
    this.carol = carol
  }

  /** `users`: more users of the mail server. */
  static async start(users: MailUser[] = []): Promise<TestFleet> {
    const directory = temporaryDirectory('e2e')
    const config = { fleet: { heartbeatMs: 500, reportIntervalMs: 250, reconcileMs: 1_000 } }
    const edges = [
      { id: 'eu-1', region: 'eu', config },
      { id: 'us-1', region: 'us', config },
    ]
    await copyPreparedDatabase(layGround(directory))
    return new TestFleet(
      await startStack({
        ...{ directory, edges, durable: false, dovecot: { users: [witness, ...users] } },
        tokenName: preparedTokenName,
      }),
    )
  }

  async stop(): Promise<void> {
    await this.stack.stop()
    await removeTemporaryDirectory(this.stack.directory)
  }

  /** A mail client connected to an edge or to the mail server, after the greeting. */
  async client(server: { imapPort: number } | 'dovecot'): Promise<WireClient> {
    const port = server === 'dovecot' ? this.stack.upstream.port : server.imapPort
    this.#clients += 1
    const client = await WireClient.open(port, `t${this.#clients}x`, patienceMs)
    await client.response('a greeting')
    return client
  }

  /** LOGIN, SELECT INBOX, LOGOUT. Resolves with the untagged responses to LOGIN. */
  async session(server: { imapPort: number } | 'dovecot', { user, password }: MailUser): Promise<string[]> {
    const client = await this.client(server)
    const login = await client.command(`LOGIN ${user} ${password}`)
    if (login.status !== 'OK') throw new Error(`LOGIN was answered ${login.status} ${login.text}`)
    await client.command('SELECT INBOX')
    await client.command('LOGOUT')
    await client.rest()
    return login.untagged
  }

  /** Replaces the password of a user. Resolves when the mail server accepts it. */
  async setPassword(user: MailUser): Promise<void> {
    this.stack.dovecot?.setPassword(user)
    await until('the new password', () =>
      this.session('dovecot', user).then(
        () => true,
        () => false,
      ),
    )
  }

  /**
   * Sessions at both edges, until each reuses its connection and has received the messages of the other one: a password
   * that is new to one edge closes the user's idle connections at the other.
   */
  async warm(user: MailUser): Promise<void> {
    const stats = async ({ httpPort }: { httpPort: number }) =>
      edgeStatsSchema.parse(await (await fetch(`http://127.0.0.1:${httpPort}/stats`)).json())
    await until(`warm connections of ${user.user} at both edges`, async () => {
      const [eu, us] = await Promise.all([stats(this.eu), stats(this.us)])
      const untagged = [await this.session(this.eu, user), await this.session(this.us, user)]
      const isReused = untagged.every((lines) => lines.some((line) => line.includes('XPROXYREUSE')))
      const isHeard = [
        [eu, us],
        [us, eu],
      ].every(
        ([from, to]) =>
          from?.gauges['evidence_waiting'] === 0 &&
          from.counters['evidence_sent_total'] === to?.counters['evidence_received_total'],
      )
      return isReused && isHeard
    })
  }

  /** Number of successful logins of this user at the mail server so far. */
  async loginsAtServer({ user }: MailUser): Promise<number> {
    const log = this.stack.dovecot?.process.logFile ?? ''
    const count = async (name: string) =>
      (await readFile(log, 'utf8')).split('\n').filter((line) => line.includes(`Login: user=<${name}>`))
        .length
    const before = await count(witness.user)
    await this.session('dovecot', witness)
    await until('the witness in the log', async () => (await count(witness.user)) > before)
    return count(user)
  }

  /** Calls the API of control. */
  async api(
    path: string,
    options: { method?: string; body?: unknown; token?: string } = {},
  ): Promise<HttpAnswer> {
    const { method = 'GET', body, token = this.stack.token } = options
    const answer = await fetch(`${this.stack.control.api}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: await answer.json() }
  }

  /** Runs `imapfleet ...` as an admin of this fleet. */
  cli(...args: string[]): Promise<Said> {
    return runCommand(node, [programFiles.cli, ...args], { env: this.#cliEnvironment() })
  }

  startCli(...args: string[]): Running {
    return startCommand(node, [programFiles.cli, ...args], { env: this.#cliEnvironment() })
  }

  #cliEnvironment() {
    return { IMAPFLEET_SERVER: this.stack.control.api, IMAPFLEET_TOKEN: this.stack.token }
  }
}
