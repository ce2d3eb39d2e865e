/**
 * `imapfleet trace`: protocol lines of one or more users, live from all edges. However the command ends (Ctrl-C, a
 * closed pipe, a failure), it also ends the trace on the server.
 */
import { safeJson, type TraceEdgeEvent, type TraceEvent, type TraceView } from '@imapfleet/api'
import type { ApiClient } from '@imapfleet/client'
import type { Command } from 'commander'
import { Failure, failureOf, usage } from '../failure.ts'
import { durationOption, sizeArgument } from '../options.ts'
import { painterFor } from '../print/colour.ts'
import { clock, duration } from '../print/time.ts'
import { traceLine } from '../print/trace.ts'
import type { Shell } from '../shell.ts'

const examples = `
Passwords never appear; mail (bodies, headers, search words) only with --bodies,
which the token must be allowed to ask for.

Examples:
  imapfleet trace alice@example.org
  imapfleet trace alice@example.org bob@example.org --for 5m
  imapfleet trace alice@example.org --for 1h --output json >> alice.jsonl`

interface TraceOptions {
  for: number
  region?: string
  bodies?: true
  limit?: number
}

export function addTrace(parent: Command, shell: Shell): void {
  parent
    .command('trace')
    .description("show users' protocol lines live from all edges, until Ctrl-C or until the time is over")
    .argument('<users...>', 'login names, as the mail client sends them')
    .addOption(durationOption('--for <duration>', 'how long', '10m'))
    .option('--region <region>', 'only on the edges of this region')
    .option('--bodies', 'show mail too, not only its length')
    .option('--limit <size>', 'stop on an edge after this much output, such as 16M', sizeArgument)
    .addHelpText('after', examples)
    .action(async (users: string[], options: TraceOptions, command: Command) => {
      const client = await shell.client(command)
      // Before the trace is started, so that a signal does not leave one behind.
      const stopped = shell.untilStopped()
      const { for: ms, region, bodies = false, limit } = options
      const traces: TraceView[] = []
      try {
        for (const user of new Set(users)) {
          const body = { user, region, bodies, seconds: Math.ceil(ms / 1000), bytesMax: limit }
          traces.push(await client.call('startTrace', { body }))
        }
      } catch (error) {
        // If one trace is refused, the others are ended.
        await Promise.all(traces.map((trace) => end(client, trace)))
        throw error
      }
      const names = traces.map(({ user }) => user).join(', ')
      const [where] = traces.map((trace) => (trace.region === null ? 'all edges' : trace.region))
      shell.note(`tracing ${names} on ${where} for ${duration(ms)}; Ctrl-C ends the trace`)
      const isOne = traces.length === 1
      await Promise.all(
        traces.map((trace) =>
          untilEnded(client, trace, stopped, command, shell, isOne ? undefined : trace.user),
        ),
      )
    })
}

/** How long to wait for the last lines after a stop. */
const lastLinesMs = 4_000

/** Shows the trace until it has ended. A stop ends it on the server; the last lines are still shown. */
async function untilEnded(
  client: ApiClient,
  trace: TraceView,
  stopped: AbortSignal,
  command: Command,
  shell: Shell,
  user?: string,
): Promise<void> {
  const leave = new AbortController()
  let ending: Promise<Failure | undefined> | undefined
  const stop = async () => {
    const failure = await end(client, trace)
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
    await watch(client, trace, leave.signal, command, shell, user)
  } catch (error) {
    onStop()
    await ending
    throw error
  }
  const failure = await ending
  if (failure) throw failure
}

type TraceUpdate =
  | ({ kind: 'line' } & TraceEvent)
  | ({ kind: 'edge' } & TraceEdgeEvent)
  /** The connection was lost and is retried. The edges continue to trace. */
  | { kind: 'lost'; reason: string }
  | { kind: 'back' }
  | { kind: 'ended' }

/** The events of a trace until it has ended. Returns without `ended` if the signal ends it. */
export async function* traceUpdates(
  client: Pick<ApiClient, 'stream'>,
  trace: TraceView,
  signal: AbortSignal,
): AsyncGenerator<TraceUpdate> {
  let isLost = false
  for await (const update of client.stream('followTrace', { params: { id: trace.id }, signal })) {
    if (update.kind === 'open') {
      if (isLost) yield { kind: 'back' }
      isLost = false
    } else if (update.kind === 'lost') {
      // If no server answers, the expiry of the trace ends it.
      if (Date.now() > Date.parse(trace.expiresAt)) return yield { kind: 'ended' }
      if (!isLost) yield { kind: 'lost', reason: update.error.message }
      isLost = true
    } else if (update.name === 'end') yield { kind: 'ended' }
    else if (update.name === 'line') yield { kind: 'line', ...update.data }
    else yield { kind: 'edge', ...update.data }
  }
}

/** Prints a trace until it has ended, or until the signal. */
export async function watch(
  client: ApiClient,
  trace: TraceView,
  signal: AbortSignal,
  command: Command,
  shell: Shell,
  user?: string,
): Promise<void> {
  await show(traceUpdates(client, trace, signal), command, shell, user)
}

/** Prints events of traces. `user`: the user of the line, if several are traced. */
export async function show(
  all: AsyncIterable<TraceUpdate>,
  command: Command,
  shell: Shell,
  user?: string,
): Promise<void> {
  const format = shell.format(command)
  if (format !== 'table' && format !== 'json') throw usage('a trace is printed with --output table or json')
  const json = format === 'json'
  const paint = painterFor(shell.stdout)
  const whose = user === undefined ? {} : { user }
  for await (const update of all) {
    if (json && (update.kind === 'line' || update.kind === 'edge')) {
      const { kind, ...data } = update
      shell.print([safeJson({ kind, ...whose, ...data })])
    } else if (update.kind === 'line') shell.print([traceLine(update, paint, user)])
    else shell.note(user === undefined ? remark(update) : `${user}: ${remark(update)}`)
  }
}

function remark(update: Exclude<TraceUpdate, { kind: 'line' }>): string {
  switch (update.kind) {
    case 'edge': {
      const { edge, state, reason } = update
      const why = reason === undefined ? '' : `: ${reason}`
      return state === 'tracing' ? `${edge} is tracing` : `${edge} stopped tracing${why}`
    }
    case 'lost':
      return `connection lost (${update.reason}); reconnecting`
    case 'back':
      return 'reconnected'
    case 'ended':
      return 'the trace has ended'
  }
}

/** The reason why the trace could not be ended, if any. */
async function end(client: ApiClient, trace: TraceView): Promise<Failure | undefined> {
  try {
    await client.call('endTrace', { params: { id: trace.id } })
    return undefined
  } catch (error) {
    const failure = failureOf(error)
    if (!failure) throw error
    const when = clock(trace.expiresAt)
    return new Failure(
      failure.kind,
      `the trace could not be ended; it ends automatically at ${when}: ${failure.message}`,
    )
  }
}
