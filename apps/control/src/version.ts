/** The version of control, from its package.json. */
import manifest from '../package.json' with { type: 'json' }

export const { version } = manifest
