/**
 * Checks the restrictions of imapfleet-edge.service beyond the rights of its user: files that the service cannot write or cannot
 * see. The checks of rights do not find these, because they run outside the service.
 */
import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { findingsAbout, type CheckFinding } from '@imapfleet/observe'

const unit = 'imapfleet-edge.service'
const asked = [
  ...['LoadState', 'User', 'ProtectSystem', 'ProtectHome', 'PrivateTmp'],
  ...['ReadWritePaths', 'LogsDirectory', 'StateDirectory'],
] as const

export type UnitProperties = Partial<Record<(typeof asked)[number], string>>

/** Files by configuration key. */
export interface NamedFiles {
  read: readonly (readonly [key: string, file: string])[]
  written: readonly (readonly [key: string, file: string])[]
}

/** Undefined: this host does not run systemd. */
function unitProperties(): UnitProperties | undefined {
  const args = ['show', unit, `--property=${asked.join()}`]
  try {
    const text = execFileSync('systemctl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return Object.fromEntries(text.split('\n').map((line) => line.split(/=(.*)/s, 2)))
  } catch {
    return undefined
  }
}

/** Empty if the unit does not start the edge as this user. */
export function checkUnit(
  { read, written }: NamedFiles,
  user: string | undefined,
  properties = user === undefined ? undefined : unitProperties(),
): CheckFinding[] {
  if (properties?.LoadState !== 'loaded' || properties.User !== user) return []
  const { fail } = findingsAbout('unit')
  const hidden = hiddenIn(properties)
  const writable = writableIn(properties)
  return [
    ...[...read, ...written]
      .filter(([, file]) => isBelow(file, hidden))
      .map(([key, file]) =>
        fail(`${key}: ${unit} hides ${file} from the edge`, `move it, for example to /etc/imapfleet`),
      ),
    ...written
      .filter(([, file]) => writable !== undefined && !isBelow(file, [...writable, ...hidden]))
      .map(([key, file]) =>
        fail(
          `${key}: ${unit} does not let the edge write ${file}`,
          `move it to ${writable?.[0] ?? 'another directory'}, or add its directory to ReadWritePaths=: systemctl edit imapfleet-edge`,
        ),
      ),
  ]
}

/** Directories that are hidden from the service. */
const hiddenIn = ({ ProtectHome, PrivateTmp }: UnitProperties): string[] => [
  ...(ProtectHome === 'yes' || ProtectHome === 'tmpfs' ? ['/home', '/root', '/run/user'] : []),
  ...(PrivateTmp === 'yes' ? ['/tmp', '/var/tmp'] : []),
]

/** Directories that the service may write. Undefined: only the rights of the user decide. */
function writableIn(properties: UnitProperties): string[] | undefined {
  if (properties.ProtectSystem !== 'strict') return undefined
  const below = (directory: string, names: string | undefined) =>
    wordsIn(names).map((name) => join(directory, name))
  return [
    ...below('/var/log', properties.LogsDirectory),
    ...below('/var/lib', properties.StateDirectory),
    ...wordsIn(properties.ReadWritePaths).map((path) => path.replace(/^[-+]+/, '')),
    '/dev',
  ]
}

const wordsIn = (text = ''): string[] => text.split(/\s+/).filter(Boolean)

function isBelow(file: string, directories: readonly string[]): boolean {
  const path = realPath(file)
  return directories.some((directory) => path === directory || path.startsWith(`${directory}/`))
}

/** The path without symbolic links, as far as it exists. */
function realPath(file: string): string {
  const path = resolve(file)
  try {
    return realpathSync(path)
  } catch {
    return dirname(path) === path ? path : join(realPath(dirname(path)), basename(path))
  }
}
