/**
 * A simulated mail server, written without the edge's parser. It may reorder pipelined commands as far as RFC 9051 allows: all
 * data first, then what has changed, then the tagged replies in any order. It can be slow, hang, lie and die.
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
  /** Where it gives its capabilities after a login: in the reply, before it, or only when asked. */
  readonly capabilitiesAfterLogin: 'code' | 'untagged' | 'asked'
  readonly greetsWithCapabilities: boolean
  /** A refused SELECT leaves the mailbox that was selected. */
  readonly refusedSelectKeeps: boolean
  readonly hasId: boolean
  readonly hasCondstore: boolean
  readonly reorders: boolean
  /** Connections of one user, and of all. */
  readonly userLimit: number
  readonly totalLimit: number
  readonly slowestMs: number
  /** Tells changes also while no command is under way. */
  readonly tellsUnasked: boolean
  /** Closes a connection that is silent for so long. */
  readonly autologoutMs: number
  /** Probability that it misbehaves on a command. */
  readonly lieRate: number
  /** The same for the commands by which an edge resets a connection. */
  readonly resetLieRate: number
  /** Probability that UNSELECT or CLOSE is refused and leaves the mailbox selected. */
  readonly unselectRefusalRate: number
  /** EXAMINE by an edge may open INBOX for writing, and says so. */
  readonly examinesWritable: boolean
  /** Says something behind the reply to a login. */
  readonly greetsAfterLogin: boolean
}

/** `unasked`: data, or the beginning of it. `twice`: a second reply to one command. `flood`: more than a reset may read. */
export type SaidByServer = 'unasked' | 'bye' | 'twice' | 'flood'

/** It closes the connection, or says that it cannot judge the login. */
export type LoginFailure = 'closed' | 'unavailable'

/** Gets all that happens at a server. */
export interface ServerWatcher {
  onJudged(connection: ServedConnection, user: string, secret: string, isAccepted: boolean): void
  onCommand(connection: ServedConnection, command: Command): void
  onAnswer(connection: ServedConnection, command: Command, answer: { status: string; isLast: boolean }): void
  /**
   * A command of an edge will be answered with data.
   * @returns a keyword that marks the data
   */
  onEdgeQuestion(connection: ServedConnection, command: Command): string
  /** It has said something that makes a connection unusable, or that must be noticed, and the edge has it. */
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
  /** Nothing is answered. */
  isHung = false
  /** After the faults, it does not misbehave any more. */
  isHonest = false
  /** After a restart: it greets one connection after the other, and needs so long for each. */
  greetsEveryMs = 0
  #greetsAt = 0
  /** How logins fail that it cannot judge at present. */
  failsLogins: LoginFailure | undefined
  /** When something was wrong with it last. Undefined: never. */
  troubledAt: number | undefined
  /** Logins that it has accepted. */
  accepted = 0
  /** When it floods an edge, with so many lines. */
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

  /** Every connection is broken. */
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
