/** The checks of `imapfleet-edge doctor` and `--check`. `--check` leaves out those that need the network. */
import type { EdgeConfig, Layer } from '@imapfleet/config'
import { findingsAbout, type CheckFinding } from '@imapfleet/observe'
import { checkHost } from './doctor/local-checks.ts'
import { checkRunning, findRunningEdge } from './doctor/running-edge.ts'
import { checkUpstreams } from './doctor/upstream-checks.ts'
import { checkFleet } from './fleet/check-fleet.ts'
import { fleetFilesProblem } from './fleet/nats.ts'

interface Diagnosis {
  path: string
  file: { config: EdgeConfig; document: Layer }
  /** The user that starts the edge. Undefined: the user of this command. */
  user: string | undefined
  isOffline: boolean
}

export async function diagnoseEdge({ path, file, user, isOffline }: Diagnosis): Promise<CheckFinding[]> {
  const { config, document } = file
  const running = await findRunningEdge(path, config)
  const starter = user === undefined ? undefined : { user, hasAllGroups: true }
  const host = await checkHost({ path, config, document, starter, running, fleetFilesProblem })
  const findings = [findingsAbout('configuration').ok(`${path}: no mistakes`), ...host]
  if (isOffline) return findings
  const [servers, fleet] = await Promise.all([
    checkUpstreams(config, new AbortController().signal),
    checkFleet(config),
  ])
  return [...findings, ...servers, ...fleet, ...(running ? checkRunning(running, config) : [])]
}
