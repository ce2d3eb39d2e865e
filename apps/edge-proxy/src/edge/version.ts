/** The version of this edge, as its package says. */
import manifest from '../../package.json' with { type: 'json' }

export const { version } = manifest
