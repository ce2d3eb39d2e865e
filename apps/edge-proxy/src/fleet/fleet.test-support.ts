/** For tests: a stand-in for NATS. The test sets the messages that are read, and gets those that are sent. */
import { setImmediate } from 'node:timers/promises'
import type { NatsHandles } from '@imapfleet/nats'
import { encode, wireVersion, type Desired } from '@imapfleet/protocol'
import type { Sender } from './nats.ts'

export const sender: Sender = {
  edge: 'eu-1',
  region: 'eu',
  boot: '0d6c1a4e-5b2a-4b7e-8f11-2f1f0c9d7e55',
}

/** An empty desired state. */
export const desired = (version: number, more: Partial<Desired> = {}): Desired => ({
  v: wireVersion,
  version,
  config: { revision: 0, layer: {} },
  traces: [],
  revocations: [],
  drain: false,
  ...more,
})

interface Headers {
  last: (name: string) => string
}
type Hear = (error: Error | null, message: { subject: string; data: Uint8Array; headers?: Headers }) => void

export class ScriptedNats {
  /** The content of the edge's key. */
  entry: Uint8Array | Error | undefined
  /** Messages for JetStream and for core NATS, decoded. */
  readonly stored: { subject: string; id: string; message: unknown }[] = []
  readonly published: { subject: string; message: unknown }[] = []
  /** Why JetStream refuses messages. */
  refuses: Error | undefined
  /** Resolves when NATS answers. */
  flushed: () => Promise<void> = () => Promise.resolve()
  /** Number of reads of the key in progress. */
  reading = 0
  readingMost = 0
  readonly #subscriptions = new Map<string, Hear>()

  get subjects(): string[] {
    return [...this.#subscriptions.keys()]
  }

  /** Delivers a message to the edge. Messages of control have no headers. */
  send(subject: string, message: unknown, headers?: Headers): void {
    const data = message instanceof Uint8Array ? message : encode(message)
    this.#subscriptions.get(subject)?.(null, { subject, data, ...(headers && { headers }) })
  }

  /** The handles while NATS is up. */
  get handles(): NatsHandles {
    return {
      nats: {
        subscribe: (subject: string, { callback }: { callback: Hear }) =>
          void this.#subscriptions.set(subject, callback),
        flush: () => this.flushed(),
        publish: (subject: string, data: Uint8Array) =>
          void this.published.push({ subject, message: decoded(data) }),
      },
      jetstream: {
        publish: async (subject: string, data: Uint8Array, { msgID }: { msgID: string }) => {
          await setImmediate()
          if (this.refuses) throw this.refuses
          this.stored.push({ subject, id: msgID, message: decoded(data) })
        },
      },
      manager: { direct: { getMessage: () => this.#read() } },
    } as unknown as NatsHandles
  }

  async #read(): Promise<{ data: Uint8Array } | null> {
    this.readingMost = Math.max(this.readingMost, ++this.reading)
    await setImmediate()
    this.reading--
    if (this.entry instanceof Error) throw this.entry
    return this.entry === undefined ? null : { data: this.entry }
  }
}

const decoded = (data: Uint8Array): unknown => JSON.parse(Buffer.from(data).toString('utf8'))
