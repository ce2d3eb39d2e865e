/**
 * Heartbeats on core NATS, stored for as long as the process runs. Each replica hears every heartbeat, so that none is
 * lost in a replica that hangs. An edge that is new or has restarted gets its desired state. A forgotten edge returns to
 * the fleet.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '@imapfleet/observe'
import { presenceSchema, subjects, type Presence } from '@imapfleet/protocol'
import type { Deps } from '../../deps.ts'
import { troubleOf } from '../../platform/db/trouble.ts'
import { Batches } from '../../platform/nats/batches.ts'
import type { Bus } from '../../platform/nats/bus.ts'
import { recognise } from '../../platform/nats/recognise.ts'
import { Outage } from '../../platform/outage.ts'
import { itself, writeAudit } from '../audit/service.ts'
import { announceDesired, distributeDesired, ownClaims } from '../desired/service.ts'
import { noteHearing, probe, sendProbes } from './hearing.ts'
import { rememberEdges, upsertPresence, type Arrival } from './queries.ts'
import type { RejectedMessages } from './rejected-messages.ts'

const retryMs = 1000

export async function ingestPresence(
  deps: Deps,
  rejected: RejectedMessages,
  signal: AbortSignal,
): Promise<void> {
  const outage = new Outage(deps.log, 'heartbeats cannot be stored', 'heartbeats are stored again')
  while (!signal.aborted) {
    try {
      for await (const batch of hearPresence(deps.bus, signal)) {
        const heard = batch.flatMap((message) => {
          if (message === probe) return []
          const presence = recognise(presenceSchema, message, subjects.presence)
          if (presence.ok) return [presence.value]
          rejected.note('heartbeat', message.subject, presence.reason)
          return []
        })
        try {
          await recordPresence(deps, heard)
          if (batch.includes(probe)) await noteHearing(deps.db.orm)
          outage.over()
        } catch (error) {
          outage.began(error)
        }
      }
    } catch (error) {
      if (!signal.aborted) outage.began(error)
    }
    await sleep(retryMs, undefined, { signal }).catch(() => {})
  }
}

interface Heard {
  subject: string
  data: Uint8Array
}

const gatherMs = 50
/** Edges read their entry, whatever version the message names. */
const anyVersion = 1

/**
 * Runs until the connection is closed or the signal is aborted. Edges that connected before control are told to read
 * their entry. They answer with a heartbeat, so control need not wait for the next regular one.
 */
async function* hearPresence(bus: Bus, signal: AbortSignal): AsyncGenerator<(Heard | typeof probe)[], void> {
  const { nats } = await bus.whenUp(signal)
  const batches = new Batches<Heard | typeof probe>({ sizeMax: 5_000, waitingMax: 20_000, gatherMs })
  const subscription = nats.subscribe(subjects.presenceOfAll, {
    callback: (error, message) => {
      if (error) batches.end(error)
      else batches.push({ subject: message.subject, data: message.data })
    },
  })
  const hearing = new AbortController()
  const ended = AbortSignal.any([signal, hearing.signal])
  void callOut(bus, ended)
  void sendProbes(bus, nats, ended, () => batches.push(probe))
  const stop = () => subscription.unsubscribe()
  signal.addEventListener('abort', stop, { once: true })
  void subscription.closed.then(() => batches.end())
  try {
    yield* batches
  } finally {
    signal.removeEventListener('abort', stop)
    hearing.abort()
    stop()
  }
}

/** Calls now, and each time NATS is up again. */
async function callOut(bus: Bus, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      announceDesired(bus, anyVersion)
      await bus.nextUp(signal)
    }
  } catch {
    // NATS is down again, or control stops: the next subscription calls again.
  }
}

/**
 * A heartbeat that cannot be stored is dropped, because the next one replaces it. Throws if Postgres is unavailable.
 */
async function recordPresence(deps: Deps, heard: readonly Presence[]): Promise<void> {
  // One statement can write a row only once, so only the last heartbeat of each edge counts.
  const last = [...new Map(heard.map((presence) => [presence.edge, presence])).values()]
  const arrivals = await store(deps, last)
  deps.metrics.counters.control_heartbeats_total.value += heard.length
  if (arrivals.length === 0) return
  await remember(
    deps,
    arrivals.filter(({ forgotten }) => forgotten).map(({ id }) => id),
  )
  const arrived = new Set(arrivals.map(({ id }) => id))
  const started = arrivals.filter(({ forgotten }) => !forgotten).map(({ id }) => id)
  if (started.length > 0) deps.log.info('edges started', { edges: started.join(',') })
  await distributeDesired(deps, (edge) => arrived.has(edge.id))
}

/** If two replicas see it at the same time, only one of them acts. */
async function remember({ db, log }: Deps, forgotten: readonly string[]): Promise<void> {
  if (forgotten.length === 0) return
  const back = await db.orm.transaction(async (tx) => {
    const remembered = await rememberEdges(tx, forgotten)
    for (const id of remembered)
      await writeAudit(tx, { actor: itself, action: 'edge.return', target: `edge/${id}` })
    return remembered
  })
  if (back.length > 0) log.info('forgotten edges returned', { edges: back.join(',') })
}

async function store(deps: Deps, heard: readonly Presence[]): Promise<Arrival[]> {
  try {
    return await upsertPresence(deps.db, heard, await ownClaims(deps.db.sql, heard))
  } catch (error) {
    if (troubleOf(error) !== 'unstorable') throw error
    if (heard.length > 1) {
      const each: Arrival[] = []
      for (const presence of heard) each.push(...(await store(deps, [presence])))
      return each
    }
    deps.log.warn('a heartbeat cannot be stored', { edge: heard[0]?.edge, reason: reasonOf(error) })
    return []
  }
}
