/**
 * A simulated mail server, without the edge's parser. It may reorder pipelined commands as far as RFC 9051 allows: first all
 * data, then changes, then the tagged replies in any order. It can be slow, hang, misbehave and crash.
 */
import type { Chance } from './chance.ts'
import type { Command } from './command-reader.ts'
import type { Account } from './mail-store.ts'
import type { Scheduler } from './scheduler.ts'
import { ServedConnection } from './served-connection.ts'
import type { WireEnd } from './wire.ts'

/** What kind of server it is. */
export interface ServerTraits {
  readonly hasUnselect: boolean
  /** Where it sends its capabilities after a login: in the reply, before it, or only on request. */
  readonly capabilitiesAfterLogin: 'code' | 'untagged' | 'asked'
  readonly greetsWithCapabilities: boolean
  /** A refused SELECT keeps the selected mailbox. */
  readonly refusedSelectKeeps: boolean
  readonly hasId: boolean
  readonly hasCondstore: boolean
  readonly reorders: boolean
  /** Limits on the connections of one user, and of all users. */
  readonly userLimit: number
  readonly totalLimit: number
  readonly slowestMs: number
  /** Also reports changes while no command is in progress. */
  readonly tellsUnasked: boolean
  /** Closes a connection after this time without a command. */
  readonly autologoutMs: number
  /** Probability of misbehaviour for each command. */
  readonly lieRate: number
  /** The same for the commands by which an edge resets a connection. */
  readonly resetLieRate: number
  /** Probability that UNSELECT or CLOSE is refused and leaves the mailbox selected. */
  readonly unselectRefusalRate: number
  /** EXAMINE by an edge may open INBOX for writing, with READ-WRITE in the reply. */
  readonly examinesWritable: boolean
  /** Sends data after the reply to a login. */
  readonly greetsAfterLogin: boolean
}

/** `unasked`: data, or the beginning of it. `twice`: a second reply to one command. `flood`: more than a reset may read. */
export type SaidByServer = 'unasked' | 'bye' | 'twice' | 'flood'

/** The server closes the connection, or answers that it cannot check the login. */
export type LoginFailure = 'closed' | 'unavailable'

/** Gets all events of a server. */
export interface ServerWatcher {
  onJudged(connection: ServedConnection, user: string, secret: string, isAccepted: boolean): void
  onCommand(connection: ServedConnection, command: Command): void
  onAnswer(connection: ServedConnection, command: Command, answer: { status: string; isLast: boolean }): void
  /**
   * A command of an edge will be answered with data.
   * @returns a keyword that marks the data
   */
  onEdgeQuestion(connection: ServedConnection, command: Command): string
  /** The edge has received data that makes a connection unusable, or that it must notice. */
  onSaid(connection: ServedConnection, what: SaidByServer): void
}

export class MailServer {
  readonly address: string
  readonly port = 143
  readonly traits: ServerTraits
  readonly accounts: ReadonlyMap<string, Account>
  readonly connections = new Set<ServedConnection>()
  readonly scheduler: Scheduler
  readonly chance: Chance
  readonly watcher: ServerWatcher
  #lastNumber = 0
  /** The server answers no commands. */
  isHung = false
  /** After the faults, the server no longer misbehaves. */
  isHonest = false
  /** After a restart, it greets one connection after the other, at this interval. */
  greetsEveryMs = 0
  #greetsAt = 0
  /** How all logins fail at present. Undefined: they do not. */
  failsLogins: LoginFailure | undefined
  /** When it last had a fault. Undefined: never. */
  troubledAt: number | undefined
  /** Number of accepted logins. */
  accepted = 0
  /** Number of lines with which it floods an edge. */
  noisyLines = 0

  constructor(options: {
    address: string
    traits: ServerTraits
    accounts: ReadonlyMap<string, Account>
    scheduler: Scheduler
    chance: Chance
    watcher: ServerWatcher
  }) {
    this.address = options.address
    this.traits = options.traits
    this.accounts = options.accounts
    this.scheduler = options.scheduler
    this.chance = options.chance
    this.watcher = options.watcher
  }

  readonly accept = (end: WireEnd): void => {
    const number = ++this.#lastNumber
    this.connections.add(new ServedConnection(this, end, number, this.chance.derive(`connection ${number}`)))
  }

  /** How long a new connection waits for its turn to be greeted. */
  takeTurn(): number {
    const now = this.scheduler.now
    this.#greetsAt = Math.max(now, this.#greetsAt) + this.greetsEveryMs
    return this.#greetsAt - now
  }

  /** Breaks all connections. */
  crash(): void {
    for (const connection of [...this.connections]) connection.die('reset')
  }

  hang(): void {
    this.isHung = true
    for (const connection of this.connections) connection.isHarmed = true
  }

  unhang(): void {
    this.isHung = false
    for (const connection of this.connections) connection.work()
  }

  connectionsOf(user: string): ServedConnection[] {
    return [...this.connections].filter((connection) => connection.user === user)
  }
}
