/**
 * All answers of this process that stay open: live views, live traces, long lists of lines. Each ends when its actor loses
 * the right to it. One query every second checks all of them, and the limits are read from the same register.
 */
import { isDeepStrictEqual } from 'node:util'
import { isAtLeast, type Role } from '@imapfleet/api'
import type { Actor } from '../access.ts'
import { ServiceError } from '../errors.ts'

/** For each actor in turn: the actor with its rights of now, or why it has none. Throws if this cannot be known. */
export type RightsOf = (actors: readonly Actor[]) => Promise<(Actor | ServiceError)[]>

export interface OpenStream {
  /** Aborted when the client has left, when control stops, and when the actor lost its right. */
  readonly signal: AbortSignal
  /** Why control ends it. Undefined while it may continue, and if the client left or control stops. */
  readonly ending: ServiceError | undefined
  /** Ends it and frees its place. */
  close: () => void
}

export const streamsMax = 200
export const streamsOfTokenMax = 50
const checkEveryMs = 1_000
const checkPatienceMs = 4_000
/** Streams end if their rights could not be confirmed for this long. */
export const unconfirmedMaxMs = 10_000

interface Entry {
  actor: Actor
  role: Role
  /** When its right was last known, by the clock of the register. */
  confirmedAt: number
  closing: AbortController
  ending: ServiceError | undefined
}

export class OpenStreams {
  readonly #rightsOf: RightsOf
  readonly #stopping: AbortSignal
  readonly #clock: () => number
  readonly #entries = new Set<Entry>()
  #timer: NodeJS.Timeout | undefined
  #isChecking = false

  /** `clock`: milliseconds that never go back. */
  constructor(rightsOf: RightsOf, stopping: AbortSignal, clock = () => performance.now()) {
    this.#rightsOf = rightsOf
    this.#stopping = stopping
    this.#clock = clock
  }

  get size(): number {
    return this.#entries.size
  }

  /** `role`: the lowest role that may have the stream. The caller closes it. Throws if there are too many. */
  open(actor: Actor, role: Role): OpenStream {
    const own = [...this.#entries].filter((entry) => entry.actor.id === actor.id).length
    if (own >= streamsOfTokenMax)
      throw new ServiceError(
        'streams_of_token_full',
        `${streamsOfTokenMax} streams are open with the token of ${actor.name}: close some.`,
      )
    if (this.#entries.size >= streamsMax)
      throw new ServiceError(
        'streams_full',
        `${streamsMax} streams are open on this process: close some, or ask another replica.`,
      )
    const closing = new AbortController()
    const entry: Entry = { actor, role, confirmedAt: this.#clock(), closing, ending: undefined }
    this.#entries.add(entry)
    this.#timer ??= setInterval(() => void this.check(), checkEveryMs).unref()
    return {
      signal: AbortSignal.any([closing.signal, this.#stopping]),
      get ending() {
        return entry.ending
      },
      close: () => this.#remove(entry),
    }
  }

  /** Checks the rights of all open streams, and ends streams that have lost them. Never throws. */
  async check(): Promise<void> {
    if (this.#isChecking) return
    this.#isChecking = true
    const asked = [...this.#entries]
    const at = this.#clock()
    const actors = [...new Map(asked.map(({ actor }) => [keyOf(actor), actor])).values()]
    const { promise: patience, resolve: giveUp } = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => giveUp(undefined), checkPatienceMs)
    // Why Postgres does not answer is logged elsewhere.
    const rights = await Promise.race([this.#rightsOf(actors).catch(() => undefined), patience])
    clearTimeout(timer)
    this.#isChecking = false
    if (!rights) return this.#endUnconfirmed()
    const known = new Map(actors.map((actor, index) => [keyOf(actor), rights[index]]))
    for (const entry of asked) {
      const refusal = refusalOf(entry, known.get(keyOf(entry.actor)))
      if (refusal) this.#end(entry, refusal)
      else entry.confirmedAt = at
    }
  }

  #endUnconfirmed(): void {
    for (const entry of this.#entries)
      if (this.#clock() - entry.confirmedAt > unconfirmedMaxMs)
        this.#end(
          entry,
          new ServiceError(
            'database_unavailable',
            'Postgres does not answer, so control cannot check the rights of this token: try again in a moment.',
          ),
        )
  }

  #end(entry: Entry, refusal: ServiceError): void {
    entry.ending ??= refusal
    this.#remove(entry)
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry)
    if (this.#entries.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
    entry.closing.abort()
  }
}

const keyOf = ({ id, session }: Actor): string => `${id}/${session ?? ''}`

/** A right that the actor had when the stream began, and has lost. */
function refusalOf({ actor, role }: Entry, now: Actor | ServiceError | undefined): ServiceError | undefined {
  if (now === undefined || now instanceof ServiceError)
    return now ?? new ServiceError('token_invalid', 'This token is unknown: check it, or make a new one.')
  // What the stream leaves out was decided when it began.
  if (!isDeepStrictEqual(now.limits, actor.limits))
    return new ServiceError(
      'outside_limits',
      `The limits of ${actor.name} were changed: open the stream again.`,
    )
  const lost = actor.scopes.find((scope) => !now.scopes.includes(scope))
  if (isAtLeast(now.role, role) && lost === undefined) return undefined
  return new ServiceError(
    'forbidden',
    `${actor.name} no longer has ${lost === undefined ? `the role ${role}` : `the scope ${lost}`}.`,
  )
}
