/** What the benchmark compares: the edge as it is, the edge without its limit on attempts to connect, and HAProxy. */
import { chmodSync } from 'node:fs'
import { findProgram, removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local'
import { findContestant } from '../edge/contestants/find.ts'
import { startHaproxy } from '../edge/contestants/haproxy.ts'
import { startOurEdge } from '../edge/contestants/imapfleet.ts'
import { BenchError } from '../problem.ts'

export const pressedNames = ['imapfleet', 'without connectsMax', 'HAProxy'] as const
export type PressedName = (typeof pressedNames)[number]

export interface Pressed {
  port: number
  stop: () => Promise<void>
}

/** For logins of all users at the same time. */
const places = 20_000

/** Starts it in front of these addresses, which it uses in turn. */
export async function startPressed(
  name: PressedName,
  addresses: readonly string[],
  onwardPort: number,
): Promise<Pressed> {
  const directory = temporaryDirectory('bench')
  chmodSync(directory, 0o777)
  const { port, process } =
    name === 'HAProxy'
      ? await startHaproxy(haproxyProgram(), onwardPort, directory, addresses)
      : await startOurEdge('installed', onwardPort, directory, {
          upstream: {
            hosts: addresses,
            roundRobin: true,
            connectionsMax: places / 2,
            queueMax: places,
            ...(name === 'without connectsMax' && { connectsMax: 100_000 }),
          },
          clients: { connectionsMax: places, connectionsPerAddressMax: places },
        })
  return {
    port,
    stop: async () => {
      await process?.stop()
      await removeTemporaryDirectory(directory)
    },
  }
}

/** What exactly was measured, for the report. */
export const versionsOf = (): [string, string][] => {
  const edge = findContestant('imapfleet')
  const other = findContestant('HAProxy')
  return [edge, other].map((each) => [each.name, 'version' in each ? each.version : 'missing'])
}

function haproxyProgram(): string {
  const path = findProgram('haproxy')
  if (path === undefined) throw new BenchError('HAProxy is not here: apt-get install haproxy')
  return path
}
