/** Compares single values of two configurations. */
import { isDeepStrictEqual } from 'node:util'
import type { EdgeConfig } from '@imapfleet/config'

/** Whether two configurations have the same values of these keys, such as `listeners.imap.port`. False without keys. */
export const haveSameValues = (keys: readonly string[], a: EdgeConfig, b: EdgeConfig): boolean =>
  keys.length > 0 && keys.every((key) => isDeepStrictEqual(valueAt(a, key), valueAt(b, key)))

const valueAt = (config: EdgeConfig, key: string): unknown =>
  key
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], config)
