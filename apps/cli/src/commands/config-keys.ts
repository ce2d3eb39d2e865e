/** `imapfleet config keys`: the keys, their bounds, and whether a change needs a restart. It asks no server. */
import type { KeyManual } from '@imapfleet/config'
import type { Command } from 'commander'
import { settableKeys } from '../config-keys.ts'
import { usage } from '../failure.ts'
import { table, type Column } from '../print/table.ts'
import type { Shell } from '../shell.ts'

const columns: Column<KeyManual>[] = [
  { title: 'KEY', cell: (row) => row.key },
  { title: 'VALUES', cell: (row) => row.values },
  { title: 'PRESET', cell: (row) => row.preset ?? '' },
  { title: 'EFFECT', cell: (row) => (row.reload === 'live' ? 'immediately' : 'at restart') },
  { title: 'MEANING', cell: (row) => row.help },
]

export function addConfigKeys(config: Command, shell: Shell): void {
  config
    .command('keys')
    .description('all keys: values, defaults, and whether a change needs a restart')
    .argument('[key]', 'only this key, or the keys below it')
    .action((key: string | undefined, _options: object, command: Command) => {
      const rows = settableKeys(key)
      if (rows.length === 0) throw usage(`no key is named ${key}: see \`imapfleet config keys\``)
      shell.answer(command, { keys: rows }, (page) => table(columns, rows, page))
    })
}
