/**
 * Limits how many clients are connected at the same time, in total and from one address. A connection has its place from accept
 * to close, including the PROXY header, the TLS handshake and the login.
 *
 * When all places are taken, the next client gets the place of the client that has been connected longest without a login, on
 * the listener with the most such clients. A flood of idle connections on one listener therefore does not block another one.
 */
import type { EdgeConfig } from '@imapfleet/config'
import { Linked, LinkedSet } from '../linked-members.ts'
import { addressGroup } from './networks.ts'

export type ClientLimits = Pick<EdgeConfig['clients'], 'connectionsMax' | 'connectionsPerAddressMax'>

/** Why an admitted client is disconnected before its login. */
export type Dismissal = 'displaced' | 'stopping'

/** The part of the edge that currently handles an admitted connection. */
export interface Occupant {
  /** Closes the connection, which has no login. */
  dismiss(why: Dismissal): void
  /** Closes the connection immediately, in any phase. */
  cut(): void
}

/** The place of one connection. */
export class Place extends Linked<Place> {
  readonly listener: string
  occupant: Occupant | undefined
  /** The address group that the limit counts. Undefined: the address is not limited. */
  group: string | undefined

  constructor(listener: string) {
    super()
    this.listener = listener
  }
}

export class ClientAdmission {
  #total = 0
  #peak = 0
  readonly #byGroup = new Map<string, number>()
  /** By listener: clients without a login, in order of arrival. */
  readonly #arriving = new Map<string, LinkedSet<Place>>()
  /** Clients that log in or have logged in. */
  readonly #loggedIn = new LinkedSet<Place>()

  get total(): number {
    return this.#total
  }

  /** The highest total since `resetPeak`. */
  get peak(): number {
    return this.#peak
  }

  resetPeak(): void {
    this.#peak = this.total
  }

  /**
   * Admits one connection, or returns the limit that is reached. Call `leave` when the connection is closed.
   * @param address called only if there is a limit per address, because it makes a system call. Undefined: a load
   *   balancer, whose PROXY header will contain the address (`identify`)
   */
  enter(
    listener: string,
    address: (() => string) | undefined,
    limits: ClientLimits,
  ): Place | 'too-many-clients' | 'too-many-from-address' {
    const place = new Place(listener)
    if (address && !this.identify(place, address, limits)) return 'too-many-from-address'
    if (this.total >= limits.connectionsMax && !this.#displaceOldest()) {
      this.#leaveGroup(place)
      return 'too-many-clients'
    }
    if (++this.#total > this.#peak) this.#peak = this.#total
    this.#arrivingOn(listener).add(place)
    return place
  }

  /** Counts the place for this address. False: the limit of the address is reached, and the place is not counted. */
  identify(place: Place, address: () => string, limits: ClientLimits): boolean {
    if (limits.connectionsPerAddressMax === 0) return true
    const group = addressGroup(address())
    const present = this.#byGroup.get(group) ?? 0
    if (present >= limits.connectionsPerAddressMax) return false
    this.#byGroup.set(group, present + 1)
    place.group = group
    return true
  }

  /** The client logs in or has logged in: it cannot be displaced. */
  protect(place: Place): void {
    if (this.#arrivingOn(place.listener).delete(place)) this.#loggedIn.add(place)
  }

  /** The client has no login, or its login was refused. */
  unprotect(place: Place): void {
    if (this.#loggedIn.delete(place)) this.#arrivingOn(place.listener).add(place)
  }

  /** The connection is closed. Idempotent. */
  leave(place: Place): void {
    if (!this.#loggedIn.delete(place) && !this.#arrivingOn(place.listener).delete(place)) return
    this.#total--
    this.#leaveGroup(place)
  }

  #arrivingOn(listener: string): LinkedSet<Place> {
    let arriving = this.#arriving.get(listener)
    if (!arriving) this.#arriving.set(listener, (arriving = new LinkedSet()))
    return arriving
  }

  /** The edge stops: closes every connection without a login. */
  dismissArriving(): void {
    for (const arriving of this.#arriving.values())
      for (const place of arriving) place.occupant?.dismiss('stopping')
  }

  /** Closes every connection immediately. */
  cut(): void {
    for (const places of [this.#loggedIn, ...this.#arriving.values()])
      for (const place of places) place.occupant?.cut()
  }

  #displaceOldest(): boolean {
    let crowd: LinkedSet<Place> | undefined
    for (const arriving of this.#arriving.values()) if (arriving.size > (crowd?.size ?? 0)) crowd = arriving
    const oldest = crowd?.first
    if (!oldest) return false
    // The place is freed immediately, because the socket may be closed later.
    this.leave(oldest)
    oldest.occupant?.dismiss('displaced')
    return true
  }

  #leaveGroup({ group }: Place): void {
    if (group === undefined) return
    const left = (this.#byGroup.get(group) ?? 1) - 1
    if (left > 0) this.#byGroup.set(group, left)
    else this.#byGroup.delete(group)
  }
}
