/** `imapfleet config rollback`: a new revision that restores a layer to its state after an older one. */
import type { Command } from 'commander'
import { wholeArgument } from '../options.ts'
import type { Shell } from '../shell.ts'
import { makeRevision, revisionOptions, type RevisionOptions } from './config-change.ts'

export function addConfigRollback(config: Command, shell: Shell): void {
  const rollback = config
    .command('rollback')
    .description('restore a layer to its state after this revision; `config history` lists revisions')
    .argument('<revision>', 'the revision; it also selects the layer', wholeArgument(1))
  revisionOptions(rollback).action(async (revision: number, options: RevisionOptions, command: Command) => {
    await makeRevision((api, wish) => api.restore(revision, wish), options, command, shell)
  })
}
