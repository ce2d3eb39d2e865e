/** `imapfleet edges`: lists the edges, shows one, and forgets one. */
import { isHeard, safe, type EdgeView } from '@imapfleet/api'
import type { ApiClient } from '@imapfleet/client'
import type { Command } from 'commander'
import { confirm } from '../prompt.ts'
import { amount } from '../print/amount.ts'
import type { Style } from '../print/colour.ts'
import { problemsText } from '../print/problems.ts'
import { edgeColumn } from '../print/edge-column.ts'
import { facts, table, type Column, type TableLayout } from '../print/table.ts'
import { timeColumn } from '../print/time-column.ts'
import { ago, dayAndClock, duration } from '../print/time.ts'
import type { Shell } from '../shell.ts'
import { watchable } from '../watching.ts'
import { addEnrolments } from './enrolments.ts'

export function addEdges(parent: Command, shell: Shell): void {
  const edges = parent
    .command('edges')
    .description('list the edges: state, connections, configuration revision, and what is wrong')
    .addHelpText('after', examples)

  watchable(
    edges
      .command('list', { isDefault: true })
      .description('all edges of the fleet (the default)')
      .option('--region <region>', 'only this region'),
    shell,
    async (options: { region?: string }, command: Command) => {
      const client = await shell.client(command)
      const { edges: all, problems } = await readFleet(client)
      const list = all.filter(({ region }) => region === (options.region ?? region))
      for (const problem of problems) shell.note(problem)
      if (list.length === 0)
        shell.note(
          options.region === undefined
            ? 'there are no edges yet: an edge is listed after its first heartbeat (see `imapfleet edges enroll --help`)'
            : `there are no edges in region ${options.region}`,
        )
      shell.answer(command, { edges: list, problems }, (page) =>
        table(edgeListColumns(Date.now()), list, page),
      )
    },
  )

  watchable(
    edges
      .command('show')
      .description('one edge in detail, even a forgotten one')
      .argument('<id>', 'name of the edge'),
    shell,
    async (id: string, _options: object, command: Command) => {
      const client = await shell.client(command)
      const edge = await client.call('readEdge', { params: { id } })
      shell.answer(command, edge, (page) => edgeFacts(edge, page))
    },
  )

  edges
    .command('forget')
    .description('remove an edge from the fleet for good; its next heartbeat returns it')
    .argument('<id>', 'name of the edge')
    .option('-y, --yes', 'do not ask for confirmation')
    .action(async (id: string, { yes }: { yes?: true }, command: Command) => {
      const client = await shell.client(command)
      if (!yes) await confirm(`Forget ${id}? It will be in no list, and no order will wait for it.`, shell)
      const edge = await client.call('forgetEdge', { params: { id } })
      shell.answer(command, edge, () => [
        `${safe(edge.id)} is forgotten; its history is kept, and its next heartbeat returns it`,
      ])
    })

  edges
    .command('adopt')
    .description(
      'confirm that the database of control is the right one, although edges run the state of another one',
    )
    .option('-y, --yes', 'do not ask for confirmation')
    .action(async ({ yes }: { yes?: true }, command: Command) => {
      const client = await shell.client(command)
      if (!yes)
        await confirm(
          'Publish the state of this database? Edges without a layer in it return to their own files.',
          shell,
        )
      const answer = await client.call('adoptEdges')
      shell.answer(command, answer, () => [
        answer.adopted.length === 0
          ? 'no edge runs the state of another database'
          : `the state of this database is published to ${answer.adopted.map(safe).join(', ')}`,
      ])
    })

  addEnrolments(edges, shell)
}

const examples = `
Examples:
  imapfleet edges --region eu
  imapfleet edges show eu-1
  imapfleet edges forget eu-1
  imapfleet edges --watch
  imapfleet edges -o name --no-headers | xargs -n1 imapfleet edges show
  imapfleet edges --output json |
    jq '.edges[] | select(.state == "silent") | .id'`

/** All edges, page by page. */
export const readEdges = async (client: ApiClient): Promise<EdgeView[]> => (await readFleet(client)).edges

/** The same, and what is wrong with the fleet as a whole. */
async function readFleet(client: ApiClient): Promise<{ edges: EdgeView[]; problems: string[] }> {
  const edges: EdgeView[] = []
  let problems: string[] = []
  for (let after: string | null | undefined; after !== null;) {
    const page = await client.call('listEdges', { query: { after } })
    edges.push(...page.edges)
    problems = page.problems ?? []
    after = page.next ?? null
  }
  return { edges, problems }
}

const stateStyle: Readonly<Record<EdgeView['state'], Style>> = {
  serving: 'green',
  draining: 'yellow',
  stopping: 'yellow',
  silent: 'red',
  incompatible: 'red',
}

/** The figures of a silent edge are those of its last heartbeat. */
const present = (edge: EdgeView, count: number | string) => (isHeard(edge) ? String(count) : '-')

const isRefused = ({ config }: EdgeView) => config.rejected?.revision === config.wanted

export function edgeListColumns(now: number): Column<EdgeView>[] {
  return [
    edgeColumn('ID', (edge) => edge.id),
    { title: 'REGION', cell: (edge) => edge.region },
    {
      title: 'STATE',
      cell: (edge) => edge.state,
      cut: 'never',
      hide: 'never',
      style: (edge) => stateStyle[edge.state],
    },
    { title: 'VERSION', cell: (edge) => edge.version, hide: 'first' },
    { ...timeColumn('STARTED', (edge: EdgeView) => edge.startedAt), isExtra: true },
    { title: 'LISTENERS', cell: (edge) => edge.listeners.join(', '), isExtra: true },
    { title: 'CACHED', cell: (edge) => present(edge, edge.connections.cached), align: 'right' },
    { title: 'ACTIVE', cell: (edge) => present(edge, edge.connections.active), align: 'right' },
    { title: 'CLIENTS', cell: (edge) => present(edge, edge.connections.clients), align: 'right' },
    { title: 'WANTED', cell: (edge) => String(edge.config.wanted), align: 'right', hide: 'first' },
    {
      title: 'APPLIED',
      cell: (edge) => String(edge.config.applied),
      align: 'right',
      style: (edge) =>
        isRefused(edge) ? 'red' : edge.config.applied === edge.config.wanted ? undefined : 'yellow',
    },
    {
      title: 'LAST SEEN',
      cell: (edge) => ago(edge.lastSeenAt, now),
      raw: (edge) => edge.lastSeenAt,
      cut: 'never',
      hide: 'first',
    },
    {
      title: 'PROBLEMS',
      cell: (edge) => problemsText(edge, now).join('; '),
      raw: ({ problems }) => problems.map(({ text }) => text).join('; '),
      cut: 'middle',
      hide: 'never',
      room: 30,
      style: ({ problems }) =>
        problems.some(({ severity }) => severity === 'bad')
          ? 'red'
          : problems.length > 0
            ? 'yellow'
            : undefined,
    },
  ]
}

/** One edge in detail, a fact on each line. */
export function edgeFacts(edge: EdgeView, page: TableLayout): string[] {
  const { cached, active, clients } = edge.connections
  const { wanted, applied, rejected } = edge.config
  const now = Date.now()
  return facts(
    [
      ['edge', edge.id],
      ['region', edge.region],
      ['state', edge.state],
      ['version', edge.version],
      ['started', `${dayAndClock(edge.startedAt)} (${duration(now - Date.parse(edge.startedAt))} ago)`],
      ...(edge.forgottenAt === undefined
        ? []
        : [['forgotten', `${dayAndClock(edge.forgottenAt)} (${ago(edge.forgottenAt, now)})`] as const]),
      ['last seen', `${dayAndClock(edge.lastSeenAt)} (${ago(edge.lastSeenAt, now)})`],
      ['boot', edge.boot],
      ['listeners', edge.listeners.join(', ') || 'none'],
      ['cached', present(edge, amount(cached, 'idle connection'))],
      ['active', present(edge, `${amount(active, 'connection')} in use`)],
      ['clients', present(edge, `${amount(clients, 'client')} connected`)],
      ['revision', applied === wanted ? `${applied}` : `${applied}, wanted is ${wanted}`],
      ...(rejected ? [['refused', `revision ${rejected.revision}: ${rejected.reason}`] as const] : []),
      ['credential', edge.credential ?? 'no own credential'],
      ['problems', problemsText(edge, now).join('; ') || 'none'],
    ],
    page,
  )
}
