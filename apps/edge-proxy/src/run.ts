/**
 * Runs the edge from the arguments of its process to the exit code: read the configuration, start the edge, join the fleet,
 * drop privileges, serve until a signal, stop.
 */
import { readFileSync, statSync } from 'node:fs'
import type { Server } from 'node:http'
import { parseArgs } from 'node:util'
import { printProblem, printReportRow, resolveFile, type Layer, type ResolvedFile } from '@imapfleet/config'
import { findingsAsJson, Log, printFindings, worstOf } from '@imapfleet/observe'
import { watchOutput } from '@imapfleet/observe/output'
import type { EdgeStats } from '@imapfleet/protocol'
import { diagnoseEdge } from './doctor.ts'
import type { Edge } from './edge/edge.ts'
import { openFilesLimit, openFilesNeeded } from './edge/open-files.ts'
import { takeOver } from './edge/predecessor.ts'
import { dropPrivileges } from './edge/privileges.ts'
import { InstalledProgram } from './edge/program.ts'
import { tellMainProcess } from './edge/service-manager.ts'
import { statsOf } from './edge/snapshot.ts'
import { startEdge } from './edge/start.ts'
import { startSuccessor, type Successor } from './edge/successor.ts'
import { version } from './version.ts'
import { EdgeError, mistakes, stackOf } from './errors.ts'
import { FleetMember } from './fleet/fleet.ts'
import { lastGoodConfig } from './fleet/last-good.ts'
import { InheritedSockets, type ListeningSocket } from './net/inherited-sockets.ts'
import { fileOf } from './net/tcp-handle.ts'
import { listenHttp } from './observe/http.ts'
import { LogOutput } from './observe/log-output.ts'
import { reopenLogs } from './ops/operations.ts'
import { runtime } from './runtime.ts'
import type { Signals } from './signals.ts'

const usage = `Usage: imapfleet-edge --config FILE [--check]
       imapfleet-edge doctor --config FILE [--user NAME] [--json]

  --config FILE   configuration (YAML), or an imapproxy.conf as it is
  --check         check the configuration, the user, ports, files and
                  certificates without starting, print what each line of an
                  imapproxy.conf became, and exit
  doctor          do the same checks, and check names, mail servers, NATS and
                  the clock; one line for each
  --user NAME     check as the user that starts the edge, such as that of its
                  unit (only root can)
  --json          print what doctor finds as JSON
  --version       print the version
  --help          print this help
`

/** The configuration file, without mistakes. */
type ConfigFile = Extract<ResolvedFile, { ok: true }>

/** Exit codes: 0 stopped by a signal, or no check failed; 1 the edge cannot run; 2 a restart does not help (`mistakes`). */
export async function main(signals: Signals): Promise<void> {
  watchOutput('imapfleet-edge', () => process.exit())
  try {
    const options = readArguments()
    if (typeof options === 'number') process.exitCode = options
    else {
      const file = readConfig(options.config)
      if (options.doctor || options.check) await examine(options, file, signals)
      else await run(options.config, file, signals)
    }
  } catch (error) {
    const isUsage = (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') ?? false
    const isExpected = error instanceof EdgeError || isUsage
    const message = isExpected ? (error as Error).message : `unexpected: ${stackOf(error)}`
    for (const line of message.split('\n')) process.stderr.write(`imapfleet-edge: ${line}\n`)
    const isBadInput = isUsage || (error instanceof EdgeError && mistakes.has(error.code))
    // Timers and sockets of an edge that did not start completely would keep the process alive.
    process.exit(isBadInput ? 2 : 1)
  }
}

/** `doctor` and `--check`. */
async function examine(
  { config: path, doctor, json, user }: Options,
  file: ConfigFile,
  signals: Signals,
): Promise<void> {
  signals.stop.addEventListener('abort', () => process.exit(1))
  const findings = await diagnoseEdge({ path, file, user, isOffline: !doctor })
  if (worstOf(findings) === 'fail') process.exitCode = 1
  const print = (text: string) => process.stdout.write(text)
  if (json) return void print(findingsAsJson(findings))
  for (const row of file.report) print(`${printReportRow(row)}\n`)
  if (doctor) return void print(printFindings(findings))
  for (const { verdict, text, remedy } of findings) {
    if (verdict === 'fail') process.stderr.write(`imapfleet-edge: ${text}: ${remedy}\n`)
    if (verdict === 'warn') print(`${text}: ${remedy}\n`)
  }
  if (worstOf(findings) !== 'fail') print(`${path}: no mistakes\n`)
}

async function run(path: string, file: ConfigFile, signals: Signals): Promise<void> {
  const { config } = file
  const output = LogOutput.of(config.log)
  process.once('exit', () => output.end())
  const fleetConfig = lastGoodConfig(config, file.document, new Log(config.log, output.write))
  const log = new Log((fleetConfig?.config ?? config).log, output.write, output.file)
  output.onLost = (lines) => log.warn('log_lines_lost', { lines })
  for (const row of file.report) log.info('imapproxy_conf', { line: printReportRow(row) })

  const sockets = InheritedSockets.fromEnvironment()
  const isSuccessor = !sockets.isEmpty
  const program = new InstalledProgram()
  const { edge, rejected } = await startEdge(config, fleetConfig, log, sockets)
  let { document } = file
  const facts = { document: () => document, rejected }
  const member = config.fleet.servers.length > 0 ? new FleetMember(edge, config, facts) : undefined
  const http = await startHttp(edge, file, { member, log, sockets })
  sockets.closeRest()
  dropPrivileges(config.process, log)
  if (isSuccessor) await takeOver(signals.stop)
  if (!signals.stop.aborted) member?.start()
  logStart(edge, config.edge, log)

  signals.onLogsMoved(() => reopenLogFiles(edge, log))
  signals.onReload(() => {
    // A newer program may read the file differently.
    if (program.hasChanged) return signals.requestHandover()
    const reloaded = reload(edge, path, log)
    if (!reloaded) return
    document = reloaded
    member?.fileChanged()
  })
  const successor = await untilEnd(edge, http, signals)
  if (successor) await handOver(successor, { edge, member, http, signals })
  log.info('stopping', { sessions: edge.context.sessions.active.size })
  await edge.stop(edge.context.settings.current.process.drainTimeoutMs, signals.hurry)
  await member?.stop(signals.hurry)
  closeHttp(http)
  logStopped(log, signals.hurry)
}

/** Undefined: the edge has to stop. If a new process cannot take over, this is logged, and this process continues to serve. */
async function untilEnd(
  edge: Edge,
  http: Server | undefined,
  signals: Signals,
): Promise<Successor | undefined> {
  const { log } = edge.context
  while ((await signals.nextEnd()) === 'handover') {
    const result = await startSuccessorOf(edge, http, signals.stop)
    if (typeof result !== 'string') return result
    log.error('handover_failed', { reason: result })
    edge.unmet = `a new process could not take over: ${result}`
  }
  return undefined
}

/** The new process, or the reason why it could not take over. */
async function startSuccessorOf(
  edge: Edge,
  http: Server | undefined,
  signal: AbortSignal,
): Promise<Successor | string> {
  const sockets = socketsOf(edge, http)
  if (!sockets) return 'this version of Node does not show the files of listening sockets'
  // If systemd cannot be notified, the new process would have to end again. Clients must not reach it.
  const untold = await tellMainProcess(process.pid)
  if (untold !== undefined) return untold
  edge.context.log.info('handover', { sockets: sockets.length })
  const successor = await startSuccessor(sockets, signal)
  if (successor.kind === 'failed') return successor.reason
  const failure = await tellMainProcess(successor.pid)
  if (failure === undefined) return successor
  successor.dismiss()
  return failure
}

function socketsOf(edge: Edge, http: Server | undefined): ListeningSocket[] | undefined {
  const { sockets } = edge
  if (!http || !sockets) return sockets
  const file = fileOf(http)
  return file === undefined ? undefined : [...sockets, { ...edge.context.settings.atStart.http, file }]
}

/** The new process serves new clients. This process serves its present clients until they leave. */
async function handOver(
  successor: Successor,
  running: { edge: Edge; member: FleetMember | undefined; http: Server | undefined; signals: Signals },
): Promise<void> {
  const { edge, member, http, signals } = running
  const { log, clientAdmission, settings } = edge.context
  closeHttp(http)
  edge.retire()
  await member?.retire(signals.hurry)
  successor.release()
  log.info('handed_over', { pid: successor.pid, clients: clientAdmission.total })
  await edge.clientsLeave(settings.current.process.handoverTimeoutMs, signals.stop)
}

function closeHttp(http: Server | undefined): void {
  http?.close()
  http?.closeAllConnections()
}

/** Time limits for the end of the process after the edge has stopped; the second one applies after a second signal. */
const [exitMs, hurriedExitMs] = [2_000, 200]

/** Logs the end of the process, which ends when its last socket and timer have ended. */
function logStopped(log: Log, hurry: AbortSignal): void {
  process.once('beforeExit', () => log.info('stopped'))
  const cut = () => {
    log.warn('stop_cut', { resources: process.getActiveResourcesInfo().join(' ') })
    log.info('stopped')
    process.exit(0)
  }
  const cutAfter = (ms: number) => void runtime.after(ms, cut).unref()
  cutAfter(hurry.aborted ? hurriedExitMs : exitMs)
  hurry.addEventListener('abort', () => cutAfter(hurriedExitMs))
}

interface Options {
  config: string
  doctor: boolean
  check: boolean
  json: boolean
  /** The user that starts the edge. Undefined: the user of this process. */
  user: string | undefined
}

function readArguments(): Options | number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      config: { type: 'string', short: 'f' },
      check: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      user: { type: 'string' },
      version: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  const { config, check, json, user } = values
  if (values.help || values.version) {
    process.stdout.write(values.help ? usage : `imapfleet-edge ${version}\n`)
    return 0
  }
  const doctor = positionals[0] === 'doctor'
  const wrong =
    positionals.length > (doctor ? 1 : 0)
      ? `unexpected argument ${positionals.at(-1)}`
      : !config
        ? '--config FILE is missing'
        : undefined
  if (config && wrong === undefined) return { config, doctor, check, json, user }
  process.stderr.write(`imapfleet-edge: ${wrong}; try --help\n`)
  return 2
}

/** Throws `config_unreadable` or `config_invalid`. */
function readConfig(path: string): ConfigFile {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new EdgeError('config_unreadable', `cannot read ${path}: ${reason}`)
  }
  const file = resolveFile(text)
  if (file.ok) return file
  const problems = file.problems.map((problem) => printProblem(problem, path))
  throw new EdgeError('config_invalid', problems.join('\n'))
}

/** The HTTP server, if it is configured. If `http` is not in the file, the edge also runs without it. */
async function startHttp(
  edge: Edge,
  { config, document }: ConfigFile,
  { member, log, sockets }: { member: FleetMember | undefined; log: Log; sockets: InheritedSockets },
): Promise<Server | undefined> {
  if (config.http.port === 0) return undefined
  const fleetState = (): EdgeStats['fleet'] =>
    member && {
      connected: member.downReason === undefined,
      reason: member.downReason,
      unsaved: member.unsaved,
      refused: member.refused,
    }
  try {
    return await listenHttp(config.http, () => statsOf(edge, fleetState()), sockets.take(config.http))
  } catch (error) {
    if (document.http !== undefined) throw error
    log.warn('http_unavailable', { reason: (error as Error).message })
    return undefined
  }
}

function logStart(edge: Edge, { id, region }: { id: string; region: string }, log: Log): void {
  const [limit, needed] = [openFilesLimit(), openFilesNeeded(edge.context.settings.current)]
  if (limit !== undefined && limit < needed) log.warn('too_few_files', { limit, needed })
  const listeners = edge.listeners.map(({ address, port }) => `${address} port ${port}`)
  log.info('started', { edge: id, region, listeners: listeners.join(', ') })
}

function reopenLogFiles(edge: Edge, log: Log): void {
  const reopened = reopenLogs(edge.context)
  if (reopened.ok) log.info('log_reopened')
  else log.error('log_not_reopened', { reason: reopened.reason })
}

/** The new content of the file. Undefined if it cannot be used. The running configuration then stays in force. */
function reload(edge: Edge, path: string, log: Log): Layer | undefined {
  try {
    // Reading from a pipe would block all sessions until data is written to it.
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false)
      throw new EdgeError('config_unreadable', `cannot read ${path} again: it is not a regular file`)
    const { config, document } = readConfig(path)
    edge.apply(config)
    edge.unmet = undefined
    log.info('reloaded')
    return document
  } catch (error) {
    const [first = '', ...others] = (error as Error).message.split('\n')
    for (const line of [first, ...others]) log.error('reload_refused', { problem: line })
    edge.unmet = `the last reload was refused: ${first}`
    return undefined
  }
}
