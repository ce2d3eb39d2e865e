/** Creates a directory and its parents. Node's `recursive: true` never returns below /proc, where no directory can be created. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** Returns the topmost directory that was created. Undefined: all existed. Throws the error of the system call. */
export function makeDirectory(path: string, mode: number): string | undefined {
  try {
    return makeOne(path, mode)
  } catch (error) {
    const above = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === path) throw error
    const topmost = makeDirectory(above, mode)
    const made = makeOne(path, mode)
    return topmost ?? made
  }
}

function makeOne(path: string, mode: number): string | undefined {
  try {
    mkdirSync(path, { mode })
    return path
  } catch (error) {
    if (isDirectory(path)) return undefined
    throw error
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
