/** Finds the processes of a directory: those with its path on their command lines. */
import { readdir, readFile } from 'node:fs/promises'

/** By pid, with their command lines. Linux only. */
export async function processesOf(directory: string): Promise<Map<number, string>> {
  const found = new Map<number, string>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
    const words = line.replaceAll('\0', ' ').trim()
    if (words.includes(`${directory}/`)) found.set(Number(name), words)
  }
  return found
}
