#!/usr/bin/env node
/** Arguments, signals and exit codes of `imapfleet-edge`; with privileges.ts the only file that touches the process. */
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { parseArgs } from 'node:util'
import { printProblem, printReportRow, resolveFile, type Layer, type ResolvedFile } from '@imapfleet/config'
import { Log } from '@imapfleet/observe'
import type { EdgeStats } from '@imapfleet/protocol'
import { readCertificates } from './edge/certificates.ts'
import type { Edge } from './edge/edge.ts'
import { EdgeError, stackOf } from './errors.ts'
import { FleetMember } from './fleet/fleet.ts'
import { lastGoodConfig } from './fleet/last-good.ts'
import { listenHttp } from './observe/http.ts'
import { filesAllowed, filesWanted } from './edge/open-files.ts'
import { dropPrivileges } from './edge/privileges.ts'
import { statsOf } from './edge/snapshot.ts'
import { startEdge } from './edge/start.ts'
import { version } from './edge/version.ts'

const usage = `Usage: imapfleet-edge --config FILE [--check]

  --config FILE   configuration (YAML), or an imapproxy.conf as it is
  --check         read the configuration and the certificates that it names, say what each line of an
                  imapproxy.conf became, and exit
  --version       print the version
  --help          print this
`

type Good = Extract<ResolvedFile, { ok: true }>

/** Exit codes: 0 stopped as asked, 1 a broken world, 2 wrong arguments or configuration. */
async function main(): Promise<number> {
  const options = readArguments()
  if (typeof options === 'number') return options
  const loaded = readConfig(options.config)
  const rows = loaded.report.map(printReportRow)
  if (options.check) {
    readCertificates(loaded.config)
    process.stdout.write([...rows, `${options.config}: no mistakes`].map((line) => `${line}\n`).join(''))
    return 0
  }
  const { config } = loaded
  // Whoever read the log may go away, such as a pipe's other end; mail goes on.
  process.stderr.on('error', () => {})
  let { document } = loaded
  const write = (line: string) => process.stderr.write(line)
  const last = lastGoodConfig(config, document, new Log(config.log, write))
  const log = new Log((last?.config ?? config).log, write)
  for (const row of rows) log.info('imapproxy_conf', { line: row })
  const { edge, rejected } = await startEdge(config, last, log)
  const facts = { document: () => document, rejected }
  const member = config.fleet.servers.length > 0 ? new FleetMember(edge, config, facts) : undefined
  const server = await listenForOperators(edge, loaded, member, log)
  dropPrivileges(config.process, log)
  member?.start()
  const listeners = edge.listeners.map((listener) => `${listener.address} port ${listener.port}`)
  const [allowed, wanted] = [filesAllowed(), filesWanted(edge.context.settings.current)]
  if (allowed !== undefined && allowed < wanted) log.warn('too_few_files', { allowed, wanted })
  log.info('started', { edge: config.edge.id, region: config.edge.region, listeners: listeners.join(', ') })
  process.on('SIGHUP', () => {
    const again = reload(edge, options.config, log)
    if (!again) return
    document = again
    member?.fileChanged()
  })
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.once('SIGINT', () => resolve())
  })
  log.info('stopping', { sessions: edge.context.sessions.active.size })
  await edge.stop(edge.context.settings.current.process.drainTimeoutMs)
  await member?.stop()
  server?.close()
  server?.closeAllConnections()
  log.info('stopped')
  return 0
}

/** A port that nobody has asked for must not keep mail from being served. */
async function listenForOperators(
  edge: Edge,
  { config, document }: Good,
  member: FleetMember | undefined,
  log: Log,
): Promise<Server | undefined> {
  const { address, port } = config.http
  if (port === 0) return undefined
  try {
    return await listenHttp(address, port, () => statsOf(edge, healthOf(member)))
  } catch (error) {
    if (document.http !== undefined) throw error
    log.warn('http_unavailable', { reason: (error as Error).message })
    return undefined
  }
}

function readArguments(): { config: string; check: boolean } | number {
  const { values } = parseArgs({
    options: {
      config: { type: 'string', short: 'f' },
      check: { type: 'boolean', default: false },
      version: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help || values.version) {
    process.stdout.write(values.help ? usage : `imapfleet-edge ${version}\n`)
    return 0
  }
  if (values.config !== undefined) return { config: values.config, check: values.check }
  process.stderr.write(`imapfleet-edge: --config FILE is missing; try --help\n`)
  return 2
}

function readConfig(file: string): Good {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new EdgeError('config_unreadable', `cannot read ${file}: ${reason}`)
  }
  const loaded = resolveFile(text)
  if (loaded.ok) return loaded
  throw new EdgeError(
    'config_invalid',
    loaded.problems.map((problem) => printProblem(problem, file)).join('\n'),
  )
}

/** What the file says now, if it is in force. */
function reload(edge: Edge, file: string, log: Log): Layer | undefined {
  try {
    const { config, document } = readConfig(file)
    edge.apply(config)
    log.info('reloaded')
    return document
  } catch (error) {
    // The running configuration stays in force.
    for (const line of (error as Error).message.split('\n')) log.error('reload_refused', { problem: line })
    return undefined
  }
}

const healthOf = (member: FleetMember | undefined): EdgeStats['fleet'] =>
  member && { connected: member.awayReason === undefined, reason: member.awayReason }

try {
  process.exitCode = await main()
} catch (error) {
  const isUsage = (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') ?? false
  const isExpected = error instanceof EdgeError || isUsage
  const message = isExpected ? (error as Error).message : `unexpected: ${stackOf(error)}`
  for (const line of message.split('\n')) process.stderr.write(`imapfleet-edge: ${line}\n`)
  const isBadInput = isUsage || (error instanceof EdgeError && error.code.startsWith('config'))
  // Timers and sockets of a half-started edge must not keep it.
  process.exit(isBadInput ? 2 : 1)
}
