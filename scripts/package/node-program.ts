/** The Node that packages and images contain: the pinned one, which runs this, without its symbols. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** Returns the path of the program in `directory`. */
export function strippedNode(directory: string): string {
  mkdirSync(directory, { recursive: true })
  const node = join(directory, 'node')
  execFileSync('strip', ['--strip-unneeded', '-o', node, process.execPath])
  chmodSync(node, 0o755)
  return node
}

/** The libraries that it needs, such as `libc.so.6`. */
export function librariesOf(program: string): string[] {
  const read = execFileSync('readelf', ['--dynamic', program], { encoding: 'utf8', env: { LC_ALL: 'C' } })
  return [...read.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name = '']) => name)
}

/** Its licence. */
export const nodeLicence = join(process.execPath, '../../LICENSE')
