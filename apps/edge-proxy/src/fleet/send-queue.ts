/** A bounded queue of messages for one JetStream stream. They are sent in order, and kept until they are acknowledged. */
import { isTooLarge, type NatsHandles } from '@imapfleet/nats'
import { reasonOf } from '@imapfleet/observe'
import { encode } from '@imapfleet/protocol'

export interface SendQueueOptions<T> {
  /** Number of messages. Beyond it, the oldest is dropped. */
  max: number
  /** Undefined while NATS is down. */
  fleet: () => NatsHandles | undefined
  stream: string
  subjectOf: (message: T) => string
  /** JetStream stores messages with the same id once. */
  idOf: (message: T) => string
  dropped?: () => void
  failed: (reason: string) => void
}

const ackMs = 5_000

export class SendQueue<T> {
  readonly #options: SendQueueOptions<T>
  readonly #messages: T[] = []
  #sending: Promise<void> | undefined

  constructor(options: SendQueueOptions<T>) {
    this.#options = options
  }

  /** Oldest first. */
  get messages(): readonly T[] {
    return this.#messages
  }

  /** Does not send. */
  add(message: T): void {
    this.#messages.push(message)
    if (this.#messages.length <= this.#options.max) return
    this.#messages.shift()
    this.#options.dropped?.()
  }

  /** Resolves when the queue is empty, NATS is down, or a message was not acknowledged. Never rejects. */
  send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined))
    return this.#sending
  }

  async #sendAll(): Promise<void> {
    const { fleet, stream, subjectOf, idOf, failed } = this.#options
    try {
      for (let up = fleet(); up && this.#messages.length > 0; up = fleet()) {
        const message = this.#messages[0]!
        await up.jetstream.publish(subjectOf(message), encode(message), {
          msgID: idOf(message),
          expect: { streamName: stream },
          timeout: ackMs,
        })
        // `add` may have dropped it in the meantime.
        if (this.#messages[0] === message) this.#messages.shift()
      }
    } catch (error) {
      failed(reasonOf(error))
      // It would never be accepted, and nothing after it would be sent.
      if (!isTooLarge(error)) return
      this.#messages.shift()
      this.#options.dropped?.()
    }
  }
}
