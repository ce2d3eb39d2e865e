/** The keys that the fleet can set, from the schema of this version. The server has the final say. */
import { describeKeys, type KeyManual } from '@imapfleet/config'

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
