/** The checks of the connection to the fleet: the credential, NATS, each right of the edge, and its clock. */
import type { EdgeConfig } from '@imapfleet/config'
import { checkExpiry, isLoginRefusal, readAccess, tryRights, type TriedRights } from '@imapfleet/nats'
import { findingsAbout, reasonOf, type CheckFinding } from '@imapfleet/observe'
import { desiredEntry, rightsOf, streams, subjects, type EdgeAddress } from '@imapfleet/protocol'
import { runtime } from '../runtime.ts'
import { refusalRemedy } from './nats.ts'

const clockSkewMaxMs = 5_000

/** Empty if the edge is not part of a fleet. */
export async function checkFleet(config: EdgeConfig): Promise<CheckFinding[]> {
  const { edge, fleet } = config
  if (fleet.servers.length === 0) return []
  const { ok, fail } = findingsAbout('nats')
  const read = readAccess(fleet.servers, fleet, (key) => `fleet.${key}`)
  if (!read.ok) return [fail(read.reason, 'repair the file, its owner or its mode')]
  const address = { edge: edge.id, region: edge.region }
  const names = { name: `imapfleet-edge ${edge.id} doctor`, inboxPrefix: subjects.inbox(address) }
  const expiry = checkExpiry(read.access, fleet.credentialsFile, runtime.wall())
  try {
    const tried = await tryRights(read.access, names, rightsToTry(address))
    return [
      ok(`connected to ${tried.server}, nats-server ${tried.version}`),
      ...expiry,
      ...checkRights(tried, config),
      checkClock(tried.newestAt),
    ]
  } catch (error) {
    const remedy = isLoginRefusal(error)
      ? refusalRemedy(config)
      : 'check fleet.servers, and the TLS keys of fleet'
    return [...expiry, fail(`cannot connect to ${fleet.servers.join(', ')}: ${reasonOf(error)}`, remedy)]
  }
}

/** Each subject of `rightsOf`, with a trace and an order that do not exist. */
function rightsToTry(address: EdgeAddress) {
  const desired = desiredEntry(address)
  return {
    subscribe: rightsOf(address).subscribe.filter((subject) => !subject.startsWith(subjects.inbox(address))),
    publish: [subjects.presence(address), subjects.answer(address, 'doctor')],
    store: [subjects.report(address), subjects.trace(address), subjects.evidence(address)],
    read: [{ stream: desired.stream, subject: desired.subject }, { stream: streams.evidence }],
  }
}

function checkRights({ refused, unanswered }: TriedRights, { edge }: EdgeConfig): CheckFinding[] {
  const { ok, fail } = findingsAbout('rights')
  const enroll = `the credential is for another edge or region, or older than this version: imapfleet edges enroll ${edge.id} --region ${edge.region}`
  const found = [
    ...refused.map((what) => fail(`NATS refuses to ${what}`, enroll)),
    ...unanswered.map(({ subject, reason }) =>
      fail(
        `no stream answers for ${subject}: ${reason}`,
        'start control, which makes the streams; it must use the same NATS',
      ),
    ),
  ]
  if (found.length > 0) return found
  return [ok('heartbeats, reports, traces, evidence, answers, orders and desired state are allowed')]
}

/** An edge may not ask NATS for its time. The time of the newest message that it can read shows a clock that is behind. */
function checkClock(newestAt: number): CheckFinding {
  const { ok, warn } = findingsAbout('clock')
  const behindMs = newestAt - runtime.wall()
  if (newestAt === 0) return ok('not compared: the fleet has no message for this edge yet')
  if (behindMs <= clockSkewMaxMs) return ok('is not behind that of NATS')
  return warn(`is at least ${Math.round(behindMs / 1000)} s behind that of NATS`, 'set it, or run NTP')
}
