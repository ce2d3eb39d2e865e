/** docs/configuration.md: every key of the configuration of an edge, one table for each section. */
import { describeKeys, type KeyManual } from '@imapfleet/config'
import { markdownTable, type Manual } from './region.ts'

export const configuration: Manual = {
  file: 'docs/configuration.md',
  region: 'keys',
  text: () =>
    [...Map.groupBy(describeKeys(), sectionOf)].map(([name, keys]) => section(name, keys)).join('\n\n'),
}

const sectionOf = ({ key }: KeyManual) => key.split(/[.[]/, 1)[0] ?? key

function section(name: string, keys: KeyManual[]): string {
  const rows = keys.map((row) => [
    `\`${row.key}\``,
    row.preset === undefined ? '' : `\`${row.preset}\``,
    row.values,
    row.reload === 'live' ? '' : 'restart',
    row.help + (row.secret ? ' Secret: shown as (redacted).' : ''),
  ])
  const owner = keys[0]?.steerable
    ? 'Can be set in the file and by the fleet.'
    : 'Can be set in the file only.'
  return `### ${name}\n\n${owner}\n\n${markdownTable(['Key', 'Default', 'Values', 'Needs', 'Meaning'], rows)}`
}
