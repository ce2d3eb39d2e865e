/**
 * A TCP connection in memory. Bytes arrive in order, in pieces of any size, after a delay. A slow reader fills the
 * window, and then the queue of the writer. Either end, or the network between them, can end the connection at any byte.
 */
import type { Chance } from './chance.ts'
import type { Scheduled, Scheduler } from './scheduler.ts'

export interface WireHandler {
  onBytes(bytes: Buffer): void
  /** The other end has closed its sending side. */
  onFinish(): void
  /** The connection is broken. The last event. */
  onReset(): void
  /** All written bytes have left this end. */
  onDrain?(): void
}

export interface WireOptions {
  scheduler: Scheduler
  chance: Chance
  /** Shown in the log. */
  name: string
  /** Addresses of the dialing end, and of the other end. */
  addresses: readonly [string, string]
  /** The wire has no small pieces, so that transfers are fast. */
  isCoarse?: boolean
}

/** A fault of one direction after a number of bytes. */
export interface Cut {
  bytes: number
  how: 'reset' | 'finish' | 'vanish'
}

/** One direction. */
class Lane {
  readonly #wire: Wire
  readonly #label: string
  readonly #from: WireEnd
  readonly #to: WireEnd
  /** Bytes in the process of the sender. */
  #queued: Buffer[] = []
  #queuedBytes = 0
  /** Bytes in flight, or in the receiver's kernel. */
  #flying: Buffer[] = []
  #flyingBytes = 0
  readonly #window: number
  readonly #latencyMs: number
  #delivery: Scheduled | undefined
  #ending: 'none' | 'finish' | 'reset' = 'none'
  #hasEnded = false
  #stalledUntil = 0
  /** Bytes after this position are not delivered for this time. */
  #pause: { at: number; ms: number } | undefined
  #written = 0
  #delivered = 0
  readonly #marks: { at: number; run: () => void }[] = []
  cut: Cut | undefined

  constructor(wire: Wire, label: string, from: WireEnd, to: WireEnd, latencyMs: number) {
    this.#wire = wire
    this.#label = label
    this.#from = from
    this.#to = to
    this.#window = wire.isCoarse ? 65_536 : wire.chance.pick([200, 1000, 4000, 65_536, 65_536])
    this.#latencyMs = latencyMs
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  get undelivered(): number {
    return this.#flyingBytes + this.#queuedBytes
  }

  get delivered(): number {
    return this.#delivered
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  write(bytes: Buffer): void {
    if (this.#ending !== 'none' || bytes.length === 0) return
    this.#queued.push(bytes)
    this.#queuedBytes += bytes.length
    this.#written += bytes.length
    this.#fill()
    this.schedule()
  }

  /** Runs a callback when all bytes written so far have been delivered. */
  mark(run: () => void): void {
    this.#marks.push({ at: this.#written, run })
  }

  end(how: 'finish' | 'reset', keeps: boolean): void {
    if (this.#ending === 'reset') return
    this.#ending = how
    if (!keeps) this.#drop()
    this.schedule()
  }

  /** Drops the bytes that have not left the sender's process. */
  dropQueued(): void {
    this.#written -= this.#queuedBytes
    this.#queued = []
    this.#queuedBytes = 0
  }

  /** Delays the delivery of bytes that are written from now on. */
  pauseBehind(ms: number): void {
    this.#pause = { at: this.#written, ms }
    if (this.#delivered === this.#written) this.#pauseNow(ms)
  }

  #pauseNow(ms: number): void {
    this.#pause = undefined
    this.stall(ms)
  }

  stall(ms: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#wire.scheduler.now + ms)
    if (!this.#delivery) return
    this.#wire.scheduler.cancel(this.#delivery)
    this.#delivery = undefined
    this.schedule()
  }

  schedule(): void {
    if (this.#delivery || this.#hasEnded || this.#stalledUntil === Infinity) return
    if (this.#flyingBytes === 0 && this.#ending === 'none') return
    if (!this.#to.isReading && !this.#to.isClosed) return
    const { scheduler, chance } = this.#wire
    const latency = this.#latencyMs * (0.5 + chance.next())
    const ms = Math.max(latency, this.#stalledUntil - scheduler.now)
    this.#delivery = scheduler.after(ms, () => this.#deliver())
  }

  #deliver(): void {
    this.#delivery = undefined
    if (this.#to.isClosed) {
      // No process reads the bytes, so the sender gets a reset.
      if (this.#flyingBytes > 0) this.#from.breakBy(`${this.#label} refused`)
      this.#drop()
      this.#hasEnded = true
      return
    }
    if (!this.#to.isReading) return
    if (this.#flyingBytes > 0) this.#deliverBytes()
    else if (this.#ending !== 'none') {
      this.#hasEnded = true
      this.#wire.note(`${this.#label} ${this.#ending}`)
      if (this.#ending === 'finish') this.#to.handler?.onFinish()
      else this.#to.breakBy(undefined)
    }
    this.schedule()
  }

  #deliverBytes(): void {
    let count = this.#wire.pieceOf(this.#flyingBytes)
    if (this.cut) count = Math.min(count, this.cut.bytes)
    if (this.#pause) count = Math.min(count, this.#pause.at - this.#delivered)
    if (count > 0) {
      const bytes = this.#take(count)
      this.#delivered += count
      this.#wire.note(this.#label, bytes)
      this.#fill()
      this.#to.handler?.onBytes(bytes)
      while (this.#marks.length > 0 && this.#marks[0]!.at <= this.#delivered) this.#marks.shift()!.run()
    }
    if (this.#pause && this.#delivered >= this.#pause.at) this.#pauseNow(this.#pause.ms)
    if (!this.cut) return
    this.cut.bytes -= count
    if (this.cut.bytes > 0) return
    const { how } = this.cut
    this.cut = undefined
    if (how === 'vanish') {
      this.#wire.note(`${this.#label} vanishes`)
      this.#wire.vanish()
    } else if (how === 'reset') this.#wire.break()
    else this.end('finish', false)
  }

  #take(count: number): Buffer {
    const all = this.#flying.length === 1 ? this.#flying[0]! : Buffer.concat(this.#flying)
    const taken = all.subarray(0, count)
    this.#flying = count === all.length ? [] : [all.subarray(count)]
    this.#flyingBytes -= count
    return taken
  }

  #fill(): void {
    const wasFull = this.#queuedBytes > 0
    while (this.#queuedBytes > 0 && this.#flyingBytes < this.#window) {
      const first = this.#queued[0]!
      const count = Math.min(first.length, this.#window - this.#flyingBytes)
      if (count === first.length) this.#queued.shift()
      else this.#queued[0] = first.subarray(count)
      this.#flying.push(first.subarray(0, count))
      this.#flyingBytes += count
      this.#queuedBytes -= count
    }
    if (wasFull && this.#queuedBytes === 0) this.#from.drained()
  }

  #drop(): void {
    this.#queued = []
    this.#queuedBytes = 0
    this.#flying = []
    this.#flyingBytes = 0
    this.#marks.length = 0
  }
}

export class WireEnd {
  readonly wire: Wire
  readonly remoteAddress: string
  handler: WireHandler | undefined
  #out!: Lane
  #in!: Lane
  #isPaused = true
  #isClosed = false
  #isBroken = false

  constructor(wire: Wire, remoteAddress: string) {
    this.wire = wire
    this.remoteAddress = remoteAddress
  }

  /** Called once, by the wire. */
  connect(out: Lane, into: Lane): void {
    this.#out = out
    this.#in = into
  }

  /** Closed by this end. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  get isOpen(): boolean {
    return !this.#isClosed && !this.#isBroken
  }

  get isReading(): boolean {
    return this.isOpen && !this.#isPaused
  }

  /** Written bytes that have not left this end. */
  get queuedBytes(): number {
    return this.#out.queuedBytes
  }

  get lane(): Pick<Lane, 'cut' | 'stall' | 'pauseBehind' | 'delivered'> {
    return this.#out
  }

  write(bytes: Buffer | string): void {
    if (!this.isOpen) return
    this.#out.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Runs a callback when the other end has received all bytes written so far. */
  whenDelivered(run: () => void): void {
    this.#out.mark(run)
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#in.schedule()
  }

  /** FIN: closes the sending side. */
  finish(): void {
    this.#out.end('finish', true)
  }

  /** Closes immediately. Bytes that have not left this end are lost. Unread bytes turn the FIN into an RST, like in TCP. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (!this.#isBroken) {
      this.#out.dropQueued()
      this.#out.end(this.#in.undelivered > 0 ? 'reset' : 'finish', true)
    }
    this.#in.schedule()
    this.wire.endClosed()
  }

  /** RST. */
  reset(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#out.end('reset', this.wire.chance.happens(0.5))
    this.wire.endClosed()
  }

  /** The connection is broken at this end. */
  breakBy(why: string | undefined): void {
    if (!this.isOpen) return
    if (why !== undefined) this.wire.note(why)
    this.#isBroken = true
    this.handler?.onReset()
  }

  drained(): void {
    this.wire.scheduler.after(0, () => {
      if (this.isOpen && this.#out.queuedBytes === 0) this.handler?.onDrain?.()
    })
  }
}

export class Wire {
  readonly name: string
  readonly scheduler: Scheduler
  readonly chance: Chance
  /** The dialing end. */
  readonly near: WireEnd
  readonly far: WireEnd
  /** Maximum size of the pieces: 1 is byte by byte. */
  readonly #grain: number
  readonly isCoarse: boolean
  onOver: (() => void) | undefined

  constructor({
    scheduler,
    chance,
    name,
    addresses: [nearAddress, farAddress],
    isCoarse = false,
  }: WireOptions) {
    this.isCoarse = isCoarse
    this.scheduler = scheduler
    this.chance = chance
    this.name = name
    this.#grain = isCoarse
      ? 100_000
      : chance.happens(0.04)
        ? 1
        : chance.pick([30, 1000, 1000, 100_000, 100_000, 100_000])
    this.near = new WireEnd(this, farAddress)
    this.far = new WireEnd(this, nearAddress)
    const latencyMs = chance.pick([0, 0.2, 1, 10, 40])
    const up = new Lane(this, `${name}>`, this.near, this.far, latencyMs)
    const down = new Lane(this, `${name}<`, this.far, this.near, latencyMs)
    this.near.connect(up, down)
    this.far.connect(down, up)
  }

  /** How many of these bytes arrive together. */
  pieceOf(count: number): number {
    if (this.#grain === 1) return Math.min(count, this.chance.happens(0.9) ? 1 : 2000)
    if (this.chance.happens(0.5)) return count
    return Math.min(count, this.chance.between(1, this.#grain))
  }

  /** Breaks the connection with a reset for both ends. */
  break(): void {
    this.note(`${this.name} is broken`)
    for (const end of [this.near, this.far]) this.scheduler.after(0, () => end.breakBy(undefined))
  }

  /** From now on, no bytes or events reach the other end. */
  vanish(): void {
    this.near.lane.stall(Infinity)
    this.far.lane.stall(Infinity)
  }

  endClosed(): void {
    if (this.near.isOpen || this.far.isOpen) return
    this.onOver?.()
    this.onOver = undefined
  }

  note(what: string, bytes?: Buffer): void {
    this.scheduler.log.add(what, bytes)
  }
}
