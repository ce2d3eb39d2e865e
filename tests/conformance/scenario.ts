/**
 * What a scenario is: one guarantee, and a function that tries to break it through a proxy. The same function meets our
 * edge, Debian's imapproxy, the stub server and Dovecot. It throws a Mismatch where the guarantee does not hold.
 */
import type { StubImapd } from '../support/stub-imapd.ts'
import type { ProxyProcess } from './proxy-process.ts'
import { Mismatch, type WireClient } from './wire.ts'

export interface MailAccount {
  name: string
  secret: string
}

/** A connection as the server behind the proxy sees it. */
export interface SeenConnection {
  readonly number: number
  readonly open: boolean
  /** Every byte the proxy sent on it, Latin-1. */
  readonly received: string
  send(text: string): void
  destroy(): void
}

/** A proxy with a server behind it, and the means to ask both. */
export interface World {
  readonly proxy: ProxyProcess
  /** How long an answer may take. */
  readonly patienceMs: number
  /** The connections that this scenario caused and that tried to log in, oldest first. */
  dials(): SeenConnection[]
  /** Awaits a condition on what the server has seen. */
  until(condition: () => boolean, what: string): Promise<void>
  /** A user whom nobody else has, with three mails in INBOX and the mailbox `box-of-NAME`. */
  user(name?: string): Promise<MailAccount>
  /** A connected client that has read nothing yet. */
  dial(): Promise<WireClient>
  /** A client that has read the greeting. */
  connect(): Promise<WireClient>
  /** A client that has logged in by LOGIN. */
  login(user: MailAccount): Promise<LoggedIn>
  /** A new mail in a user's INBOX, brought by the server itself. */
  deliver(user: MailAccount, body: string): Promise<void>
  /** The bodies in a user's INBOX, asked of the server itself, past the proxy. */
  bodies(user: MailAccount): Promise<string[]>
}

export interface StubWorld extends World {
  readonly stub: StubImapd
  /** The same server and users behind another proxy, which stays the caller's to stop. */
  behind(proxy: ProxyProcess): StubWorld
}

/** A client after its login. */
export interface LoggedIn {
  client: WireClient
  user: MailAccount
  /** What came between the greeting and the tagged OK. */
  untagged: string[]
  /** Whether the client was told that it got a warm connection. */
  reused: boolean
}

interface Basics {
  /** Short, kebab-case; `--only` takes it. */
  name: string
  /** A sentence that is true when the scenario passes. */
  guarantee: string
  /** Laid over the edge's configuration. */
  config?: Record<string, unknown>
  /** The same for imapproxy.conf. */
  keywords?: Record<string, string>
  /** What every user must send in this configuration, where it is not the account's own secret. */
  secret?: string
  /** Why there is nothing to ask imapproxy. */
  oursOnly?: string
}

export type Scenario = Basics &
  (
    | { on: 'any'; run: (world: World) => Promise<void> }
    /** Only a server that can misbehave will do. */
    | { on: 'stub'; run: (world: StubWorld) => Promise<void> }
  )

/** Throws unless the condition holds. */
export function expect(condition: boolean, seen: string): asserts condition {
  if (!condition) throw new Mismatch(seen)
}
