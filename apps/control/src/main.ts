#!/usr/bin/env node
/** The command line of control. The only file that touches `process`. */
import os from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import {
  enrolmentRequestSchema,
  limitsSchema,
  roleSchema,
  scopeSchema,
  tokenRequestSchema,
  type Role,
  type Scope,
} from '@imapfleet/api'
import { findingsAsJson, Log, printFindings, reasonOf, worstOf } from '@imapfleet/observe'
import { watchOutput } from '@imapfleet/observe/output'
import { describeApi } from './app.ts'
import { startControl, type Mode } from './control.ts'
import { diagnoseControl } from './doctor.ts'
import type { DatabaseAddress } from './platform/db/address.ts'
import { openDatabase } from './platform/db/database.ts'
import { migrate } from './platform/db/migrate.ts'
import { builtConsole } from './platform/places.ts'
import { dayMs, type Retention } from './features/history/window.ts'
import { initNats } from './nats-init.ts'
import { writeLeaf, type LeafOptions } from './nats-leaf.ts'
import { alertingOptions, busOptions, databaseOptions, providerOptions, readIssuer } from './options.ts'
import { parseSettings, SettingsError, type ControlSettings } from './settings.ts'
import { createToken } from './features/access/service.ts'
import { version } from './version.ts'

const log = new Log({ level: 'info', format: 'text' }, (line) => process.stderr.write(line))
const stopMs = 10_000
/** The exit status for wrong arguments or settings, which a restart does not repair. The unit does not restart control then. */
const wrongSettings = 2

watchOutput('imapfleet-control', () => process.exit())

const statusOf = (error: unknown): number => (error instanceof SettingsError ? wrongSettings : 1)

const program = new Command('imapfleet-control')
  // Commands that are added below inherit it.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : wrongSettings))
  .description('The control plane of imapfleet: REST API, ingest of reports, desired state of edges.')
  .version(version, '-V, --version', 'print the version')
  .addHelpText(
    'after',
    `
Environment:
  DATABASE_URL              Postgres 15 or newer, such as
                            postgres://USER:SECRET@HOST/NAME?sslmode=verify-full
  DATABASE_PASSWORD_FILE    file with the password, instead of one in
                            DATABASE_URL
  DATABASE_CA_FILE          PEM file of the CA of the Postgres server
  TRUSTED_PROXIES           networks whose X-Forwarded-For is trusted, separated
                            by commas (none)
  NATS_URL                  NATS servers with JetStream, separated by commas
                            (nats://127.0.0.1:4222)
  NATS_TOKEN_FILE           file with a NATS token that all clients share
  NATS_CREDENTIALS_FILE     file with NATS credentials
  NATS_ISSUER_FILE          issuer.json of nats init, to issue and revoke
                            credentials of edges
  NATS_TLS_CA_FILE          PEM file of the CA of the NATS servers
  NATS_TLS_CERT_FILE        PEM file of a client certificate, if the NATS
                            servers require one
  NATS_TLS_KEY_FILE         PEM file of the key of that certificate
  NATS_REPLICAS             copies of each stream in a NATS cluster: 1, 3 or 5
                            (1)
  REPORTS_STREAM_BYTES_MAX  bytes of reports that can wait for ingest
                            (1073741824)
  TRACES_STREAM_BYTES_MAX   bytes of trace lines that are kept (268435456)
  TRACES_KEPT_HOURS         how long trace lines are kept (24)
  REPORTS_KEPT_DAYS         how long reports are kept (7)
  MINUTES_KEPT_DAYS         how long history per minute is kept (90)
  HOURS_KEPT_DAYS           how long history per hour is kept (1095)
  ALERTS_FILE               YAML file with the channels to which alerts are sent
  PUBLIC_URL                address of control for browsers,
                            https://control.example.org; for signing in by OIDC
  OIDC_ISSUER               OpenID Connect provider through which people sign in
                            (none; docs/people.md)
  OIDC_CLIENT_ID            client that the provider knows control by
  OIDC_CLIENT_SECRET_FILE   file with the secret of that client
  OIDC_GROUPS_FILE          YAML file of the groups that may use imapfleet, and
                            their rights
  OIDC_GROUPS_CLAIM         claim with the groups of a person (groups)
  OIDC_NAME_CLAIM           claim with the name of a person (email)
  OIDC_SCOPES               scopes that are asked for, separated by spaces
                            (openid email profile)
  OIDC_LABEL                name of the provider on the button (the host of the
                            issuer)
  CONSOLE_DIRECTORY         directory of the built web console (the one that
                            comes with control)`,
  )

const modes: [Mode, string][] = [
  ['all', 'API and ingest in one process'],
  ['api', 'the API only'],
  ['ingest', 'store reports and heartbeats; serves health over HTTP only with --port'],
]
for (const [mode, description] of modes) {
  const port = new Option('--port <port>', 'port of the API').argParser(parsePort)
  if (mode !== 'ingest') port.default(8080)
  program
    .command(mode)
    .description(description)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(port)
    .action(async (options: { host: string; port?: number }) => await run(mode, options))
}

program
  .command('doctor')
  .description('check settings, Postgres, NATS, keys and the port, one line for each check; changes nothing')
  .option('--host <address>', 'address that control listens on', '127.0.0.1')
  .addOption(new Option('--port <port>', 'its port').argParser(parsePort).default(8080))
  .option('--json', 'print what it finds as JSON')
  .action(async ({ host, port, json }: { host: string; port: number; json?: boolean }) => {
    const findings = await diagnoseControl(process.env, { host, port })
    process.stdout.write(json ? findingsAsJson(findings) : printFindings(findings))
    process.exit(worstOf(findings) === 'fail' ? 1 : 0)
  })

program
  .command('token')
  .description('tokens for the API')
  .command('create')
  .description('make a token and print it; it cannot be shown again')
  .requiredOption('--name <name>', 'its owner, as the audit log shows it', parseName)
  .addOption(new Option('--role <role>', 'what it may do').choices(roleSchema.options).makeOptionMandatory())
  .addOption(new Option('--scope <scope...>', 'extra rights').choices(scopeSchema.options).default([]))
  .option('--region <region...>', 'limits it to these regions')
  .option('--domain <domain...>', 'limits it to the users of these domains')
  .option(
    '--expires <duration>',
    'how long it is valid, such as 12h or 90d (default: no expiry)',
    parseDuration,
  )
  .action(async (options: TokenOptions) => {
    const limits = limitsSchema.safeParse({ regions: options.region, domains: options.domain })
    if (!limits.success) fail(`cannot make a token: ${limits.error.issues[0]?.message ?? ''}`, wrongSettings)
    const database = databaseOrExit(settingsOrExit())
    const db = openDatabase(database)
    try {
      await migrate(database)
      const { name, role, scope: scopes, expires } = options
      const expiresInSeconds = expires === undefined ? undefined : expires / 1000
      const made = await createToken({ db, now: Date.now }, 'imapfleet-control', {
        name,
        role,
        scopes,
        limits: limits.data,
        expiresInSeconds,
      })
      process.stdout.write(`${made.token}\n`)
    } catch (error) {
      fail(`cannot make a token: ${reasonOf(error)}`)
    } finally {
      await db.close()
    }
  })

interface TokenOptions {
  name: string
  role: Role
  scope: Scope[]
  region?: string[]
  domain?: string[]
  expires?: number
}

const nats = program.command('nats').description('NATS with a credential for each edge')
nats
  .command('init')
  .description('create the keys of a fleet, and the accounts that nats-server includes')
  .requiredOption('--dir <directory>', 'directory for the files')
  .option(
    '--resolver-dir <directory>',
    'directory in which nats-server keeps accounts',
    '/var/lib/nats/accounts',
  )
  .action(async ({ dir, resolverDir }: { dir: string; resolverDir: string }) => {
    try {
      process.stdout.write((await initNats(dir, resolverDir)).map((line) => `${line}\n`).join(''))
    } catch (error) {
      fail(`cannot create the files: ${reasonOf(error)}`)
    }
  })

nats
  .command('leaf')
  .description('create the credentials of a leaf node for one region, and the file that it includes')
  .requiredOption('--region <region>', 'the region whose edges connect to it', parseRegion)
  .requiredOption('--roots <file>', 'roots.json of nats init')
  .requiredOption(
    '--dir <directory>',
    'directory for the files; the same path as on the host of the leaf node',
  )
  .requiredOption('--hub <url...>', 'URL at which nats-server accepts leaf nodes', parseHub)
  .option('--ca <file>', 'PEM file of the CA of these servers (default: the CAs of the system)')
  .action(async (options: LeafOptions) => {
    try {
      process.stdout.write((await writeLeaf(options)).map((line) => `${line}\n`).join(''))
    } catch (error) {
      fail(`cannot create the files: ${reasonOf(error)}`)
    }
  })

program
  .command('openapi')
  .description('print the OpenAPI document of the API; needs neither Postgres nor NATS')
  .action(() => void process.stdout.write(`${JSON.stringify(describeApi(), undefined, 2)}\n`))

await program.parseAsync()

async function run(mode: Mode, options: { host: string; port?: number }): Promise<void> {
  const settings = settingsOrExit()
  try {
    const control = await startControl(
      {
        mode,
        replica: `${os.hostname()}/${process.pid}`,
        database: databaseOptions(settings),
        bus: busOptions(settings),
        issuer: readIssuer(settings),
        host: options.host,
        port: options.port,
        trustedProxies: settings.TRUSTED_PROXIES,
        kept: keptOf(settings),
        alerting: alertingOptions(settings),
        provider: providerOptions(settings),
        consoleDirectory: settings.CONSOLE_DIRECTORY ?? builtConsole,
      },
      log,
    )
    log.info('control has started', { mode, host: options.host, port: control.port })
    control.failed.catch((error: unknown) => fail(`control cannot continue: ${reasonOf(error)}`))
    let stopping = false
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => {
        if (stopping) process.exit(1)
        stopping = true
        log.info('control is stopping', { signal })
        setTimeout(() => fail(`control did not stop within ${stopMs / 1000} s`), stopMs).unref()
        void control.stop().then(() => process.exit(0))
      })
  } catch (error) {
    fail(reasonOf(error), statusOf(error))
  }
}

function settingsOrExit(): ControlSettings {
  const parsed = parseSettings(process.env)
  return parsed.ok ? parsed.settings : fail(parsed.problem, wrongSettings)
}

function databaseOrExit(settings: ControlSettings): DatabaseAddress {
  try {
    return databaseOptions(settings)
  } catch (error) {
    return fail(reasonOf(error), statusOf(error))
  }
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new InvalidArgumentError('Give a port from 0 to 65535.')
}

function parseName(text: string): string {
  const name = tokenRequestSchema.shape.name.safeParse(text)
  if (name.success) return name.data
  throw new InvalidArgumentError(`It must ${name.error.issues[0]?.message}.`)
}

function parseRegion(text: string): string {
  const region = enrolmentRequestSchema.shape.region.safeParse(text)
  if (region.success) return region.data
  throw new InvalidArgumentError(`It must ${region.error.issues[0]?.message}.`)
}

/** Collects the values of an option that is given several times. */
function parseHub(text: string, before: string[] = []): string[] {
  const { protocol, hostname } = URL.canParse(text) ? new URL(text) : { protocol: '', hostname: '' }
  if (['nats-leaf:', 'nats:', 'tls:'].includes(protocol) && hostname !== '') return [...before, text]
  throw new InvalidArgumentError('Give a URL such as tls://nats-1.example:7422.')
}

function parseDuration(text: string): number {
  const [, amount, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  if (amount !== undefined && Number(amount) > 0)
    return Number(amount) * { m: 60_000, h: 3_600_000, d: 86_400_000 }[unit as 'm' | 'h' | 'd']
  throw new InvalidArgumentError('Give a duration such as 30m, 12h or 90d.')
}

/** Prints one line and exits. */
function fail(sentence: string, status = 1): never {
  process.stderr.write(`imapfleet-control: ${sentence}\n`)
  process.exit(status)
}

function keptOf(settings: ControlSettings): Retention {
  return {
    reports: settings.REPORTS_KEPT_DAYS * dayMs,
    minutes: settings.MINUTES_KEPT_DAYS * dayMs,
    hours: settings.HOURS_KEPT_DAYS * dayMs,
  }
}
