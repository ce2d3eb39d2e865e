/**
 * A scripted IMAP server that can misbehave, for tests of the proxy. By default it behaves correctly. A test changes that with
 * one hook for commands and one for greetings, and by writing to, closing or resetting any connection. It shares no code
 * with the proxy.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { answer } from './stub-answers.ts'
import { Gone, StubConnection, type StubCommand } from './stub-connection.ts'
import { StubAccount, type StubMail } from './stub-mail.ts'
import { Signal } from './stub-signal.ts'

/** Called with a command before the stub answers it. True: the hook answered it, or it gets no answer. */
export type StubHook = (
  command: StubCommand,
  connection: StubConnection,
) => boolean | undefined | Promise<boolean | undefined>

const before =
  'IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE STARTTLS AUTH=CRAM-MD5 AUTH=GSSAPI AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER COMPRESS=DEFLATE UNAUTHENTICATE'
const after =
  'IMAP4rev1 LITERAL+ ID ENABLE IDLE UNSELECT MULTIAPPEND CONDSTORE QRESYNC NOTIFY LANGUAGE CONTEXT=SEARCH COMPRESS=DEFLATE UNAUTHENTICATE'

export class StubImapd {
  readonly signal = new Signal()
  readonly connections: StubConnection[] = []
  readonly accounts = new Map<string, StubAccount>()
  /** Errors in the stub itself: a test must find none here. */
  readonly faults: unknown[] = []
  readonly port: number
  readonly #server: Server
  #count = 0
  #hook: StubHook | undefined
  #greet: ((connection: StubConnection) => void) | undefined
  #invite: StubHook | undefined
  #refuse: ((name: string, secret: string) => string | undefined) | undefined
  #capabilities: { before: string; after: string } = { before, after }
  #dribble = false
  #triggers = new Map<StubConnection, PromiseWithResolvers<void>>()

  constructor(port: number) {
    this.port = port
    this.#server = createServer((socket) => {
      this.#count += 1
      const connection = new StubConnection(this.#count, socket, this.signal)
      connection.dribble = this.#dribble
      this.connections.push(connection)
      this.signal.changed()
      void this.#serve(connection).catch((error: unknown) => {
        if (!(error instanceof Gone)) this.faults.push(error)
      })
    })
  }

  async listen(): Promise<void> {
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** Stops listening and closes every connection. `listen` may be called again. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const connection of this.connections) connection.destroy()
    await closed
  }

  /** Frees what closed connections received. */
  forget(): void {
    this.connections.splice(0, Infinity, ...this.connections.filter(({ open }) => open))
  }

  account(name: string, secret: string): StubAccount {
    const account = new StubAccount(name, secret)
    this.accounts.set(name, account)
    return account
  }

  /** Replaces the capabilities from now on. */
  behave(hook: StubHook): void {
    this.#hook = hook
  }
  /** Called before the continuation `+` for a literal is sent. True: the hook refused the literal. */
  beforeLiteral(hook: StubHook): void {
    this.#invite = hook
  }
  greet(greeting: (connection: StubConnection) => void): void {
    this.#greet = greeting
  }
  /** The text of a refused login, such as `NO [LIMIT] Too many`; undefined accepts logins as usual. */
  refuse(reason: (name: string, secret: string) => string | undefined): void {
    this.#refuse = reason
  }
  offer(capabilities: { before?: string; after?: string }): void {
    this.#capabilities = { before, after, ...capabilities }
  }
  /** All connections, including later ones, write one byte at a time. */
  dribble(on: boolean): void {
    this.#dribble = on
    for (const connection of this.connections) connection.dribble = on
  }

  /** Restores the defaults: no hook, no refusal, the usual greeting and capabilities. Answers every waiting SLOW. */
  reset(): void {
    this.#hook = this.#greet = this.#refuse = this.#invite = undefined
    this.#capabilities = { before, after }
    this.dribble(false)
    this.trigger()
  }

  /** Answers every waiting SLOW. */
  trigger(): void {
    for (const waiting of this.#triggers.values()) waiting.resolve()
    this.#triggers.clear()
  }

  /** Number of SLOW commands that wait for the trigger. */
  get slow(): number {
    return this.#triggers.size
  }

  triggered(connection: StubConnection): Promise<void> {
    const waiting = Promise.withResolvers<void>()
    this.#triggers.set(connection, waiting)
    this.signal.changed()
    return waiting.promise
  }

  capabilitiesOf(connection: StubConnection): string[] {
    return this.#capabilities[connection.user === undefined ? 'before' : 'after'].split(' ')
  }
  accountOf(connection: StubConnection): StubAccount | undefined {
    return this.accounts.get(connection.user ?? '')
  }
  boxOf(connection: StubConnection, name: string): StubMail[] | undefined {
    return this.accountOf(connection)?.box(name)
  }
  uidNextOf(connection: StubConnection): number {
    return this.accountOf(connection)?.uidNext ?? 1
  }

  /** Answers a login. The user `admin` may log in as any user, by an authorization identity. */
  admit(
    command: StubCommand,
    connection: StubConnection,
    name: string,
    secret: string,
    become?: string,
  ): void {
    const refusal = this.#refuse?.(name, secret)
    const user = name === 'admin' ? (become ?? name) : name
    const wrong = this.accounts.get(name)?.secret !== secret || !this.accounts.has(user)
    if (refusal !== undefined || wrong || (become !== undefined && become !== user)) {
      connection.send(`${command.tag} ${refusal ?? 'NO [AUTHENTICATIONFAILED] Authentication failed.'}\r\n`)
      return
    }
    connection.user = user
    connection.send(
      `${command.tag} OK [CAPABILITY ${this.capabilitiesOf(connection).join(' ')}] Logged in\r\n`,
    )
  }

  async #serve(connection: StubConnection): Promise<void> {
    if (this.#greet) this.#greet(connection)
    else
      connection.send(
        `* OK [CAPABILITY ${this.capabilitiesOf(connection).join(' ')}] Stub IMAP server ready.\r\n`,
      )
    for (;;) {
      const command = await connection.command((partial) => this.#invite?.(partial, connection))
      if (!(await this.#hook?.(command, connection))) await answer(command, connection, this)
      this.signal.changed()
    }
  }
}
