/**
 * `imapfleet trace`: one user's protocol lines, live from all edges. However it ends (Ctrl-C, a reader that left, a
 * failure), the trace on the server is ended too.
 */
import type { TraceView } from '@imapfleet/protocol'
import type { Command } from 'commander'
import type { Api } from '../api.ts'
import { Failure } from '../failure.ts'
import { follow, type TraceNews } from '../follow.ts'
import { durationArgument } from '../options.ts'
import { painterFor } from '../print/colour.ts'
import { safe, safeJson } from '../print/safe.ts'
import { clock, duration } from '../print/time.ts'
import { traceLine } from '../print/trace.ts'
import type { Shell } from '../shell.ts'

const examples = `
Passwords never appear; message bodies only with --bodies, which the token must be allowed to ask for.

Examples:
  imapfleet trace alice@example.org
  imapfleet trace alice@example.org --for 1h --output json >> alice.jsonl`

export function addTrace(parent: Command, shell: Shell): void {
  parent
    .command('trace')
    .description("show a user's protocol lines, live from all edges, until Ctrl-C or its time is up")
    .argument('<user>', 'login name, as the mail client sends it')
    .option('--for <duration>', 'how long', durationArgument, 600_000)
    .option('--bodies', 'show message bodies too, not only their length')
    .addHelpText('after', examples)
    .action(async (user: string, options: { for: number; bodies?: true }, command: Command) => {
      const api = await shell.api(command)
      const stopped = shell.untilStopped()
      const seconds = Math.ceil(options.for / 1000)
      const trace = await api.startTrace({ user, seconds, bodies: options.bodies ?? false })
      const rest = duration(Date.parse(trace.expiresAt) - Date.parse(trace.createdAt))
      shell.note(`tracing ${safe(trace.user)} on all edges for ${rest}; Ctrl-C ends it`)
      let ended: boolean
      try {
        ended = await watch(api, trace, stopped, command, shell)
      } catch (error) {
        await api.endTrace(trace.id).catch(() => undefined)
        throw error
      }
      if (ended) return
      await end(api, trace)
      shell.note('the trace has ended')
    })
}

/** Prints a trace; false if it was stopped here before it ended. */
export async function watch(
  api: Api,
  trace: TraceView,
  stopped: AbortSignal,
  command: Command,
  shell: Shell,
): Promise<boolean> {
  const json = shell.wantsJson(command)
  const paint = painterFor(shell.stdout)
  for await (const news of follow(api, trace, stopped)) {
    if (json && news.kind === 'line') shell.print([safeJson({ kind: news.kind, ...news.line })])
    else if (json && news.kind === 'edge') shell.print([safeJson({ kind: news.kind, ...news.edge })])
    else if (news.kind === 'line') shell.print([traceLine(news.line, paint)])
    else shell.note(remark(news))
    if (news.kind === 'ended') return true
  }
  return false
}

function remark(news: Exclude<TraceNews, { kind: 'line' }>): string {
  switch (news.kind) {
    case 'edge': {
      const { edge, state, reason } = news.edge
      const why = reason === undefined ? '' : `: ${safe(reason)}`
      return state === 'tracing' ? `${safe(edge)} is tracing` : `${safe(edge)} has ended its part${why}`
    }
    case 'lost':
      return `connection lost (${safe(news.reason)}); connecting again`
    case 'back':
      return 'connected again'
    case 'ended':
      return 'the trace has ended'
  }
}

async function end(api: Api, trace: TraceView): Promise<void> {
  try {
    await api.endTrace(trace.id)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const when = clock(trace.expiresAt)
    throw new Failure(
      error.kind,
      `the trace could not be ended, it ends by itself at ${when}: ${error.message}`,
    )
  }
}
