/**
 * `imapfleet trace`: protocol lines of one or more users, live from all edges. However the command ends (Ctrl-C, a
 * closed pipe, a failure), it also ends the trace on the server.
 */
import type { TraceView } from '@imapfleet/api'
import type { Command } from 'commander'
import type { Api } from '../api.ts'
import { Failure } from '../failure.ts'
import { traceUpdates, type TraceUpdate } from '../follow.ts'
import { durationArgument, sizeArgument } from '../options.ts'
import { painterFor } from '../print/colour.ts'
import { safe, safeJson } from '../print/safe.ts'
import { clock, duration } from '../print/time.ts'
import { traceLine } from '../print/trace.ts'
import type { Shell } from '../shell.ts'

const examples = `
Passwords never appear; mail (bodies, headers, search words) only with --bodies, which the token must be allowed to ask for.

Examples:
  imapfleet trace alice@example.org
  imapfleet trace alice@example.org bob@example.org --for 5m
  imapfleet trace alice@example.org --for 1h --output json >> alice.jsonl`

interface TraceOptions {
  for: number
  bodies?: true
  limit?: number
}

export function addTrace(parent: Command, shell: Shell): void {
  parent
    .command('trace')
    .description("show users' protocol lines live from all edges, until Ctrl-C or until the time is over")
    .argument('<users...>', 'login names, as the mail client sends them')
    .option('--for <duration>', 'how long', durationArgument, 600_000)
    .option('--bodies', 'show mail too, not only its length')
    .option('--limit <size>', 'stop on an edge after this much output, such as 16M', sizeArgument)
    .addHelpText('after', examples)
    .action(async (users: string[], options: TraceOptions, command: Command) => {
      const api = await shell.api(command)
      // Before the trace is started, so that a signal does not leave one behind.
      const stopped = shell.untilStopped()
      const { for: ms, bodies = false, limit } = options
      const traces: TraceView[] = []
      try {
        for (const user of new Set(users))
          traces.push(
            await api.startTrace({
              ...{ user, bodies, seconds: Math.ceil(ms / 1000) },
              ...(limit === undefined ? {} : { bytesMax: limit }),
            }),
          )
      } catch (error) {
        // If one trace is refused, the others are ended.
        await Promise.all(traces.map((trace) => end(api, trace)))
        throw error
      }
      const names = traces.map((trace) => safe(trace.user)).join(', ')
      shell.note(`tracing ${names} on all edges for ${duration(ms)}; Ctrl-C ends the trace`)
      const isOne = traces.length === 1
      await Promise.all(
        traces.map((trace) =>
          untilEnded(api, trace, stopped, command, shell, isOne ? undefined : trace.user),
        ),
      )
    })
}

/** How long to wait for the last lines after a stop. */
const lastLinesMs = 4_000

/** Shows the trace until it has ended. A stop ends it on the server; the last lines are still shown. */
async function untilEnded(
  api: Api,
  trace: TraceView,
  stopped: AbortSignal,
  command: Command,
  shell: Shell,
  user?: string,
): Promise<void> {
  const leave = new AbortController()
  let ending: Promise<Failure | undefined> | undefined
  const stop = async () => {
    const failure = await end(api, trace)
    const waitMs = failure !== undefined || shell.gone.aborted ? 0 : lastLinesMs
    setTimeout(() => leave.abort(), waitMs).unref()
    return failure
  }
  const onStop = () => {
    ending ??= stop()
  }
  if (stopped.aborted) onStop()
  else stopped.addEventListener('abort', onStop, { once: true })
  try {
    await watch(api, trace, leave.signal, command, shell, user)
  } catch (error) {
    onStop()
    await ending
    throw error
  }
  const failure = await ending
  if (failure) throw failure
}

/** Prints a trace until it has ended, or until the signal. */
export async function watch(
  api: Api,
  trace: TraceView,
  signal: AbortSignal,
  command: Command,
  shell: Shell,
  user?: string,
): Promise<void> {
  await show(traceUpdates(api, trace, signal), command, shell, user)
}

/** Prints events of traces. `user`: the user of the line, if several are traced. */
export async function show(
  all: AsyncIterable<TraceUpdate>,
  command: Command,
  shell: Shell,
  user?: string,
): Promise<void> {
  const json = shell.wantsJson(command)
  const paint = painterFor(shell.stdout)
  const whose = user === undefined ? {} : { user }
  for await (const news of all) {
    if (json && news.kind === 'line') shell.print([safeJson({ kind: news.kind, ...whose, ...news.line })])
    else if (json && news.kind === 'edge')
      shell.print([safeJson({ kind: news.kind, ...whose, ...news.edge })])
    else if (news.kind === 'line') shell.print([traceLine(news.line, paint, user)])
    else shell.note(user === undefined ? remark(news) : `${safe(user)}: ${remark(news)}`)
  }
}

function remark(news: Exclude<TraceUpdate, { kind: 'line' }>): string {
  switch (news.kind) {
    case 'edge': {
      const { edge, state, reason } = news.edge
      const why = reason === undefined ? '' : `: ${safe(reason)}`
      return state === 'tracing' ? `${safe(edge)} is tracing` : `${safe(edge)} stopped tracing${why}`
    }
    case 'lost':
      return `connection lost (${safe(news.reason)}); reconnecting`
    case 'back':
      return 'reconnected'
    case 'ended':
      return 'the trace has ended'
  }
}

/** The reason why the trace could not be ended, if any. */
async function end(api: Api, trace: TraceView): Promise<Failure | undefined> {
  try {
    await api.endTrace(trace.id)
    return undefined
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const when = clock(trace.expiresAt)
    return new Failure(
      error.kind,
      `the trace could not be ended; it ends automatically at ${when}: ${error.message}`,
    )
  }
}
