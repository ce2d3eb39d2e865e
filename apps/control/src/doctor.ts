/** `imapfleet-control doctor`: checks everything that control needs, and changes nothing. */
import { checkExpiry } from '@imapfleet/nats'
import { findingsAbout, reasonOf, type CheckFinding } from '@imapfleet/observe'
import { checkProvider } from './features/people/check-provider.ts'
import { checkIssuer } from './features/enrolments/check-issuer.ts'
import { alertingOptions, busOptions, databaseOptions, providerOptions, readIssuer } from './options.ts'
import { checkDatabase } from './platform/db/check-database.ts'
import { serveHttp } from './platform/http/listen.ts'
import { checkNats } from './platform/nats/check-nats.ts'
import { misspeltSettings, parseSettings } from './settings.ts'

interface Place {
  host: string
  port: number
}

export async function diagnoseControl(
  environment: Readonly<Record<string, string | undefined>>,
  place: Place,
): Promise<CheckFinding[]> {
  const { ok, warn, fail } = findingsAbout('settings')
  const parsed = parseSettings(environment)
  if (!parsed.ok)
    return [
      fail(
        parsed.problem,
        'imapfleet-control --help lists the settings; the unit reads /etc/imapfleet/control.env',
      ),
    ]
  const { settings } = parsed
  const found = await Promise.all([
    readable(
      () => databaseOptions(settings),
      async (address) => await checkDatabase(address),
    ),
    readable(
      () => busOptions(settings),
      async (bus) => {
        const nats = await checkNats(bus)
        const issuer = await readable(
          () => readIssuer(settings),
          async (file) => await checkIssuer(bus.access, file),
        )
        return [...nats, ...checkExpiry(bus.access, settings.NATS_CREDENTIALS_FILE, Date.now()), ...issuer]
      },
    ),
    readable(
      () => alertingOptions(settings),
      async ({ channels }) =>
        channels.length === 0
          ? []
          : [
              findingsAbout('alerts').ok(
                `${channels.length} channels: ${channels.map(({ name }) => name).join(', ')}`,
              ),
            ],
    ),
    readable(() => providerOptions(settings), checkProvider),
    checkPort(place),
  ])
  const misspelt = misspeltSettings(environment).map(({ name, meant }) =>
    warn(`${name} is not a setting, and has no effect`, `write ${meant}, or remove it`),
  )
  return [...(misspelt.length > 0 ? misspelt : [ok('no mistakes')]), ...found.flat()]
}

/** Reads the files that the settings name, and continues with their contents. */
async function readable<T>(
  read: () => T,
  check: (value: T) => Promise<CheckFinding[]>,
): Promise<CheckFinding[]> {
  const { fail } = findingsAbout('files')
  let value
  try {
    value = read()
  } catch (error) {
    return [fail(reasonOf(error), 'it must be readable for the user of control: run doctor as that user')]
  }
  return await check(value)
}

async function checkPort({ host, port }: Place): Promise<CheckFinding[]> {
  const { ok, fail } = findingsAbout('port')
  try {
    const listening = await serveHttp(() => new Response(), host, port)
    await listening.stop()
    return [ok(`${host} port ${port} is free`)]
  } catch (error) {
    const report = await readinessAt({ host, port })
    if (report === undefined) return [fail(reasonOf(error), `ss -ltnp 'sport = :${port}' shows the program`)]
    return [
      ok(`${host} port ${port} is used by the control that runs`),
      ...(report.ready
        ? []
        : [fail(`it is not ready: ${report.text}`, 'see /readyz, and docs/failure-modes.md')]),
    ]
  }
}

/** Of a control that runs there. Undefined: no control answers. */
async function readinessAt({ host, port }: Place): Promise<{ ready: boolean; text: string } | undefined> {
  try {
    const name =
      host === '0.0.0.0' ? '127.0.0.1' : host.includes(':') ? `[${host === '::' ? '::1' : host}]` : host
    const answer = await fetch(`http://${name}:${port}/readyz`, { signal: AbortSignal.timeout(5_000) })
    const text = await answer.text()
    const { ready } = JSON.parse(text) as { ready?: unknown }
    return typeof ready === 'boolean' ? { ready, text: text.trim() } : undefined
  } catch {
    return undefined
  }
}
