/**
 * Heartbeats on core NATS, stored for as long as the process runs. Each replica receives every heartbeat, so that a replica
 * that hangs loses none. An edge that is new or has restarted gets its desired state. A forgotten edge returns to the
 * fleet.
 */
import { reasonOf } from '@imapfleet/observe'
import {
  foreignPresenceSchema,
  presenceSchema,
  rightsVersion,
  subjects,
  wireVersion,
  type ForeignPresence,
  type Presence,
} from '@imapfleet/protocol'
import { Backoff } from '@imapfleet/retry'
import type { Deps } from '../../deps.ts'
import { troubleOf } from '../../platform/db/trouble.ts'
import { Batches } from '../../platform/nats/batches.ts'
import type { Bus } from '../../platform/nats/bus.ts'
import type { Intake } from '../../platform/nats/intake.ts'
import { recognise } from '../../platform/nats/recognise.ts'
import { Outage } from '../../platform/outage.ts'
import { itself, writeAudit } from '../audit/service.ts'
import {
  announceDesired,
  distributeDesired,
  IssuedClaims,
  ownClaims,
  reportForeignEdges,
} from '../desired/service.ts'
import { decideBoot } from './boots.ts'
import { noteHearing, ownProbe, sendProbes } from './hearing.ts'
import {
  insertEdges,
  knownBoots,
  noteForeign,
  noteOtherBoots,
  ofOtherBoots,
  updatePresence,
  type ClaimedHeard,
  type Heard,
  type HeartbeatWrite,
  type WrittenEdge,
} from './ingest-queries.ts'
import { rememberEdges } from './queries.ts'

const pauses = { firstMs: 1_000, lastMs: 2_000 }

export async function ingestPresence(deps: Deps, signal: AbortSignal): Promise<void> {
  const outage = new Outage(deps.log, 'heartbeats cannot be stored', 'heartbeats are stored again')
  const backoff = new Backoff(pauses)
  const issued = new IssuedClaims(deps.db)
  while (!signal.aborted) {
    try {
      for await (const batch of hearPresence(deps, signal)) {
        const { heard, foreign } = sortOut(batch)
        try {
          await recordPresence(deps, heard, issued)
          await recordForeign(deps, foreign)
          if (batch.includes(ownProbe)) await noteHearing(deps.db.orm)
          outage.over()
          backoff.reset()
        } catch (error) {
          outage.began(error)
        }
      }
    } catch (error) {
      if (!signal.aborted) outage.began(error)
    }
    await backoff.pause(signal)
  }
}

/** A heartbeat that was received. `foreign`: it speaks another wire version. */
type Received = { presence: Presence; arrivedAt: number } | { foreign: ForeignPresence } | typeof ownProbe

/**
 * The two kinds are stored one after the other. A heartbeat of another version is dropped if one of ours follows it, so
 * that the last heartbeat of an edge counts.
 */
export function sortOut(batch: readonly Received[]): { heard: Heard[]; foreign: ForeignPresence[] } {
  const heard: Heard[] = []
  const foreign = new Map<string, ForeignPresence>()
  for (const each of batch) {
    if (each === ownProbe) continue
    if ('foreign' in each) {
      foreign.set(each.foreign.edge, each.foreign)
    } else {
      heard.push({ presence: each.presence, ageMs: performance.now() - each.arrivedAt })
      foreign.delete(each.presence.edge)
    }
  }
  return { heard, foreign: [...foreign.values()] }
}

/** Reads it when it arrives, while Postgres stores those before it. Undefined: it is refused. */
function read(message: { subject: string; data: Uint8Array }, intake: Intake): Received | undefined {
  const recognised = recognise(presenceSchema, message, subjects.presence)
  const other = recognised.ok ? undefined : recognise(foreignPresenceSchema, message, subjects.presence)
  if (other?.ok && other.value.v !== wireVersion) return { foreign: other.value }
  const presence = intake.accepted('heartbeat', message.subject, recognised)
  if (presence && (presence.rights ?? 0) < rightsVersion)
    intake.note('trace', message.subject, 'outdated', 'it is older than control: upgrade the edge')
  return presence && { presence, arrivedAt: performance.now() }
}

const gatherMs = 100
/** In one statement. Postgres needs more than twice as long for each heartbeat if a statement is longer than 1 MB. */
const togetherMax = 250
/** Edges read their entry, whatever version the message names. */
const anyVersion = 1

/**
 * Runs until the connection is closed or the signal is aborted. Edges that connected before control are asked to read their
 * entry. They answer with a heartbeat, so control need not wait for the next regular one.
 */
async function* hearPresence(
  { bus, intake, log }: Deps,
  signal: AbortSignal,
): AsyncGenerator<Received[], void> {
  const { nats } = await bus.whenUp(signal)
  const batches = new Batches<Received>({
    sizeMax: 2 * togetherMax,
    enough: togetherMax / 2,
    waitingMax: 20_000,
    gatherMs,
  })
  const subscription = nats.subscribe(subjects.presenceOfAll, {
    callback: (error, message) => {
      if (error) return batches.end(error)
      // An empty message only tests the right to send heartbeats (`imapfleet-edge doctor`).
      if (message.data.length === 0 || intake.refuses('heartbeat', message)) return
      const received = read(message, intake)
      if (received) batches.push(received)
    },
  })
  const hearing = new AbortController()
  const ended = AbortSignal.any([signal, hearing.signal])
  void askForHeartbeats(bus, ended)
  void sendProbes({ bus, log }, nats, ended, () => batches.push(ownProbe))
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
async function askForHeartbeats(bus: Bus, signal: AbortSignal): Promise<void> {
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
export async function recordPresence(
  deps: Deps,
  heard: readonly Heard[],
  issued = new IssuedClaims(deps.db),
): Promise<void> {
  const stored = await Promise.allSettled(
    halvesOf(lastOfBoots(heard)).map(
      async (part) =>
        await storeEach(deps, part, async (_, some) => await storeHeartbeats(deps, some, issued)),
    ),
  )
  await onArrival(
    deps,
    stored.flatMap((part) => (part.status === 'fulfilled' ? part.value : [])),
  )
  for (const part of stored) if (part.status === 'rejected') throw part.reason
  deps.metrics.counters.control_heartbeats_total.value += heard.length
}

/**
 * One statement can write a row only once, so only the last heartbeat of each boot counts. If this heartbeat has no
 * counters, because it acknowledges the desired state, the counters of the previous one are used.
 */
function lastOfBoots(heard: readonly Heard[]): Heard[] {
  const last = new Map<string, Heard>()
  for (const each of heard) {
    const key = `${each.presence.edge} ${each.presence.boot}`
    const before = last.get(key)
    const counting = each.presence.counters ? undefined : (before?.counting ?? before?.presence)
    last.set(key, counting?.counters ? { ...each, counting } : each)
  }
  return [...last.values()]
}

/**
 * Two parts that Postgres can store at the same time: all heartbeats of an edge are in the same part. A few heartbeats are
 * stored together.
 */
export function halvesOf(heard: readonly Heard[]): Heard[][] {
  if (heard.length <= togetherMax / 2) return [[...heard]]
  const parts: [Heard[], Heard[]] = [[], []]
  const partOf = new Map<string, Heard[]>()
  for (const each of heard) {
    const { edge } = each.presence
    const part = partOf.get(edge) ?? parts[partOf.size % 2 === 0 ? 0 : 1]
    partOf.set(edge, part)
    part.push(each)
  }
  return parts
}

async function recordForeign(deps: Deps, foreign: readonly ForeignPresence[]): Promise<void> {
  const noted = await storeEach(deps, foreign, async ({ db }, each) => await noteForeign(db, each))
  await onArrival(
    deps,
    noted.filter(({ forgotten }) => forgotten),
  )
}

/** `arrived`: edges that are new, have restarted, have moved to another region, or were forgotten. */
async function onArrival(deps: Deps, arrived: readonly WrittenEdge[]): Promise<void> {
  if (arrived.length === 0) return
  await returnToFleet(
    deps,
    arrived.filter(({ forgotten }) => forgotten).map(({ id }) => id),
  )
  const started = arrived.filter(({ forgotten }) => !forgotten).map(({ id }) => id)
  if (started.length > 0) deps.log.info('edges started', { edges: started.join(',') })
  await distributeDesired(deps, { kind: 'edges', ids: arrived.map(({ id }) => id) })
}

/** If two replicas see it at the same time, only one of them acts. */
async function returnToFleet({ db, log }: Deps, forgotten: readonly string[]): Promise<void> {
  if (forgotten.length === 0) return
  const back = await db.orm.transaction(async (tx) => {
    const remembered = await rememberEdges(tx, forgotten)
    for (const id of remembered)
      await writeAudit(tx, { actor: itself, action: 'edge.return', target: `edge/${id}` })
    return remembered
  })
  if (back.length > 0) log.info('forgotten edges returned', { edges: back.join(',') })
}

/** Writes heartbeats, at most one for each boot. Returns the edges that arrived. */
async function storeHeartbeats(
  deps: Deps,
  received: readonly Heard[],
  issued: IssuedClaims,
): Promise<WrittenEdge[]> {
  const claims = await ownClaims(
    deps.db,
    received.map(({ presence }) => presence),
    issued,
  )
  const heard = received.map((each, index) => ({ ...each, claims: claims[index]! }))
  await reportForeignEdges(
    deps,
    heard.map(({ presence: { edge }, claims: { foreign } }) => ({ id: edge, versions: foreign })),
  )
  const next = heard.map((each) => {
    const { boot, region } = each.presence
    return { ...each, expected: { boot, region }, otherBoots: undefined }
  })
  const written = await updatePresence(deps.db, next)
  const arrived = written.filter(({ forgotten }) => forgotten)
  const boots = new Map(written.map(({ id, boot }) => [id, boot]))
  // Late heartbeats, and heartbeats that another replica is writing, are not written. They do not belong to another boot.
  let rest = await ofOtherBoots(
    deps.db,
    heard.filter(({ presence }) => boots.get(presence.edge) !== presence.boot),
  )
  while (rest.length > 0) {
    // Two boots of one edge, one after the other.
    const first = new Map(rest.toReversed().map((each) => [each.presence.edge, each]))
    arrived.push(...(await placeBoots(deps, [...first.values()])))
    rest = rest.filter((each) => first.get(each.presence.edge) !== each)
  }
  return arrived
}

/** Heartbeats that are not the next one of their boot, at most one for each edge. */
async function placeBoots({ db, log }: Deps, heard: readonly ClaimedHeard[]): Promise<WrittenEdge[]> {
  const known = await knownBoots(
    db.orm,
    heard.map(({ presence }) => presence.edge),
  )
  const added = heard.filter(({ presence }) => !known.has(presence.edge))
  const taken: HeartbeatWrite[] = []
  for (const each of heard) {
    const { presence } = each
    const edge = known.get(presence.edge)
    if (!edge) continue
    const decision = decideBoot(edge, presence, edge.now - each.ageMs)
    if (decision.kind === 'take')
      taken.push({ ...each, expected: { boot: edge.boot, region: edge.region }, otherBoots: decision.others })
    if (decision.kind !== 'note') continue
    const isNoted = await noteOtherBoots(db.orm, {
      id: presence.edge,
      known: edge,
      otherBoots: decision.others,
    })
    if (isNoted && decision.isSecondInstance)
      log.warn('two processes use the same edge id', {
        edge: presence.edge,
        boots: `${edge.boot},${presence.boot}`,
      })
  }
  // If another replica has written the row meanwhile, the next heartbeat is placed again.
  return [
    ...(added.length > 0 ? await insertEdges(db, added) : []),
    ...(taken.length > 0 ? await updatePresence(db, taken) : []),
  ]
}

/** If Postgres refuses a message, the others are stored. */
async function storeEach<T extends Heard | ForeignPresence>(
  deps: Deps,
  heard: readonly T[],
  write: (deps: Deps, heard: readonly T[]) => Promise<WrittenEdge[]>,
): Promise<WrittenEdge[]> {
  if (heard.length === 0) return []
  try {
    return await write(deps, heard)
  } catch (error) {
    if (troubleOf(error) !== 'unstorable') throw error
    if (heard.length > 1) {
      const each: WrittenEdge[] = []
      for (const one of heard) each.push(...(await storeEach(deps, [one], write)))
      return each
    }
    const [one] = heard
    const edge = one && 'presence' in one ? one.presence.edge : one?.edge
    deps.log.warn('a heartbeat cannot be stored', { edge, reason: reasonOf(error) })
    return []
  }
}
