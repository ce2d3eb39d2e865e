/**
 * Connects once and uses each right of a credential, without an effect on others. Messages for JetStream name a stream
 * that does not exist, so that they are refused and not stored. All other messages are empty.
 */
import { jetstream, jetstreamManager, JetStreamApiError } from '@nats-io/jetstream'
import { errors, type NatsConnection } from '@nats-io/transport-node'
import { reasonOf } from '@imapfleet/observe'
import { connectOnce, type NatsAccess } from './access.ts'

export interface Rights {
  subscribe: readonly string[]
  /** Core NATS. */
  publish: readonly string[]
  /** Subjects that a stream takes. */
  store: readonly string[]
  /** Streams: the last message of a subject, or the first one. */
  read: readonly { stream: string; subject?: string }[]
}

export interface TriedRights {
  /** `host:port`, and the version of nats-server. */
  server: string
  version: string
  /** What nats-server refused, such as `publish to imapfleet.report.eu.eu-1`. */
  refused: string[]
  /** What no stream answered, and why. */
  unanswered: { subject: string; reason: string }[]
  /** The time of the newest message that was read, by the clock of NATS. Milliseconds since 1970; 0: none. */
  newestAt: number
}

const answerMs = 3_000

/** Throws if NATS cannot be reached or refuses the login. */
export async function tryRights(
  access: NatsAccess,
  { name, inboxPrefix }: { name: string; inboxPrefix: string },
  rights: Rights,
): Promise<TriedRights> {
  const nats = await connectOnce(access, name, inboxPrefix)
  try {
    const refused = refusalsOf(nats)
    for (const subject of rights.subscribe) nats.subscribe(subject, { callback: () => {} })
    for (const subject of rights.publish) nats.publish(subject)
    await nats.flush()
    const manager = await jetstreamManager(nats, { checkAPI: false, timeout: answerMs })
    const sender = jetstream(nats)
    const unanswered: TriedRights['unanswered'] = []
    let newestAt = 0
    const attempt = async (subject: string, work: () => Promise<void>) => {
      try {
        await work()
      } catch (error) {
        const isRefused = error instanceof errors.PermissionViolationError
        if (!isRefused && !(error instanceof JetStreamApiError))
          unanswered.push({ subject, reason: reasonOf(error) })
      }
    }
    const expect = { streamName: 'IMAPFLEET_DOCTOR' }
    await Promise.all([
      ...rights.store.map((subject) =>
        attempt(subject, async () => {
          await sender.publish(subject, new Uint8Array(), { expect, timeout: answerMs, retries: 1 })
        }),
      ),
      ...rights.read.map(({ stream, subject }) =>
        attempt(subject ?? stream, async () => {
          const query = subject === undefined ? { seq: 1 } : { last_by_subj: subject }
          const message = await manager.direct.getMessage(stream, query)
          newestAt = Math.max(newestAt, message?.time.getTime() ?? 0)
        }),
      ),
    ])
    await nats.flush()
    return {
      server: nats.getServer(),
      version: nats.info?.version ?? 'unknown',
      refused: [...refused],
      unanswered: unanswered.filter(
        ({ subject }) => ![...refused].some((each) => each.endsWith(` ${subject}`)),
      ),
      newestAt,
    }
  } finally {
    await nats.close()
  }
}

/** Grows while nats-server refuses something. */
function refusalsOf(nats: NatsConnection): Set<string> {
  const refused = new Set<string>()
  const listen = async () => {
    for await (const change of nats.status())
      if (change.type === 'error' && change.error instanceof errors.PermissionViolationError) {
        const { operation, subject } = change.error
        refused.add(`${operation === 'publish' ? 'publish to' : 'subscribe to'} ${subject}`)
      }
  }
  void listen()
  return refused
}
