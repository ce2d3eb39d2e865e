/** `imapfleet drain` and `resume`, and their progress, from heartbeats. */
import { isHeard, type EdgeView, type FleetTarget } from '@imapfleet/api'
import type { ApiClient } from '@imapfleet/client'
import type { Command } from 'commander'
import { Failure, usage } from '../failure.ts'
import { durationOption, namedTarget, targetOptions, type TargetOptions } from '../options.ts'
import { amount } from '../print/amount.ts'
import { edgeColumn } from '../print/edge-column.ts'
import { table, type Column } from '../print/table.ts'
import { duration } from '../print/time.ts'
import type { Shell } from '../shell.ts'
import { waitFor } from '../waiting.ts'
import { readEdges } from './edges.ts'
import {
  complainOfOperation,
  confirmOperation,
  followOperation,
  paceOf,
  paceOptions,
  type PaceOptions,
} from './stages.ts'

interface DrainOptions extends TargetOptions, PaceOptions {
  wait?: true
  timeout: number
}

const examples = `
The drain lasts until \`imapfleet resume\`, even if the edge restarts. You must
name the target.

Examples:
  imapfleet drain eu-1 --wait
  imapfleet drain --region eu --wait --timeout 1h
  imapfleet drain --all --first eu --soak 5m
  imapfleet resume eu-1`

export function addDrain(parent: Command, shell: Shell): void {
  paceOptions(edgeOptions(parent.command('drain')))
    .description('make edges refuse new clients; their sessions continue')
    .option('--wait', 'wait until the last client has disconnected')
    .addOption(durationOption('--timeout <duration>', 'how long to wait', '10m'))
    .addHelpText('after', examples)
    .action(async (id: string | undefined, options: DrainOptions, command: Command) => {
      const client = await shell.client(command)
      const target = targetFor(id, options, 'drain')
      if (target.kind === 'all')
        await confirmOperation(client, { target, operation: { kind: 'drain' } }, options, shell)
      const { edges, operation } = await client.call('drainEdges', { body: { target, ...paceOf(options) } })
      if (operation) complainOfOperation(await followOperation(client, operation, shell))
      await reach(operation ? await currentOf(client, edges) : edges, true, options, command)
    })

  edgeOptions(parent.command('resume'))
    .description('make drained edges accept clients again')
    .option('--wait', 'wait until they accept clients')
    .addOption(durationOption('--timeout <duration>', 'how long to wait', '30s'))
    .action(async (id: string | undefined, options: DrainOptions, command: Command) => {
      const client = await shell.client(command)
      const target = targetFor(id, options, 'resume')
      const { edges } = await client.call('resumeEdges', { body: { target } })
      await reach(edges, false, options, command)
    })

  const reach = async (first: EdgeView[], drain: boolean, options: DrainOptions, command: Command) => {
    const { wait = false, timeout } = options
    const client = await shell.client(command)
    let told = progressOf(first, drain)
    const read = async () => {
      const edges = await currentOf(client, first)
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

async function currentOf(client: ApiClient, edges: readonly EdgeView[]): Promise<EdgeView[]> {
  const ids = new Set(edges.map(({ id }) => id))
  return (await readEdges(client)).filter(({ id }) => ids.has(id))
}

const edgeOptions = (command: Command) => targetOptions(command.argument('[edge]', 'this edge'))

/** The target is required, so that a missing word does not drain the whole fleet. */
function targetFor(id: string | undefined, options: TargetOptions, command: 'drain' | 'resume'): FleetTarget {
  if (id !== undefined && namedTarget(options) !== undefined)
    throw usage('give only one of an edge, --all, --region and --edge')
  const target = id === undefined ? namedTarget(options) : ({ kind: 'edge', name: id } as const)
  if (target === undefined) throw usage(`name what to ${command}: an edge, --region REGION, or --all`)
  return target
}

/** Nothing more to wait for. A silent edge may stay silent. */
export function isSettled(edge: EdgeView, drain: boolean): boolean {
  const { state, connections } = edge
  if (!isHeard(edge)) return true
  return drain ? state !== 'serving' && connections.clients === 0 : state === 'serving'
}

/** `eu-1: 12 clients left, us-1: 1 client left`; empty if nothing is left. */
export function progressOf(edges: readonly EdgeView[], drain: boolean): string {
  const behind = edges.filter((edge) => !isSettled(edge, drain))
  if (behind.length > namedMax) {
    const clients = behind.reduce((sum, { connections }) => sum + connections.clients, 0)
    return `${behind.length} edges${drain ? `: ${amount(clients, 'client')} left` : ''}`
  }
  return behind
    .map(({ id, state, connections }) =>
      !drain || state === 'serving'
        ? `${id}: ${state} still`
        : `${id}: ${amount(connections.clients, 'client')} left`,
    )
    .join(', ')
}

/** If more edges are left, only their number is shown. */
const namedMax = 5

const drainColumns: Column<EdgeView>[] = [
  edgeColumn('EDGE', (edge) => edge.id),
  { title: 'REGION', cell: (edge) => edge.region },
  {
    title: 'STATE',
    cell: (edge) => edge.state,
    style: (edge) => (!isHeard(edge) ? 'red' : edge.state === 'serving' ? 'green' : 'yellow'),
  },
  { title: 'WANTED', cell: (edge) => (edge.drain === true ? 'draining' : 'serving') },
  { title: 'CLIENTS LEFT', cell: (edge) => String(edge.connections.clients), align: 'right' },
]

/** Throws if an edge was silent or, with `wait`, has not finished. */
export function complainOfDrain(edges: readonly EdgeView[], drain: boolean, waited: boolean): void {
  const complaints = edges.flatMap((edge) => {
    if (!isHeard(edge)) return [`${edge.id} is ${edge.state} and will follow when it returns`]
    if (!waited || isSettled(edge, drain)) return []
    const { clients } = edge.connections
    return [drain ? `${edge.id} still has ${amount(clients, 'client')}` : `${edge.id} is still ${edge.state}`]
  })
  if (complaints.length > 0)
    throw new Failure('refused', `the change is recorded, but ${complaints.join('; ')}`)
}
