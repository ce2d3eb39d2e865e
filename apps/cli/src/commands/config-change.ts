/**
 * `imapfleet config set`, `unset` and `rollback`: change one layer, which makes a revision, and wait until the edges have
 * applied it.
 */
import {
  layerText,
  type LayerName,
  type RestoreRequest,
  type RevisionRequest,
  type RevisionStatus,
} from '@imapfleet/api'
import type { ApiClient } from '@imapfleet/client'
import { parseValue, type JsonValue } from '@imapfleet/config'
import type { Command } from 'commander'
import { Failure, usage } from '../failure.ts'
import { durationOption, rolloutOf, rolloutOptions, wholeArgument, type RolloutOptions } from '../options.ts'
import type { Paint } from '../print/colour.ts'
import { changeLines, edgeLines } from '../print/revision.ts'
import { safe } from '../print/safe.ts'
import { duration } from '../print/time.ts'
import type { Shell } from '../shell.ts'
import { waitFor } from '../waiting.ts'
import { restartKeys } from './config-keys.ts'

export interface RevisionOptions extends RolloutOptions {
  note: string
  base?: number
  dryRun?: true
  wait: boolean
  timeout: number
}

export interface ChangeOptions extends RevisionOptions {
  global?: true
  region?: string
  edge?: string
}

export function addConfigChange(config: Command, shell: Shell): void {
  const set = config
    .command('set')
    .description('set one key in a layer, and wait until the edges have applied it')
    .argument('<key>', 'dotted key, such as pool.idleTimeoutMs')
    .argument('<value>', 'as in YAML: 60000, true, text, [a, b]')
  changeOptions(set).action(async (key: string, value: string, options: ChangeOptions, command: Command) => {
    await change({ set: { [key]: valueOf(value) } }, options, command, shell)
  })

  const unset = config
    .command('unset')
    .description('remove keys from a layer, so that the layer below applies')
    .argument('<keys...>', 'dotted keys')
  changeOptions(unset).action(async (keys: string[], options: ChangeOptions, command: Command) => {
    await change({ unset: keys }, options, command, shell)
  })
}

/** Options that select a layer. */
export const layerOptions = (command: Command) =>
  command
    .option('--global', 'the global layer (the default)')
    .option('--region <region>', 'the layer of this region')
    .option('--edge <id>', 'the layer of this edge')

/** Options of every command that makes a revision. */
const revisionOptions = (command: Command) =>
  rolloutOptions(command)
    .option('--note <text>', 'why, for the history', '')
    .option('--base <revision>', 'fail if a newer revision than this exists', wholeArgument(0))
    .option('--dry-run', 'show what would change, but change nothing')
    .option('--wait', 'wait until each edge has applied or refused it (the default)', true)
    .option('--no-wait', 'do not wait for the edges')
    .addOption(durationOption('--timeout <duration>', 'how long to wait', '30s'))

export const changeOptions = (command: Command) => revisionOptions(layerOptions(command))

/** Values that JSON cannot express (`.inf`, `.nan`) would silently become null. */
function valueOf(text: string): JsonValue {
  const value = parseValue(text)
  if (value === undefined || (typeof value === 'number' && !Number.isFinite(value)))
    throw usage(
      `the value ${JSON.stringify(text)} cannot be stored: use a number, true, false, text or a list`,
    )
  return value
}

export function layerOf({ global, region, edge }: ChangeOptions): LayerName {
  if ([global, region, edge].filter((given) => given !== undefined).length > 1)
    throw usage('give only one of --global, --region and --edge')
  if (edge !== undefined) return { kind: 'edge', name: edge }
  if (region !== undefined) return { kind: 'region', name: region }
  return { kind: 'global' }
}

/** The change of the layer that the options select. */
export async function change(
  what: Pick<RevisionRequest, 'set' | 'unset'>,
  options: ChangeOptions,
  command: Command,
  shell: Shell,
): Promise<void> {
  const layer = layerOf(options)
  await makeRevision(
    (client, body) => client.call('writeRevision', { body: { ...what, ...body, layer } }),
    options,
    command,
    shell,
  )
}

/** Makes the revision, shows it, and waits for the edges if requested. It does not wait for rollouts. */
async function makeRevision(
  make: (client: ApiClient, body: RestoreRequest) => Promise<RevisionStatus>,
  options: RevisionOptions,
  command: Command,
  shell: Shell,
): Promise<void> {
  const { note, base, dryRun = false } = options
  const rollout = rolloutOf(options)
  const client = await shell.client(command)
  const body = { note, ...(base !== undefined && { base }), ...(rollout && { rollout }) }
  // Before the change is made, so that the operator can still stop.
  if (rollout && !dryRun) noteRestarts(await make(client, { ...body, dryRun: true }), shell)
  const made = await make(client, { ...body, dryRun })
  const changes = made.revision.changes.length > 0
  const waits = options.wait && !dryRun && changes && rollout === undefined

  if (!shell.wantsJson(command)) shell.print(headLines(made, dryRun, shell.page().paint))
  if (!rollout || dryRun) noteRestarts(made, shell)
  if (waits && made.edges.some(isPending))
    shell.note(`waiting for the edges to apply it (at most ${duration(options.timeout)})`)
  const params = { revision: made.revision.revision }
  const read = () => client.call('readRevision', { params })
  const isDone = ({ edges }: RevisionStatus) => !edges.some(isPending)
  const reached = waits ? await waitFor(made, read, { isDone, timeoutMs: options.timeout }) : made
  if (shell.wantsJson(command)) shell.answer(command, reached, () => [])
  else if (changes && dryRun) shell.print(plannedLines(made))
  else if (changes) shell.print(edgeLines(reached.edges, shell.page()))
  if (changes && rollout && !dryRun)
    shell.note(`it is rolled out in waves: see \`imapfleet rollouts show ${made.revision.revision}\``)
  if (waits) complain(reached)
}

function noteRestarts({ revision }: RevisionStatus, shell: Shell): void {
  const late = restartKeys(revision.changes.map(({ key }) => key))
  if (late.length > 0) shell.note(`${safe(late.join(', '))}: takes effect when the edge restarts`)
}

function headLines(
  { revision: { revision, layer, changes } }: RevisionStatus,
  dryRun: boolean,
  paint: Paint,
): string[] {
  const place = safe(layerText(layer))
  if (changes.length === 0) return [`no change: ${place} is the same already`]
  const head = dryRun ? `nothing was changed; this would be revision ${revision}` : `revision ${revision}`
  return [`${head} of ${place}`, ...changeLines(changes, paint)]
}

function plannedLines({ edges, waves }: RevisionStatus): string[] {
  if (!waves || waves.length === 0) return [`edges that would get it: ${safe(idsOf(edges)) || 'none yet'}`]
  return waves.map((wave, index) => `wave ${index + 1}, ${safe(`${wave.name}: ${wave.edges.join(', ')}`)}`)
}

const idsOf = (edges: RevisionStatus['edges']) => edges.map(({ id }) => id).join(', ')
const isPending = ({ status }: RevisionStatus['edges'][number]) => status === 'pending'

function complain({ revision, edges }: RevisionStatus): void {
  const named = (status: string, what: string) => {
    const ids = idsOf(edges.filter((edge) => edge.status === status))
    return ids === '' ? [] : [`${ids} ${what}`]
  }
  const complaints = [
    ...named('rejected', 'refused it'),
    ...named('silent', 'is silent and will apply it when it returns'),
    ...named('pending', 'has not applied it yet'),
  ]
  if (complaints.length > 0)
    throw new Failure('refused', `revision ${revision.revision} is stored, but ${complaints.join('; ')}`)
}

export function addConfigRollback(config: Command, shell: Shell): void {
  const rollback = config
    .command('rollback')
    .description('restore a layer to its state after this revision; `config history` lists revisions')
    .argument('<revision>', 'the revision; it also selects the layer', wholeArgument(1))
  revisionOptions(rollback).action(async (revision: number, options: RevisionOptions, command: Command) => {
    await makeRevision(
      (client, body) => client.call('restoreRevision', { params: { revision }, body }),
      options,
      command,
      shell,
    )
  })
}
