/** The command line of `npm run quickstart`. */
import { parseArgs } from 'node:util'
import type { Upstream } from '../edge.ts'
import { messageOf } from '../local-error.ts'

export const quickstartUsage = `Usage: npm run quickstart [-- --upstream HOST:PORT]

Starts nats-server, Postgres, the control plane, two edges (eu, us) and a demo
mail server on this machine, and stops them all on Ctrl-C. Everything is kept in
.run/.

  --upstream HOST:PORT  use this IMAP server instead of the demo one; port 993
                        means TLS
  --help                show this

Environment: NATS_URL (and NATS_TOKEN_FILE) or DATABASE_URL use a server that
already runs; NATS_SERVER_BIN names the nats-server program.`

export type Arguments =
  { kind: 'start'; upstream: Upstream | undefined } | { kind: 'help' } | { kind: 'wrong'; message: string }

export function readArguments(args: string[]): Arguments {
  try {
    const { values } = parseArgs({
      args,
      options: { upstream: { type: 'string' }, help: { type: 'boolean' } },
    })
    if (values.help) return { kind: 'help' }
    if (values.upstream === undefined) return { kind: 'start', upstream: undefined }
    const upstream = parseUpstream(values.upstream)
    if (upstream) return { kind: 'start', upstream }
    const shown = JSON.stringify(values.upstream)
    return {
      kind: 'wrong',
      message: `--upstream needs HOST:PORT, such as mail.example.org:143, not ${shown}`,
    }
  } catch (error) {
    const [sentence = ''] = messageOf(error).split(/\. |\n/)
    return {
      kind: 'wrong',
      message: `${sentence.replace(/^\w/, (letter) => letter.toLowerCase())} (try --help)`,
    }
  }
}

/** `mail.example.org:143`, `192.0.2.1:993`, `[2001:db8::1]:143`. */
function parseUpstream(text: string): Upstream | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]{1,255})):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  return host !== undefined && port >= 1 && port <= 65_535 ? { host, port } : undefined
}
