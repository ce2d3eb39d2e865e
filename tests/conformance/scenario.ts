/**
 * A scenario is one guarantee and a function that tries to break it through a proxy. The same function runs with our edge
 * and Debian's imapproxy, the stub server and Dovecot. It throws a Mismatch if the guarantee does not hold.
 */
import type { StubImapd } from '../support/stub-imapd.ts'
import type { ProxyProcess } from './proxy-process.ts'
import { Mismatch, type WireClient } from './wire.ts'

export interface MailAccount {
  name: string
  secret: string
}

/** A connection seen from the server behind the proxy. */
export interface SeenConnection {
  readonly number: number
  readonly open: boolean
  /** Every byte the proxy sent on it, Latin-1. */
  readonly received: string
  send(text: string): void
  destroy(): void
}

/** A proxy with a server behind it, and functions to use and inspect both. */
export interface World {
  readonly proxy: ProxyProcess
  /** Time limit for a reply. */
  readonly patienceMs: number
  /** Server connections of this scenario that tried to log in, oldest first. */
  dials(): SeenConnection[]
  /** Waits for a condition on what the server has seen. */
  until(condition: () => boolean, what: string): Promise<void>
  /** A new user with three mails in INBOX and the mailbox `box-of-NAME`. */
  user(name?: string): Promise<MailAccount>
  /** A connected client before it reads the greeting. */
  dial(): Promise<WireClient>
  /** A client that has read the greeting. */
  connect(): Promise<WireClient>
  /** A client after LOGIN. */
  login(user: MailAccount): Promise<LoggedIn>
  /** Delivers a mail to a user's INBOX at the server. */
  deliver(user: MailAccount, body: string): Promise<void>
  /** The bodies in a user's INBOX, read from the server without the proxy. */
  bodies(user: MailAccount): Promise<string[]>
}

export interface StubWorld extends World {
  readonly stub: StubImapd
  /** The same server and users behind another proxy. The caller stops that proxy. */
  behind(proxy: ProxyProcess): StubWorld
}

/** A client after its login. */
export interface LoggedIn {
  client: WireClient
  user: MailAccount
  /** Untagged responses between the greeting and the tagged OK. */
  untagged: string[]
  /** Whether the proxy announced that it reuses a connection. */
  reused: boolean
}

interface Basics {
  /** Short, kebab-case; `--only` takes it. */
  name: string
  /** A sentence that is true when the scenario passes. */
  guarantee: string
  /** Merged over the configuration of the edge. */
  config?: Record<string, unknown>
  /** The same for imapproxy.conf. */
  keywords?: Record<string, string>
  /** The secret that every user sends in this configuration, if it differs from the secret of the account. */
  secret?: string
  /** Why the scenario does not apply to imapproxy. */
  oursOnly?: string
}

export type Scenario = Basics &
  (
    | { on: 'any'; run: (world: World) => Promise<void> }
    /** Needs a server that can misbehave. */
    | { on: 'stub'; run: (world: StubWorld) => Promise<void> }
  )

/** Throws unless the condition holds. */
export function expect(condition: boolean, seen: string): asserts condition {
  if (!condition) throw new Mismatch(seen)
}
