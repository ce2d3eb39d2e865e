/** What commands share that affect many users: how many, a confirmation, the pace, and the progress region by region. */
import type { OperationView, Pace, PreviewRequest } from '@imapfleet/api'
import type { ApiClient } from '@imapfleet/client'
import type { Command } from 'commander'
import { Failure, usage } from '../failure.ts'
import { durationOption, listArgument } from '../options.ts'
import { previewText, stageText } from '../print/operation.ts'
import { confirm } from '../prompt.ts'
import type { Shell } from '../shell.ts'
import { waitFor } from '../waiting.ts'

export interface PaceOptions {
  first?: string[]
  soak?: number
  atOnce?: string
  yes?: true
}

export interface StageOptions extends PaceOptions {
  wait: boolean
}

export const paceOptions = (command: Command) =>
  command
    .option('--first <regions>', 'begin with these regions, separated by commas', listArgument)
    .addOption(
      durationOption('--soak <duration>', 'how long each region is observed before the next (default: 10s)'),
    )
    .option('--at-once <reason>', 'skip the stages: everywhere now. The audit log records the reason')
    .option('-y, --yes', 'do not ask for confirmation')

export const stageOptions = (command: Command) =>
  paceOptions(command).option('--no-wait', 'do not wait for the regions')

/** The pace that the options ask for. None: control decides. */
export function paceOf({ first, soak, atOnce }: PaceOptions): { pace?: Pace } {
  if (atOnce !== undefined) {
    if (first !== undefined || soak !== undefined) throw usage('--at-once excludes --first and --soak')
    if (atOnce.trim() === '') throw usage('give a reason: --at-once REASON')
    return { pace: { kind: 'at-once', reason: atOnce } }
  }
  if (first === undefined && soak === undefined) return {}
  return { pace: { kind: 'staged', regions: first ?? [], soakSeconds: Math.round((soak ?? 10_000) / 1000) } }
}

/** Says what would be affected, and asks at a terminal. A script is not asked: the stages protect it. */
export async function confirmOperation(
  client: ApiClient,
  request: PreviewRequest,
  options: PaceOptions,
  shell: Shell,
): Promise<void> {
  const preview = await client.call('previewOperation', { body: request })
  shell.note(previewText(preview, options.atOnce !== undefined))
  if (options.yes || !shell.stdin.isTTY) return
  await confirm('Continue?', shell)
}

/** Prints each stage as it begins, until the operation has ended or was stopped. */
export async function followOperation(
  client: ApiClient,
  first: OperationView,
  shell: Shell,
): Promise<OperationView> {
  let told = ''
  const tell = (operation: OperationView) => {
    const text = stageText(operation)
    if (text !== told) shell.note(text)
    told = text
  }
  tell(first)
  const read = async () => {
    const operation = await client.call('readOperation', { params: { id: first.id } })
    tell(operation)
    return operation
  }
  const isDone = ({ state }: OperationView) => state !== 'running'
  return await waitFor(first, read, { isDone, timeoutMs: Infinity, signal: shell.untilStopped() })
}

/** Throws unless the operation is complete. */
export function complainOfOperation({ id, state, reason }: OperationView): void {
  if (state === 'completed') return
  const hint =
    state === 'stopped'
      ? `: see imapfleet operations show ${id}, then imapfleet operations continue or abort it`
      : ''
  throw new Failure('refused', `the operation is ${state}${reason === null ? '' : ` (${reason})`}${hint}`)
}
