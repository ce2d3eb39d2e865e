/** The environment of programs under test: ours without variables that would point them to another fleet. */
import { compiledCode } from '@imapfleet/local'

/* oxlint-disable node/no-process-env */

const foreign = [
  'IMAPFLEET_PREPARED',
  'IMAPFLEET_SERVER',
  'IMAPFLEET_TOKEN',
  'NATS_URL',
  'NATS_TOKEN_FILE',
  'NATS_CREDENTIALS_FILE',
  'NATS_ISSUER_FILE',
  'NATS_TLS_CA_FILE',
  'NATS_TLS_CERT_FILE',
  'NATS_TLS_KEY_FILE',
  'DATABASE_CA_FILE',
  'DATABASE_URL',
  'NODE_OPTIONS',
]

/** Of an upstream, although the server is near. */
export const aheadNearby = { ahead: 'on', aheadRoundTripMinMs: 0 } as const

/** Of an upstream, with `IMAPFLEET_TEST_AHEAD=on`: every answer that can be asked ahead is, although the server is near. */
export const aheadForTests: { ahead?: 'on'; aheadRoundTripMinMs?: number } =
  process.env['IMAPFLEET_TEST_AHEAD'] === 'on' ? aheadNearby : {}

export function environmentOf(added: Record<string, string | undefined> = {}): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...Object.fromEntries(foreign.map((name) => [name, undefined])),
    NO_COLOR: '1',
    NODE_COMPILE_CACHE: `${compiledCode}/node`,
    ...added,
  }
}
