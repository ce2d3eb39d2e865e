/**
 * Makes revisions, shows them, and waits: until the edges have applied or refused them, or until the rollout has ended.
 * The end of every command that changes the configuration.
 */
import { layerText, safe, type RestoreRequest, type RevisionStatus, type RolloutView } from '@imapfleet/api'
import type { ApiClient } from '@imapfleet/client'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import { durationOption, rolloutOf, rolloutOptions, wholeArgument, type RolloutOptions } from '../options.ts'
import type { Paint } from '../print/colour.ts'
import { changeLines, edgeLines } from '../print/revision.ts'
import { besideRollout, progressText } from '../print/rollout.ts'
import { someNames } from '../print/some-names.ts'
import { duration } from '../print/time.ts'
import type { Shell } from '../shell.ts'
import { waitFor } from '../waiting.ts'
import { restartKeys } from './config-keys.ts'
import { complainOfRollout } from './rollouts.ts'

export interface RevisionOptions extends RolloutOptions {
  note: string
  message?: string
  base?: number
  dryRun?: true
  wait: boolean
  timeout: number
}

/** Options of every command that makes revisions. */
export const revisionOptions = (command: Command) =>
  rolloutOptions(command)
    .option('--note <text>', 'why, for the history', '')
    .option('-m, --message <text>', 'the same as --note, as for git commit')
    .option('--base <revision>', 'fail if a newer revision than this exists', wholeArgument(0))
    .option('--dry-run', 'show what would change, but change nothing')
    .option(
      '--wait',
      'wait until each edge has applied or refused it (the default); with --rollout, until the rollout has ended',
      true,
    )
    .option('--no-wait', 'do not wait for the edges')
    .addOption(durationOption('--timeout <duration>', 'how long to wait; for a rollout at most 1h', '30s'))

const rolloutPatienceMs = 3_600_000

/** What is sent with every change. */
type Terms = Pick<RestoreRequest, 'note' | 'base' | 'rollout' | 'dryRun'>

/** The revisions that a request makes or would make, and the answer of the API with these in their present state. */
export interface RevisionMaker {
  make: (client: ApiClient, terms: Terms) => Promise<RevisionStatus[]>
  answerWith: (statuses: readonly RevisionStatus[]) => unknown
}

/** Throws if an edge has refused a revision or has not applied it, or if its rollout was rolled back. */
export async function makeRevisions(
  { make, answerWith }: RevisionMaker,
  options: RevisionOptions,
  command: Command,
  shell: Shell,
): Promise<void> {
  const { base, dryRun = false, note: noted, message: note = noted } = options
  const rollout = rolloutOf(options)
  const client = await shell.client(command)
  const terms = { note, ...(base !== undefined && { base }), ...(rollout && { rollout }) }
  // Before the change is made, so that the operator can still stop.
  if (rollout && !dryRun) noteRestarts(await make(client, { ...terms, dryRun: true }), shell)
  const made = await make(client, { ...terms, dryRun })
  const changed = made.filter(({ revision }) => revision.changes.length > 0)
  const isAsked = (name: string) => command.getOptionValueSource(name) === 'cli'
  const { page } = shell

  if (!shell.wantsData(command))
    shell.print(made.flatMap((status) => headLines(status, dryRun, page().paint)))
  if (!rollout || dryRun) noteRestarts(made, shell)
  if (made.length === 0 && !shell.wantsData(command))
    shell.print(['no change: the fleet is the same already'])
  if (dryRun || changed.length === 0) {
    shell.answer(command, answerWith(made), () => (dryRun && changed.length > 0 ? plannedLines(changed) : []))
    return
  }
  if (rollout) {
    const [first] = changed
    shell.answer(command, answerWith(made), (layout) =>
      edgeLines(
        changed.flatMap(({ edges }) => edges),
        layout,
      ),
    )
    if (!first) return
    const { revision } = first.revision
    if (options.wait && isAsked('wait'))
      await followRollout(client, revision, isAsked('timeout') ? options.timeout : rolloutPatienceMs, shell)
    else shell.note(`it is rolled out in waves: see \`imapfleet rollouts show ${revision}\``)
    return
  }
  const beside = await besideOf(client, changed)
  if (beside !== undefined) shell.note(beside)
  const reached = options.wait ? await reach(client, made, options.timeout, shell) : made
  const shown = reached.filter(({ revision }) => revision.changes.length > 0)
  shell.answer(command, answerWith(reached), (layout) => edgeLines(togetherByEdge(shown), layout))
  if (options.wait) complain(shown)
}

/** Waits until no edge is pending. Only revisions with pending edges are read again. */
async function reach(
  client: ApiClient,
  made: RevisionStatus[],
  timeoutMs: number,
  shell: Shell,
): Promise<RevisionStatus[]> {
  if (made.some(hasPending)) shell.note(`waiting for the edges to apply it (at most ${duration(timeoutMs)})`)
  const now = [...made]
  const read = async () => {
    for (const [index, status] of now.entries())
      if (hasPending(status)) {
        const params = { revision: status.revision.revision }
        now[index] = await client.call('readRevision', { params })
      }
    return now
  }
  return await waitFor(now, read, { isDone: (statuses) => !statuses.some(hasPending), timeoutMs })
}

const hasPending = ({ revision, edges }: RevisionStatus) =>
  revision.changes.length > 0 && edges.some(({ status }) => status === 'pending')

/** The change is written already: without this remark it is not a failure. */
async function besideOf(client: ApiClient, changed: readonly RevisionStatus[]): Promise<string | undefined> {
  try {
    const { rollouts } = await client.call('listRollouts', { query: { limit: 10 } })
    return besideRollout(
      changed.map(({ revision: { layer }, edges }) => ({ layer, edges })),
      rollouts,
    )
  } catch {
    return undefined
  }
}

/** Waits until the rollout has ended, and says what it does. Throws unless it is completed. */
async function followRollout(
  client: ApiClient,
  revision: number,
  timeoutMs: number,
  shell: Shell,
): Promise<void> {
  shell.note(`waiting for the end of the rollout (at most ${duration(timeoutMs)})`)
  let told = ''
  const read = async () => {
    const rollout = await client.call('readRollout', { params: { revision } })
    const progress = `${rollout.state}, ${progressText(rollout)}`
    if (progress !== told) shell.note(progress)
    told = progress
    return rollout
  }
  const isDone = ({ finishedAt }: RolloutView) => finishedAt !== null
  const last = await waitFor(await read(), read, { isDone, timeoutMs })
  complainOfRollout(last)
  if (!isDone(last))
    throw new Failure('refused', `the rollout of revision ${revision} has not ended: it is ${last.state}`)
}

function noteRestarts(statuses: readonly RevisionStatus[], shell: Shell): void {
  const keys = new Set(statuses.flatMap(({ revision }) => revision.changes.map(({ key }) => key)))
  const late = restartKeys([...keys])
  if (late.length > 0) shell.note(`${late.join(', ')}: takes effect when the edge restarts`)
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

function plannedLines(statuses: readonly RevisionStatus[]): string[] {
  const waves = statuses.flatMap((status) => status.waves ?? [])
  if (waves.length > 0)
    return waves.map((wave, index) => `wave ${index + 1}, ${safe(`${wave.name}: ${wave.edges.join(', ')}`)}`)
  return [`edges that would get it: ${safe(idsOf(togetherByEdge(statuses))) || 'none yet'}`]
}

type EdgeStatus = RevisionStatus['edges'][number]

const fromWorst = ['rejected', 'silent', 'pending', 'applied'] as const satisfies EdgeStatus['status'][]

/** One row for each edge: the worst of its states, by id. */
function togetherByEdge(statuses: readonly RevisionStatus[]): EdgeStatus[] {
  const worst = new Map<string, EdgeStatus>()
  for (const edge of statuses.flatMap(({ edges }) => edges)) {
    const known = worst.get(edge.id)
    if (!known || fromWorst.indexOf(edge.status) < fromWorst.indexOf(known.status)) worst.set(edge.id, edge)
  }
  return statuses.length < 2
    ? [...worst.values()]
    : [...worst.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

const idsOf = (edges: readonly EdgeStatus[]) => edges.map(({ id }) => id).join(', ')

function complain(statuses: readonly RevisionStatus[]): void {
  const edges = togetherByEdge(statuses)
  const named = (status: string, what: string) => {
    const ids = edges.filter((edge) => edge.status === status).map(({ id }) => id)
    return ids.length === 0 ? [] : [`${someNames(ids)} ${what}`]
  }
  const complaints = [
    ...named('rejected', 'refused it'),
    ...named('silent', 'is silent and will apply it when it returns'),
    ...named('pending', 'has not applied it yet'),
  ]
  if (complaints.length > 0)
    throw new Failure('refused', `${revisionsText(statuses)} stored, but ${complaints.join('; ')}`)
}

function revisionsText(statuses: readonly RevisionStatus[]): string {
  const numbers = statuses.map(({ revision }) => revision.revision)
  const [first, last] = [Math.min(...numbers), Math.max(...numbers)]
  return numbers.length === 1 ? `revision ${first} is` : `revisions ${first} to ${last} are`
}
