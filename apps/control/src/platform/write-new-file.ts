/** Writes a file that must not exist yet. */
import { chmodSync, writeFileSync } from 'node:fs'

/** Throws if the file exists. `mode` holds whatever the umask is. */
export function writeNewFile(path: string, text: string, mode: number): void {
  writeFileSync(path, text, { flag: 'wx', mode })
  chmodSync(path, mode)
}
