/** What all orders share: options, a request that can be repeated safely, the answers, and the exit status. */
import { orderViewOf, type OrderView } from '@imapfleet/api'
import { newId, readWholeOrder, requestOrder, type ApiClient } from '@imapfleet/client'
import { isDisruptiveOrder, type OrderAction, type OrderKind } from '@imapfleet/protocol'
import { InvalidArgumentError, type Command } from 'commander'
import { Failure } from '../failure.ts'
import { durationArgument, durationOption, targetOf, targetOptions, type TargetOptions } from '../options.ts'
import { someNames } from '../print/some-names.ts'
import type { TableLayout } from '../print/table.ts'
import type { Shell } from '../shell.ts'
import {
  complainOfOperation,
  confirmOperation,
  followOperation,
  paceOf,
  type StageOptions,
} from './stages.ts'

export interface OrderOptions extends TargetOptions {
  timeout: number
}

/** The longest time that control waits. */
const timeoutMaxMs = 20_000

export const orderOptions = (command: Command) =>
  targetOptions(command).addOption(
    durationOption('--timeout <duration>', 'how long to wait for the edges (0.1s to 20s)', '5s').argParser(
      timeoutArgument,
    ),
  )

function timeoutArgument(text: string): number {
  const ms = durationArgument(text)
  if (ms < 100 || ms > timeoutMaxMs) throw new InvalidArgumentError('Use a duration from 100ms to 20s.')
  return ms
}

/** Sends the order, prints the answers, and fails if an edge failed or was silent. */
export async function runOrder<Action extends OrderAction>(
  given: { action: Action; options: OrderOptions & Partial<StageOptions> },
  command: Command,
  shell: Shell,
  lines: (order: OrderView<Action['kind']>, page: TableLayout) => readonly string[],
): Promise<void> {
  const { action, options } = given
  const client = await shell.client(command)
  const target = targetOf(options)
  if (isDisruptiveOrder(action))
    await confirmOperation(client, { target, operation: { kind: 'order', action } }, options, shell)
  const body = { id: newId(), target, action, timeoutMs: options.timeout, ...paceOf(options) }
  const first = await requestOrder(client, body)
  const order = await untilStagesAreDone<Action['kind']>(action.kind, first, client, options, shell)
  if (order.edges.length === 0) shell.note('there are no edges yet: the order reached none')
  shell.answer(command, order, (page) => lines(order, page))
  if (options.wait !== false && order.operation) complainOfOperation(order.operation)
  complainOf(order)
}

/** Follows an order that is carried out in stages to its end. */
async function untilStagesAreDone<Kind extends OrderKind>(
  kind: Kind,
  first: OrderView<Kind>,
  client: ApiClient,
  { wait = true }: Partial<StageOptions>,
  shell: Shell,
): Promise<OrderView<Kind>> {
  const { operation } = first
  if (!operation) return first
  if (!wait) {
    shell.note(`it continues region by region: imapfleet operations show ${operation.id}`)
    return first
  }
  await followOperation(client, operation, shell)
  return orderViewOf(kind).parse(await readWholeOrder(client, first.id))
}

/** Throws unless all edges answered, and names those that failed or were silent, by reason. */
export function complainOf({ edges }: Pick<OrderView, 'edges'>): void {
  const missing = edges.filter(({ status }) => status !== 'answered')
  const groups = Map.groupBy(missing, ({ status, reason }) =>
    status === 'failed' ? `failed (${reason})` : `${reason}`,
  )
  const complaints = [...groups].map(([what, its]) => {
    const names = someNames(its.map(({ id }) => id))
    if (its[0]?.status === 'failed') return `${names} ${what}`
    return `${names} ${its.length === 1 ? 'was' : 'were'} silent (${what})`
  })
  if (complaints.length > 0) throw new Failure('refused', complaints.join('; '))
}
