/** `imapfleet drain` and `resume`. */
import type { EdgeView, FleetTarget } from '@imapfleet/api'
import type { Command } from 'commander'
import { complainOfDrain, drainColumns, isSettled, progressOf } from '../drained.ts'
import { usage } from '../failure.ts'
import { namedTarget, targetOptions, type TargetOptions } from '../fleet-target.ts'
import { durationArgument } from '../options.ts'
import { table } from '../print/table.ts'
import { duration } from '../print/time.ts'
import type { Shell } from '../shell.ts'
import { waitFor } from '../waiting.ts'

interface DrainOptions extends TargetOptions {
  wait?: true
  timeout: number
}

const examples = `
The drain lasts until \`imapfleet resume\`, even if the edge restarts. You must name the target.

Examples:
  imapfleet drain eu-1 --wait
  imapfleet drain --region eu --wait --timeout 1h
  imapfleet resume eu-1`

export function addDrain(parent: Command, shell: Shell): void {
  edgeOptions(parent.command('drain'))
    .description('make edges refuse new clients; their sessions continue')
    .option('--wait', 'wait until the last client has disconnected')
    .option('--timeout <duration>', 'how long to wait', durationArgument, 600_000)
    .addHelpText('after', examples)
    .action(async (id: string | undefined, options: DrainOptions, command: Command) => {
      const api = await shell.api(command)
      const { edges } = await api.drain({ target: targetFor(id, options, 'drain') })
      await reach(edges, true, options, command)
    })

  edgeOptions(parent.command('resume'))
    .description('make drained edges accept clients again')
    .option('--wait', 'wait until they accept clients')
    .option('--timeout <duration>', 'how long to wait', durationArgument, 30_000)
    .action(async (id: string | undefined, options: DrainOptions, command: Command) => {
      const api = await shell.api(command)
      const { edges } = await api.resume({ target: targetFor(id, options, 'resume') })
      await reach(edges, false, options, command)
    })

  const reach = async (first: EdgeView[], drain: boolean, options: DrainOptions, command: Command) => {
    const { wait = false, timeout } = options
    const api = await shell.api(command)
    const ids = new Set(first.map(({ id }) => id))
    let told = progressOf(first, drain)
    const read = async () => {
      const edges = (await api.edges()).edges.filter(({ id }) => ids.has(id))
      const progress = progressOf(edges, drain)
      if (progress !== told && progress !== '') shell.note(progress)
      told = progress
      return edges
    }
    const isDone = (edges: EdgeView[]) => edges.every((edge) => isSettled(edge, drain))
    if (wait && !isDone(first))
      shell.note(`waiting for ${told || 'the edges'} (at most ${duration(timeout)})`)
    const edges = wait
      ? await waitFor(first, read, { isDone, timeoutMs: timeout, signal: shell.untilStopped() })
      : first
    shell.answer(command, { edges }, (page) => table(drainColumns, edges, page))
    complainOfDrain(edges, drain, wait)
  }
}

const edgeOptions = (command: Command) => targetOptions(command.argument('[edge]', 'this edge'))

/** The target is required, so that a missing word does not drain the whole fleet. */
function targetFor(id: string | undefined, options: TargetOptions, verb: string): FleetTarget {
  if (id !== undefined && namedTarget(options) !== undefined)
    throw usage('give only one of an edge, --all, --region and --edge')
  const target = id === undefined ? namedTarget(options) : ({ kind: 'edge', name: id } as const)
  if (target === undefined) throw usage(`name what to ${verb}: an edge, --region REGION, or --all`)
  return target
}
