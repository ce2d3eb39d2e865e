/**
 * Heartbeats on core NATS, stored for as long as the process runs. Each replica hears every heartbeat, so that none is
 * lost in a replica that hangs. An edge that is new or has restarted gets its desired state. A forgotten edge returns to
 * the fleet.
 */
import { reasonOf } from '@imapfleet/observe'
import {
  foreignPresenceSchema,
  presenceSchema,
  rightsVersion,
  subjects,
  wireVersion,
  type ForeignPresence,
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
        const { heard, foreign } = readBatch(batch, deps.intake)
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

interface Message {
  subject: string
  data: Uint8Array
  /** From performance.now(). */
  arrivedAt: number
}

/** `foreign`: heartbeats of edges that speak another wire version. */
function readBatch(
  batch: readonly (Message | typeof ownProbe)[],
  intake: Intake,
): { heard: Heard[]; foreign: ForeignPresence[] } {
  const heard: Heard[] = []
  const foreign: ForeignPresence[] = []
  for (const message of batch) {
    if (message === ownProbe) continue
    const recognised = recognise(presenceSchema, message, subjects.presence)
    const other = recognised.ok ? undefined : recognise(foreignPresenceSchema, message, subjects.presence)
    if (other?.ok && other.value.v !== wireVersion) {
      foreign.push(other.value)
      continue
    }
    const presence = intake.accepted('heartbeat', message.subject, recognised)
    if (presence && (presence.rights ?? 0) < rightsVersion)
      intake.note('trace', message.subject, 'outdated', 'it is older than control: upgrade the edge')
    if (presence) heard.push({ presence, ageMs: performance.now() - message.arrivedAt })
  }
  return { heard, foreign }
}

const gatherMs = 50
/** Edges read their entry, whatever version the message names. */
const anyVersion = 1

/**
 * Runs until the connection is closed or the signal is aborted. Edges that connected before control are told to read
 * their entry. They answer with a heartbeat, so control need not wait for the next regular one.
 */
async function* hearPresence(
  { bus, intake, log }: Deps,
  signal: AbortSignal,
): AsyncGenerator<(Message | typeof ownProbe)[], void> {
  const { nats } = await bus.whenUp(signal)
  const batches = new Batches<Message | typeof ownProbe>({ sizeMax: 1_000, waitingMax: 20_000, gatherMs })
  const subscription = nats.subscribe(subjects.presenceOfAll, {
    callback: (error, message) => {
      if (error) batches.end(error)
      // An empty message only tries the right to send heartbeats (`imapfleet-edge doctor`).
      else if (message.data.length > 0 && !intake.refuses('heartbeat', message))
        batches.push({ subject: message.subject, data: message.data, arrivedAt: performance.now() })
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
  // One statement can write a row only once, so only the last heartbeat of each boot counts.
  const last = [
    ...new Map(heard.map((each) => [`${each.presence.edge} ${each.presence.boot}`, each])).values(),
  ]
  const arrived = await storeEach(deps, last, async (_, some) => await storeHeartbeats(deps, some, issued))
  deps.metrics.counters.control_heartbeats_total.value += heard.length
  await onArrival(deps, arrived)
}

async function recordForeign(deps: Deps, foreign: readonly ForeignPresence[]): Promise<void> {
  const last = [...new Map(foreign.map((each) => [each.edge, each])).values()]
  if (last.length === 0) return
  const noted = await storeEach(deps, last, async ({ db }, each) => await noteForeign(db, each))
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
  // A late heartbeat is not written, nor one that another replica writes now. Neither is of another boot.
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
  // If another replica has written the row meanwhile, the next heartbeat is placed anew.
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
