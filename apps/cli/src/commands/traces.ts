/** `imapfleet traces`: running and ended traces; watch, download or end one. */
import type { TraceView } from '@imapfleet/api'
import type { Command } from 'commander'
import { pageByIdOptions, pageQuery, type IdPageOptions } from '../options.ts'
import { table, type Column } from '../print/table.ts'
import { timeColumn } from '../print/time-column.ts'
import { clock } from '../print/time.ts'
import type { Shell } from '../shell.ts'
import { watchable } from '../watching.ts'
import { show, watch } from './trace.ts'

export function addTraces(parent: Command, shell: Shell): void {
  const traces = watchable(
    pageByIdOptions(parent.command('traces')).description(
      'list the traces, newest first; watch, download or end one',
    ),
    shell,
    async (options: IdPageOptions, command: Command) => {
      const client = await shell.client(command)
      const list = await client.call('listTraces', { query: pageQuery(options) })
      shell.answerPage(
        command,
        list,
        list.traces,
        columns(Date.now()),
        'there are no traces: start one with `imapfleet trace USER`',
      )
    },
  )

  traces
    .command('watch')
    .description('show the lines of a running trace; Ctrl-C stops watching, not the trace')
    .argument('<id>', 'id of the trace')
    .action(async (id: string, _options: object, command: Command) => {
      const client = await shell.client(command)
      const trace = await client.call('readTrace', { params: { id } })
      await watch(client, trace, shell.untilStopped(), command, shell)
    })

  traces
    .command('download')
    .description('print the stored lines of a running or ended trace')
    .argument('<id>', 'id of the trace')
    .addHelpText('after', '\nExample:\n  imapfleet traces download ID --output json > trace.jsonl')
    .action(async (id: string, _options: object, command: Command) => {
      const client = await shell.client(command)
      const stored = client.lines('readTraceLines', { params: { id }, signal: shell.untilStopped() })
      await show(stored, command, shell)
    })

  traces
    .command('end')
    .description('end a trace on all edges')
    .argument('<id>', 'id of the trace')
    .action(async (id: string, _options: object, command: Command) => {
      const client = await shell.client(command)
      const trace = await client.call('endTrace', { params: { id } })
      shell.answer(command, trace, (page) => table(columns(Date.now()), [trace], page))
    })
}

function columns(now: number): Column<TraceView>[] {
  const isLive = (trace: TraceView) => trace.endedAt === null && Date.parse(trace.expiresAt) > now
  return [
    { title: 'ID', cell: (trace) => trace.id, cut: 'never' },
    { title: 'USER', cell: (trace) => trace.user },
    { title: 'BY', cell: (trace) => trace.createdBy },
    timeColumn('STARTED', (trace) => trace.createdAt),
    {
      title: 'STATE',
      cut: 'never',
      cell: (trace) =>
        isLive(trace)
          ? `live until ${clock(trace.expiresAt)}`
          : `ended ${clock(trace.endedAt ?? trace.expiresAt)}`,
      style: (trace) => (isLive(trace) ? 'green' : 'dim'),
    },
    { title: 'BODIES', cell: (trace) => (trace.bodies ? 'yes' : 'no') },
  ]
}
