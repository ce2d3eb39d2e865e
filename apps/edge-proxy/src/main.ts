#!/usr/bin/env node
/** Arguments, signals and exit codes of `imapfleet-edge`; the only file that touches the process. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { loadConfig, printProblem, type EdgeConfig, type Layer } from '@imapfleet/config'
import { Clock } from './clock.ts'
import { Edge } from './edge.ts'
import { EdgeError } from './errors.ts'
import { FleetMember } from './fleet/fleet.ts'
import { Log } from './observe/log.ts'
import { listenHttp } from './observe/http.ts'
import { version } from './version.ts'

const usage = `Usage: imapfleet-edge --config FILE [--check]

  --config FILE   configuration (YAML), or an imapproxy.conf as it is
  --check         read the configuration, say what is wrong with it, and exit
  --version       print the version
  --help          print this
`

/** Exit codes: 0 stopped as asked, 1 a broken world, 2 wrong arguments or configuration. */
async function main(): Promise<number> {
  const options = readArguments()
  if (typeof options === 'number') return options
  const loaded = readConfig(options.config)
  if (options.check) {
    process.stdout.write(`${options.config}: no mistakes\n`)
    return 0
  }
  const log = new Log(loaded.config.log, (line) => process.stderr.write(line))
  const clock = new Clock()
  const edge = new Edge(loaded.config, log, clock)
  await edge.start()
  const { http } = loaded.config
  const server = http.port > 0 ? await listenHttp(http.address, http.port, factsOf(edge)) : undefined
  log.info('started', {
    edge: loaded.config.edge.id,
    region: loaded.config.edge.region,
    listeners: edge.listeners.map((listener) => `${listener.address}:${listener.port}`).join(' '),
  })
  let { document } = loaded
  const member =
    loaded.config.fleet.servers.length > 0 ? new FleetMember(edge, loaded.config, () => document) : undefined
  member?.start()
  process.on('SIGHUP', () => {
    const again = reload(edge, options.config, log)
    if (!again) return
    document = again
    member?.relay()
  })
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.once('SIGINT', () => resolve())
  })
  log.info('stopping', { sessions: edge.sessions.active.size })
  await edge.stop(edge.settings.current.process.drainTimeoutMs)
  await member?.stop()
  server?.close()
  server?.closeAllConnections()
  log.info('stopped')
  return 0
}

function readArguments(): { config: string; check: boolean } | number {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
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
  process.stderr.write(`imapfleet-edge: --config FILE is missing\n\n${usage}`)
  return 2
}

function readConfig(file: string): { config: EdgeConfig; document: Layer } {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new EdgeError(
      'config_unreadable',
      `cannot read ${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
    )
  }
  const loaded = loadConfig(text)
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

function factsOf(edge: Edge) {
  return {
    snapshot: () => edge.counters.snapshot(),
    notReady: () => (edge.state === 'serving' ? [] : [`the edge is ${edge.state}`]),
    about: () => ({
      edge: edge.settings.current.edge.id,
      region: edge.settings.current.edge.region,
      version,
      state: edge.state,
      statistics: edge.statistics.read(),
    }),
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  const isExpected =
    error instanceof EdgeError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')
  const message = isExpected
    ? (error as Error).message
    : `unexpected: ${error instanceof Error ? error.stack : String(error)}`
  for (const line of message.split('\n')) process.stderr.write(`imapfleet-edge: ${line}\n`)
  process.exitCode = error instanceof EdgeError && !error.code.startsWith('config') ? 1 : 2
}
