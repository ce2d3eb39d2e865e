/**
 * The checks of this host that need no network: user, ports, files, certificates, open files. `--check` runs only these. A
 * check fails if the edge would not start, if state of the fleet would be lost, or if clients would refuse a certificate.
 */
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { EdgeConfig, Layer } from '@imapfleet/config'
import { findingsAbout, type CheckFinding } from '@imapfleet/observe'
import type { EdgeStats } from '@imapfleet/protocol'
import { readCertificates } from '../edge/certificates.ts'
import { makeDirectory } from '../edge/make-directory.ts'
import { openFilesLimit, openFilesNeeded } from '../edge/open-files.ts'
import { withAccount, privilegesProblem, type ProcessAccount } from '../edge/privileges.ts'
import { listenFailed } from '../errors.ts'
import { runtime } from '../runtime.ts'
import { isEdgeWith, nameOf, portOwner } from './port-owner.ts'
import { checkUnit } from './service-unit.ts'
import { certificateDates, certificateProblem } from '../net/certificate-dates.ts'

/** The installation that is checked. */
export interface CheckedInstallation {
  /** Path of the configuration file. */
  path: string
  /** Without the fleet's layer. */
  config: EdgeConfig
  document: Layer
  /** The account that starts the edge. Undefined: the user of this process. */
  starter: ProcessAccount | undefined
  /** Why the start would refuse the contents of the files of the section `fleet`. */
  fleetFilesProblem: (config: EdgeConfig) => string | undefined
  /** The running edge with this configuration. */
  running: EdgeStats | undefined
}

export async function checkHost(installation: CheckedInstallation): Promise<CheckFinding[]> {
  const { config } = installation
  const unit = checkUnit(
    {
      read: [['the configuration', installation.path], ...filesOf(config)],
      written: [...logFilesOf(config), ...stateOf(config)],
    },
    installation.starter?.user,
  )
  const keyOf = ({ text }: CheckFinding) => text.split(': ', 1)[0]
  // If the unit does not allow it, other rights would not help: the finding about rights is left out.
  const isOutside = (finding: CheckFinding) =>
    finding.verdict === 'fail' && unit.some((each) => keyOf(each) === keyOf(finding))
  return [
    checkUser(installation),
    ...(await checkPorts(installation)),
    ...(hasAccounts(installation) ? checkAsAccounts(installation).filter((each) => !isOutside(each)) : []),
    ...unit,
    ...checkCertificates(config),
    checkOpenFiles(config),
  ]
}

/** Checks files with the rights of the accounts. `checkUser` reports a missing account. */
const checkAsAccounts = (installation: CheckedInstallation): CheckFinding[] => [
  ...(installation.config.fleet.servers.length > 0 ? [checkStateDirectory(installation)] : []),
  ...checkFiles(installation),
]

/** Whether this process can take the rights of the account. Only root can take those of another user. */
function canBecome({ user }: ProcessAccount): boolean {
  if (process.getuid?.() === 0) return true
  try {
    return userInfo().username === user
  } catch {
    // This user has no name.
    return false
  }
}

function hasAccounts(installation: CheckedInstallation): boolean {
  if (installation.starter !== undefined && !canBecome(installation.starter)) return false
  try {
    for (const account of [installation.starter, runnerOf(installation)])
      withAccount(account, () => undefined)
    return true
  } catch {
    return false
  }
}

const isRoot = ({ starter }: CheckedInstallation): boolean =>
  starter === undefined ? process.getuid?.() === 0 : starter.user === 'root'

/** The account of the edge after its start. */
const runnerOf = (installation: CheckedInstallation): ProcessAccount | undefined => {
  const { user, group } = installation.config.process
  return isRoot(installation) && user !== undefined ? { user, group } : installation.starter
}

function checkUser(installation: CheckedInstallation): CheckFinding {
  const { ok, fail } = findingsAbout('user')
  const { starter, config } = installation
  if (starter !== undefined && !canBecome(starter))
    return fail(
      `files cannot be checked as ${starter.user}: this command does not have the rights of that user`,
      'run it as root',
    )
  if (!isRoot(installation)) {
    try {
      withAccount(starter, () => undefined)
    } catch (error) {
      return fail(`cannot become ${starter?.user}: ${(error as Error).message}`, 'create the user')
    }
    return ok(`it is started as ${starter?.user ?? 'the user of this command'}`)
  }
  const problem = privilegesProblem(config.process)
  if (problem === undefined) return ok(`it is started as root, and becomes ${config.process.user}`)
  return fail(problem, 'if a unit starts it as another user, name that user: --user imapfleet-edge')
}

async function checkPorts({ path, config, document, running }: CheckedInstallation): Promise<CheckFinding[]> {
  const { ok, warn, fail } = findingsAbout('ports')
  const listeners = Object.entries(config.listeners).map(([name, { address, port }]) => ({
    section: `listeners.${name}`,
    address,
    port,
  }))
  const isOptional = document['http'] === undefined
  const { port, address } = config.http
  const places = [...listeners, ...(port === 0 ? [] : [{ section: 'http', address, port }])]
  /** If the owner of the port is unknown, the statistics of the running edge show whether the port is its own. */
  const seemsOwn = (place: (typeof places)[number]) =>
    running !== undefined &&
    (place.section === 'http' || running.listeners?.includes(printed(place)) !== false)
  return await Promise.all(
    places.map(async (place) => {
      const words = `${place.section}: ${place.address} port ${place.port}`
      const error = await bindErrorOf(place)
      if (!error) return ok(`${words} is free`)
      const isUsed = error.code === 'EADDRINUSE'
      const owner = isUsed ? portOwner(place) : undefined
      if (isUsed && (owner ? isEdgeWith(owner, path) : seemsOwn(place)))
        return ok(`${words} is used by the running edge`)
      const { message } = listenFailed(place, error)
      if (place.section === 'http' && isOptional)
        return warn(message, 'the edge starts without it, but nothing can query whether it is ready')
      if (!isUsed) return fail(message, 'see the address and the port in the configuration')
      return fail(
        message,
        owner ? `${nameOf(owner)} has it` : `ss -ltnp 'sport = :${place.port}' shows the program`,
      )
    }),
  )
}

const printed = ({ address, port }: { address: string; port: number }): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`

function bindErrorOf({ address, port }: { address: string; port: number }) {
  return new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const server = createServer()
    server.once('error', resolve)
    server.listen({ host: address, port }, () => server.close(() => resolve(undefined)))
  })
}

/** Creates the state directory and a file in it, like the edge, and removes what it has created. */
function checkStateDirectory(installation: CheckedInstallation): CheckFinding {
  const { ok, fail } = findingsAbout('state')
  const { stateDir } = installation.config.fleet
  const runner = runnerOf(installation)
  try {
    withAccount(runner, () => {
      const made = makeDirectory(stateDir, 0o700)
      try {
        tryAppend(join(stateDir, 'doctor'))
      } finally {
        if (made !== undefined) rmSync(made, { recursive: true, force: true })
      }
    })
    return ok(`${stateDir} can be written`)
  } catch (error) {
    const who = runner?.user ?? 'the user of this command'
    return fail(
      `fleet.stateDir: ${who} cannot write ${stateDir}: ${codeOf(error)}`,
      `without it, configuration and revocations of the fleet are lost at a restart: install -d -m 0700 -o ${runner?.user ?? 'USER'} ${stateDir}`,
    )
  }
}

function checkFiles(installation: CheckedInstallation): CheckFinding[] {
  const { ok, warn, fail } = findingsAbout('files')
  const { starter, config } = installation
  const runner = runnerOf(installation)
  const problems = (account: ProcessAccount | undefined) =>
    withAccount(account, () => fileProblems(installation))
  const atStart = problems(starter)
  const later = problems(runner).filter((problem) => !atStart.includes(problem))
  const named = filesOf(config).length + logFilesOf(config).length
  if (atStart.length === 0 && later.length === 0)
    return [ok(named === 0 ? 'none is configured' : `${named} can be used`)]
  return [
    ...atStart.map((problem) => fail(problem, 'repair the file, its owner or its mode')),
    ...later.map((problem) =>
      warn(
        `after the start, as ${runner?.user}: ${problem}`,
        'a reload fails: give this user the right to read or write it',
      ),
    ),
  ]
}

/** Problems with files for which the edge would not start. */
function fileProblems({ path, config, fleetFilesProblem }: CheckedInstallation): string[] {
  const problems: string[] = []
  const attempt = (work: () => unknown, textOf: (error: unknown) => string) => {
    try {
      work()
    } catch (error) {
      problems.push(...textOf(error).split('\n'))
    }
  }
  attempt(
    () => readFileSync(path),
    (error) => `cannot read the configuration ${path}: ${codeOf(error)}`,
  )
  attempt(
    () => readCertificates(config),
    (error) => (error as Error).message,
  )
  for (const [key, file] of fleetFiles(config))
    attempt(
      () => readFileSync(file),
      (error) => `fleet.${key}: cannot read ${file}: ${codeOf(error)}`,
    )
  const unusable = fleetFilesProblem(config)
  if (unusable !== undefined && !problems.includes(unusable)) problems.push(unusable)
  for (const [key, file] of logFilesOf(config))
    attempt(
      () => tryAppend(file),
      (error) => `${key}: cannot write ${file}: ${codeOf(error)}`,
    )
  return problems
}

const logFilesOf = ({ log, trace }: EdgeConfig): [string, string][] =>
  (
    [
      ['log.file', log.file],
      ['trace.file', trace.file],
    ] as const
  ).flatMap(([key, file]) => (file === undefined ? [] : [[key, file]]))

const fleetFiles = ({ fleet }: EdgeConfig): [string, string][] =>
  (['credentialsFile', 'tokenFile', 'tlsCaFile', 'tlsCertFile', 'tlsKeyFile'] as const).flatMap((key) => {
    const file = fleet.servers.length > 0 ? fleet[key] : undefined
    return file === undefined ? [] : [[key, file]]
  })

const stateOf = ({ fleet }: EdgeConfig): [string, string][] =>
  fleet.servers.length > 0 ? [['fleet.stateDir', fleet.stateDir]] : []

/** Files that the edge reads, by configuration key. */
const filesOf = (config: EdgeConfig): [string, string][] => [
  ...fleetFiles(config).map(([key, file]): [string, string] => [`fleet.${key}`, file]),
  ...(['listeners', 'upstreams'] as const).flatMap((section) =>
    Object.entries(config[section]).flatMap(([name, each]) =>
      (['certFile', 'keyFile', 'caFile', 'caPath'] as const).flatMap((key): [string, string][] => {
        const file = (each as Partial<Record<typeof key, string | undefined>>)[key]
        return file === undefined ? [] : [[`${section}.${name}.${key}`, file]]
      }),
    ),
  ),
]

/** Opens the file for appending. If the file did not exist, it is removed again. */
function tryAppend(file: string): void {
  const isNew = !existsSync(file)
  closeSync(openSync(file, 'a', 0o600))
  if (isNew) rmSync(file)
}

/** Checks the dates of readable certificates. `checkFiles` reports the others. */
function checkCertificates(config: EdgeConfig): CheckFinding[] {
  const { ok, warn, fail } = findingsAbout('certificates')
  const owners: [string, string | undefined][] = [
    ...Object.entries(config.listeners).map(
      ([name, each]) => [`listeners.${name}`, each.certFile] as [string, string | undefined],
    ),
    ...Object.entries(config.upstreams).map(
      ([name, each]) => [`upstreams.${name}`, each.certFile] as [string, string | undefined],
    ),
    ['fleet', config.fleet.tlsCertFile],
  ]
  return owners.flatMap(([owner, file]) => {
    const dates = file === undefined ? undefined : certificateDates(owner, file)
    if (!dates) return []
    const problem = certificateProblem(dates, runtime.wall())
    if (!problem) return [ok(`${owner}: valid until ${new Date(dates.until).toISOString()}`)]
    const remedy = 'renew it, then reload the edge; if the date is right, check the clock of this host'
    return [
      problem.kind === 'certificate_expires_soon'
        ? warn(problem.detail, remedy)
        : fail(problem.detail, remedy),
    ]
  })
}

function checkOpenFiles(config: EdgeConfig): CheckFinding {
  const { ok, warn } = findingsAbout('open files')
  const [limit, needed] = [openFilesLimit(), openFilesNeeded(config)]
  if (limit === undefined || limit >= needed)
    return ok(`the limit of this command is ${limit ?? 'none'}, and ${needed} may be needed`)
  return warn(
    `the limit of this command is ${limit}, and ${needed} may be needed`,
    'the limit of the service counts: LimitNOFILE= of the unit, or ulimit -n; or lower clients.connectionsMax and connectionsMax of the upstreams',
  )
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? (error as Error).message
