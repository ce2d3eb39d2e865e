/** All keys that the fleet can set, from the schema of the edges' configuration. */
import { describeKeys } from '@imapfleet/config'
import type { ConfigKey } from '@imapfleet/api'

export const listConfigKeys = (): ConfigKey[] =>
  describeKeys()
    .filter(({ steerable, key }) => steerable && !key.includes('[]'))
    .map(({ key, help, reload, secret, values, choices, preset }) => ({
      ...{ key, help, reload, secret, values },
      ...(choices !== undefined && { choices }),
      ...(preset !== undefined && { preset }),
    }))
