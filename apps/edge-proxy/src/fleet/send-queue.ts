/** A bounded queue of messages for one JetStream stream. They are sent in order, and kept until they are acknowledged. */
import { isTooLarge, sendRefusalIn, type NatsHandles, type SendRefusal } from '@imapfleet/nats'
import { reasonOf } from '@imapfleet/observe'
import { encode } from '@imapfleet/protocol'

export interface SendQueueOptions<T> {
  /** Maximum number of messages. Beyond it, the oldest is dropped. */
  max: number
  /** Undefined while NATS is down. */
  fleet: () => NatsHandles | undefined
  stream: string
  subjectOf: (message: T) => string
  /** The value to send as JSON; the message itself by default. */
  bodyOf?: (message: T) => unknown
  /** JetStream stores messages with the same id once. */
  idOf: (message: T) => string
  dropped?: (message: T) => void
  /** JetStream has stored the message. */
  sent?: (message: T) => void
  /** An attempt was refused. The message stays in the queue. */
  refused?: (why: SendRefusal) => void
  failed: (reason: string) => void
}

const ackMs = 5_000

export class SendQueue<T> {
  readonly #options: SendQueueOptions<T>
  readonly #messages: T[] = []
  #sending: Promise<void> | undefined
  #refusal: SendRefusal | undefined

  constructor(options: SendQueueOptions<T>) {
    this.#options = options
  }

  /** Oldest first. */
  get messages(): readonly T[] {
    return this.#messages
  }

  /** Why NATS refuses the oldest message. Undefined: it does not refuse it. */
  get refusal(): SendRefusal | undefined {
    return this.#refusal
  }

  /** Adds a message without sending it. */
  add(message: T): void {
    this.#messages.push(message)
    if (this.#messages.length > this.#options.max) this.#drop()
  }

  #drop(): void {
    const message = this.#messages.shift()
    if (message !== undefined) this.#options.dropped?.(message)
  }

  /** Resolves when the queue is empty, NATS is down, or a message was not acknowledged. Never rejects. */
  send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined))
    return this.#sending
  }

  async #sendAll(): Promise<void> {
    const { fleet, stream, subjectOf, bodyOf, idOf, sent, refused, failed } = this.#options
    try {
      for (let up = fleet(); up && this.#messages.length > 0; up = fleet()) {
        const message = this.#messages[0]!
        await up.jetstream.publish(subjectOf(message), encode(bodyOf ? bodyOf(message) : message), {
          msgID: idOf(message),
          expect: { streamName: stream },
          timeout: ackMs,
        })
        this.#refusal = undefined
        // `add` may have dropped the message in the meantime.
        if (this.#messages[0] === message) this.#messages.shift()
        sent?.(message)
      }
    } catch (error) {
      failed(reasonOf(error))
      // The message would never be accepted, and would block all later ones.
      if (isTooLarge(error)) return this.#drop()
      this.#refusal = sendRefusalIn(error) ?? this.#refusal
      if (this.#refusal !== undefined) refused?.(this.#refusal)
    }
  }
}
