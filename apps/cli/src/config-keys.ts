/** What the fleet can set, key by key, from the schema that this command was made with; the server has the last word. */
import { describeKeys, type KeyManual } from '@imapfleet/config'

/** Keys that a revision may hold, those below `prefix` or equal to it. */
export function settableKeys(prefix = ''): KeyManual[] {
  return describeKeys().filter(
    ({ key, steerable }) => steerable && (prefix === '' || isBelow(key.split('.'), prefix.split('.'))),
  )
}

/** Those of these keys that an edge takes up only when it starts. */
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
