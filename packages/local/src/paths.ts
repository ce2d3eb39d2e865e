/** Where things are in a clone: everything that is made at run time stands in `.run/`, and nothing outside it. */
import { fileURLToPath } from 'node:url'

export const repository = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
export const runDirectory = `${repository}/.run`

/** The Node that runs our own processes: the one that runs this. */
export const node = process.execPath
