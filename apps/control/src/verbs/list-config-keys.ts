/** What the fleet can set, key by key, from the schema that edges are checked with. */
import { describeKeys } from '@imapfleet/config'
import type { ConfigKey } from '@imapfleet/protocol'

export const listConfigKeys = (): ConfigKey[] =>
  describeKeys()
    .filter(({ steerable, key }) => steerable && !key.includes('[]'))
    .map(({ key, help, reload, secret, values, choices, preset }) => ({
      ...{ key, help, reload, secret, values },
      ...(choices !== undefined && { choices }),
      ...(preset !== undefined && { preset }),
    }))
