/**
 * What is wrong with an edge: the only place that decides it. The API, live views, metrics, the CLI and the console all
 * show this list. A text changes only if the problem changes, so that live views do not get it again every second.
 */
import { isDeepStrictEqual } from 'node:util'
import type { EdgeProblem } from '@imapfleet/api'
import { wireVersion, type LayerVersions } from '@imapfleet/protocol'
import { runningBeside } from './boots.ts'
import { missedMax } from './hearing.ts'
import type { AddressedEdge, EdgeRow } from './queries.ts'

/** The desired state of the edge. */
interface Wanted {
  revision: number
  versions: LayerVersions
  /** Undefined: the edge never had its own credential. */
  hasCredential: boolean | undefined
}

/** Smaller differences are not reported. A heartbeat takes less than this in a slow network. */
const clockSkewMaxMs = 5_000

/**
 * The clock of the edge minus the clock of the database, in milliseconds, if the difference is so large that times must be
 * corrected.
 */
export const largeSkew = (skewMs: number | null): number | undefined =>
  skewMs !== null && Math.abs(skewMs) >= clockSkewMaxMs ? skewMs : undefined

/** The most serious first. `refused`: what control refuses of its messages. */
export function edgeProblems(
  row: EdgeRow,
  wanted: Wanted,
  refused: readonly EdgeProblem[] = [],
): EdgeProblem[] {
  const problems = [
    ...(wanted.hasCredential === false
      ? [bad('credential', 'its credential is revoked or has expired, so NATS refuses it')]
      : []),
    // What a silent edge reported before is outdated.
    ...(row.silent ? [silence(row)] : present(row, wanted)),
    ...refused,
  ]
  return [
    ...problems.filter(({ severity }) => severity === 'bad'),
    ...problems.filter(({ severity }) => severity === 'warning'),
  ]
}

/** Boots that send heartbeats with this edge id, beginning with the shown boot. */
export function instancesOf({ boot, otherBoots, heartbeatMs, lastSeenAt }: AddressedEdge): string[] {
  // Measured from the last heartbeat of the shown boot, so that no clock is read.
  return [boot, ...runningBeside(otherBoots, lastSeenAt.getTime() - heartbeatMs * missedMax)]
}

function silence(row: EdgeRow): EdgeProblem {
  if (row.missing)
    return bad(
      'silent',
      `no heartbeat since ${row.lastSeenAt.toISOString()}: the edge or its connection to NATS is down`,
    )
  const older = row.wireVersion > wireVersion ? 'control' : 'the edge'
  return bad(
    'wire-version',
    `speaks wire version ${row.wireVersion}, and control speaks ${wireVersion}: upgrade ${older}`,
  )
}

function present(row: EdgeRow, wanted: Wanted): EdgeProblem[] {
  const instances = instancesOf(row)
  const skew = largeSkew(row.clockSkewMs)
  return [
    ...(instances.length > 1
      ? [
          bad(
            'instances',
            `${instances.length} processes use its id, boots ${instances.join(' and ')}: give each its own edge.id`,
          ),
        ]
      : []),
    ...(row.unsaved === null ? [] : [bad('unsaved', row.unsaved)]),
    ...row.degraded.filter((text) => text !== row.unsaved).map((text) => bad('reported', text)),
    ...configuration(row, wanted),
    ...(skew === undefined
      ? []
      : [
          warning(
            'clock',
            `its clock is ${durationText(Math.abs(skew))} ${skew > 0 ? 'ahead of' : 'behind'} the clock of control: set it, or run NTP`,
          ),
        ]),
  ]
}

function configuration(row: EdgeRow, wanted: Wanted): EdgeProblem[] {
  const { configApplied, configVersions, configRejected, configRejectedVersions } = row
  // Numbers of revisions can occur twice, before and after the restore of an older database.
  const isWanted = (revision: number | null, versions: EdgeRow['configVersions']) =>
    versions === null ? revision === wanted.revision : isDeepStrictEqual(versions, wanted.versions)
  if (isWanted(configApplied, configVersions)) return []
  if (configRejected !== null && isWanted(configRejected, configRejectedVersions))
    return [
      bad(
        'rejected',
        `refused revision ${wanted.revision} and runs ${configApplied}: ${row.configRejectedReason ?? 'no reason given'}`,
      ),
    ]
  return configApplied === wanted.revision
    ? [
        warning(
          'drift',
          `runs revision ${configApplied} of another database, but should run revision ${configApplied} of this one`,
        ),
      ]
    : [warning('drift', `runs revision ${configApplied}, but should run ${wanted.revision}`)]
}

const bad = (kind: EdgeProblem['kind'], text: string): EdgeProblem => ({ kind, severity: 'bad', text })
const warning = (kind: EdgeProblem['kind'], text: string): EdgeProblem => ({
  kind,
  severity: 'warning',
  text,
})

/** In the largest unit that has at least two of it, so that a clock that drifts does not change the text. */
function durationText(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
  ] as const
  const [unit, unitMs] = units.find(([, each]) => ms >= 2 * each) ?? ['s', 1_000]
  return `${Math.round(ms / unitMs)} ${unit}`
}
