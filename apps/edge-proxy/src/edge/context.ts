/** The context object of all parts of a running edge: the configuration in force, the log, the clock, and the other parts. */
import type { EdgeConfig } from '@imapfleet/config'
import { edgeMetrics, Metrics, type EdgeMetrics, type Log } from '@imapfleet/observe'
import { ClientAdmission } from '../net/client-admission.ts'
import type { Network } from '../net/network.ts'
import { systemNetwork } from '../net/system-network.ts'
import { ProtocolLog } from '../observe/protocol-log.ts'
import { Statistics } from '../ops/statistics.ts'
import { Pool } from '../pool/pool.ts'
import { Servers } from '../server/servers.ts'
import { CapabilityLists } from '../session/capabilities.ts'
import { Sessions } from '../session/sessions.ts'
import { Tracer } from '../session/tracer.ts'
import { readCertificates } from './certificates.ts'
import type { Clock } from './clock.ts'
import { Settings } from './settings.ts'

export interface EdgeContext {
  readonly settings: Settings
  readonly log: Log
  readonly clock: Clock
  readonly metrics: EdgeMetrics
  readonly servers: Servers
  readonly pool: Pool
  readonly clientAdmission: ClientAdmission
  readonly capabilityLists: CapabilityLists
  readonly sessions: Sessions
  readonly tracer: Tracer
  /** Undefined: `trace.file` is not set. */
  readonly protocolLog: ProtocolLog | undefined
  readonly statistics: Statistics
}

/** Throws `tls_unreadable` or `trace_unwritable`. */
export function createContext(
  config: EdgeConfig,
  log: Log,
  clock: Clock,
  network: Network = systemNetwork,
): EdgeContext {
  const certificates = readCertificates(config)
  const settings = new Settings(config, certificates)
  const metrics = new Metrics(edgeMetrics)
  const clientAdmission = new ClientAdmission()
  const sessions = new Sessions()
  const servers = new Servers(config, certificates.upstreams, metrics, network)
  const pool = new Pool({ settings, servers, metrics, log, clock })
  return {
    settings,
    log,
    clock,
    metrics,
    servers,
    pool,
    clientAdmission,
    capabilityLists: new CapabilityLists(),
    sessions,
    tracer: new Tracer(sessions, metrics.counters.trace_lines_total, clock.wall),
    protocolLog: config.trace.file === undefined ? undefined : new ProtocolLog(config.trace.file),
    statistics: new Statistics(metrics, clientAdmission, pool),
  }
}
