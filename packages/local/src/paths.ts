/** Paths in a clone. Everything that is created at run time is in `.run/`. */
import { fileURLToPath } from 'node:url'

export const repository = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
export const runDirectory = `${repository}/.run`

/** The Node that runs our own processes: the one that runs this. */
export const node = process.execPath
/**
 * Arguments of Node for an installed edge: less memory and less CPU under the load of `npm run bench edge` than with Node's default
 * of 16 MB or more.
 */
export const edgeNodeFlags = ['--max-semi-space-size=4', '--heap-growing-percent=20', '--no-maglev'] as const
/** Environment of an installed edge. With a single arena of malloc (mallopt(3)), the threads of V8 keep no freed memory. */
export const edgeEnvironment = { MALLOC_ARENA_MAX: '1' } as const
