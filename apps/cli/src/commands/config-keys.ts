/**
 * `imapfleet config keys`: the keys that the fleet can set, their bounds, and whether a change needs a restart. From the
 * schema of this version; the server has the final say.
 */
import { describeKeys, type KeyManual } from '@imapfleet/config'
import type { Command } from 'commander'
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

/** Keys that a revision can set, equal to `prefix` or below it. */
export function settableKeys(prefix = ''): KeyManual[] {
  return describeKeys().filter(
    ({ key, steerable }) => steerable && (prefix === '' || isBelow(key.split('.'), prefix.split('.'))),
  )
}

/** Those of these keys that need a restart of the edge. */
export function restartKeys(keys: readonly string[]): string[] {
  const late = settableKeys().filter(({ reload }) => reload === 'restart')
  return keys.filter((key) =>
    late.some(
      (row) => isBelow(row.key.split('.'), key.split('.')) || isBelow(key.split('.'), row.key.split('.')),
    ),
  )
}

/** `upstreams.NAME.port` is below `upstreams.main`: NAME stands for any name. */
const isBelow = (key: readonly string[], prefix: readonly string[]) =>
  prefix.every((part, index) => {
    const own = key[index]
    return own !== undefined && (own === part || own === 'NAME' || part === 'NAME' || own === `${part}[]`)
  })
