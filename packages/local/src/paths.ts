/** Paths in a clone. Everything that is created at run time is in `.run/`. */
import { fileURLToPath } from 'node:url'

export const repository = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
export const runDirectory = `${repository}/.run`

/** The Node that runs our own processes: the one that runs this. */
export const node = process.execPath
