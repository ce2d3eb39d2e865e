/** Finds the contestants on this machine, and says how to install missing ones. */
import { execFileSync } from 'node:child_process'
import { findProgram } from '@imapfleet/local'
import type { ContestantName } from '../options.ts'
import type { Contestant, Missing } from './contestant.ts'
import { haproxy } from './haproxy.ts'
import { imapfleet } from './imapfleet.ts'
import { imapproxy } from './imapproxy.ts'

export function findContestant(name: ContestantName): Contestant | Missing {
  switch (name) {
    case 'no proxy':
      return { name, version: 'the stub server itself', idleMax: 0, start: async (port) => ({ port }) }
    case 'imapfleet':
      return imapfleet()
    case 'imapproxy':
      return debian(name, 'imapproxyd', imapproxy)
    case 'HAProxy':
      return debian(name, 'haproxy', haproxy)
  }
}

function debian(
  name: ContestantName,
  program: string,
  make: (path: string, version: string) => Contestant,
): Contestant | Missing {
  const path = findProgram(program)
  const packageName = name.toLowerCase()
  if (!path) return { name, remedy: `apt-get install ${packageName}` }
  return make(path, packageVersion(packageName))
}

function packageVersion(name: string): string {
  try {
    return execFileSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8', stdio: 'pipe' })
  } catch {
    return 'of unknown version'
  }
}
