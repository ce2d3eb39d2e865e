/** `imapfleet version`. */
import { wireVersion } from '@imapfleet/protocol'
import type { Command } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import type { Shell } from '../shell.ts'

export const { version } = manifest

export function addVersion(parent: Command, shell: Shell): void {
  parent
    .command('version')
    .description('print the versions of this command, of its protocol and of Node')
    .action((_options: object, command: Command) => {
      const data = { imapfleet: version, protocol: wireVersion, node: process.versions.node }
      shell.answer(command, data, () => [
        `imapfleet ${version} (protocol ${wireVersion}, Node ${process.versions.node})`,
      ])
    })
}
