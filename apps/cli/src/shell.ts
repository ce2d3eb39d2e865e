/**
 * What every command gets: a client of the server that its options select, and the terminal. Only this file and main.ts use the
 * process (environment, streams, signals).
 */
import { join } from 'node:path'
import { createClient, type ApiClient } from '@imapfleet/client'
import type { Command } from 'commander'
import { usage } from './failure.ts'
import { painterFor } from './print/colour.ts'
import { safeJson } from './print/safe.ts'
import type { TableLayout } from './print/table.ts'
import { readProfiles, readQuickstart, type Profiles } from './profile.ts'
import { chooseTarget, type ControlAddress, type TargetChoice } from './target.ts'

export interface Environment extends TargetChoice {
  profile: string | undefined
  /** $XDG_CONFIG_HOME. */
  configHome: string
  /** The directory in which quickstart may have left its server and token. */
  directories: readonly string[]
}

export interface Streams {
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
}

export interface GlobalOptions {
  server?: string
  token?: string
  profile?: string
  output: 'table' | 'json'
}

export type Shell = ReturnType<typeof openShell>

export function openShell(environment: Environment, streams: Streams) {
  const { stdin, stdout, stderr } = streams
  const profilesFile = join(environment.configHome, 'imapfleet', 'profiles.json')
  const stop = new AbortController()
  const gone = new AbortController()
  // The reader of a pipe may exit at any time (`| head`). The rest of the output is then dropped.
  stdout.on('error', () => gone.abort())
  stderr.on('error', () => undefined)

  const page = (): TableLayout => ({
    width: stdout.isTTY ? stdout.columns : undefined,
    paint: painterFor(stdout),
  })
  const print = (lines: readonly string[]) => {
    if (lines.length > 0 && !gone.signal.aborted) stdout.write(`${lines.join('\n')}\n`)
  }
  const wantsJson = (command: Command) => command.optsWithGlobals<GlobalOptions>().output === 'json'

  return {
    stdin,
    stdout,
    stderr,
    profilesFile,
    page,
    print,
    wantsJson,
    client: async (command: Command): Promise<ApiClient> =>
      createClient(await targetOf(command.optsWithGlobals<GlobalOptions>(), environment, profilesFile)),
    /** The answer of a command: the data for a script, or lines for a person. */
    answer: (command: Command, data: unknown, lines: (page: TableLayout) => readonly string[]) =>
      print(wantsJson(command) ? [safeJson(data, 2)] : lines(page())),
    /** A remark beside the answer, not written to pipes. */
    note: (text: string) => {
      stderr.write(`${text}\n`)
    },
    /** How to get older entries, if the list has more. */
    noteNext: (command: Command, next: number | string | null) => {
      if (next !== null && !wantsJson(command)) stderr.write(`for more: --before ${next}\n`)
    },
    /** The reader of the output has exited. */
    gone: gone.signal,
    /** For commands that run until they are told to end: by Ctrl-C, by a signal, or because the reader has exited. */
    untilStopped: (): AbortSignal => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
      return AbortSignal.any([stop.signal, gone.signal])
    },
  }
}

async function targetOf(
  options: GlobalOptions,
  environment: Environment,
  file: string,
): Promise<ControlAddress> {
  const flags: TargetChoice = { server: options.server, token: options.token }
  if (flags.server !== undefined && flags.token !== undefined) return chooseTarget(flags, {}, undefined, [])
  const profiles = await readProfiles(file)
  const named = options.profile ?? environment.profile
  const chosen = new Map(Object.entries(profiles.profiles)).get(named ?? profiles.current)
  if (named !== undefined && chosen === undefined) throw usage(noProfile(named, profiles))
  // A profile on the command line has priority over the environment, as every flag does.
  if (options.profile !== undefined && chosen)
    return chooseTarget({ server: flags.server ?? chosen.server, token: flags.token }, {}, chosen, [])
  const quickstart = await readQuickstart(environment.directories)
  const known = [...Object.values(profiles.profiles), ...(quickstart ? [quickstart] : [])]
  return chooseTarget(flags, environment, chosen ?? quickstart, known)
}

function noProfile(name: string, { profiles }: Profiles): string {
  const names = Object.keys(profiles)
  const known = names.length === 0 ? 'there are none yet' : `existing: ${names.join(', ')}`
  return `no profile is named ${name} (${known}): make it with \`imapfleet login URL --profile ${name}\``
}
