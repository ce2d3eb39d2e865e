/**
 * Given to every command: a client of the server that its options select, and the terminal. Only this file and main.ts use the
 * process (environment, streams, signals).
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { safe, safeJson } from '@imapfleet/api'
import { createClient, type ApiClient } from '@imapfleet/client'
import { printAnyYaml } from '@imapfleet/config'
import { watchOutput } from '@imapfleet/observe/output'
import type { Command } from 'commander'
import { usage } from './failure.ts'
import { painterFor, plain } from './print/colour.ts'
import { csvLines, nameLines } from './print/csv.ts'
import { table, type Column, type PlainTable, type TableLayout } from './print/table.ts'
import { widthOf } from './print/window.ts'
import { readProfiles, readQuickstart, type Profiles } from './profile.ts'
import { chooseTarget, type ControlAddress, type TargetChoice } from './target.ts'

export interface Environment extends TargetChoice {
  profile: string | undefined
  /** The program that shows an address. */
  browser: string
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

export const outputFormats = ['table', 'wide', 'json', 'yaml', 'csv', 'name'] as const
export type OutputFormat = (typeof outputFormats)[number]

export interface GlobalOptions {
  server?: string
  token?: string
  profile?: string
  output: OutputFormat
  headers: boolean
  quiet?: true
}

type TargetOption = Pick<GlobalOptions, 'server' | 'token' | 'profile'>

export type Shell = ReturnType<typeof openShell>

export function openShell(environment: Environment, streams: Streams) {
  const { stdin, stdout, stderr } = streams
  const profilesFile = join(environment.configHome, 'imapfleet', 'profiles.json')
  const stop = new AbortController()
  const gone = new AbortController()
  watchOutput('imapfleet', () => gone.abort())
  stderr.on('error', () => undefined)

  const page = (): TableLayout => ({
    width: stdout.isTTY ? widthOf(stdout) : undefined,
    paint: painterFor(stdout),
  })
  const print = (lines: readonly string[]) => {
    if (lines.length === 0 || gone.signal.aborted) return
    stdout.write(`${clearFirst}${lines.join('\n')}\n`)
    clearFirst = ''
  }
  const globals = (command: Command) => command.optsWithGlobals<GlobalOptions>()
  let isQuiet = false
  let clearFirst = ''
  const note = (text: string) => {
    if (!isQuiet) stderr.write(`${safe(text)}\n`)
  }
  /** The tables of an answer, as `linesOf` prints them. An answer without one is printed as for people. */
  const printTables = (
    lines: (page: TableLayout) => readonly string[],
    linesOf: (its: PlainTable) => readonly string[],
  ) => {
    const tables: PlainTable[] = []
    const others = lines({ width: undefined, paint: plain, collect: (its) => tables.push(its) })
    if (tables.length > 0) return print(tables.flatMap(linesOf))
    // Not refused: the command may have changed something, or its answer may be shown only once.
    note('this answer is not a list, so it is printed as text')
    print(others)
  }

  /** The answer of a command: the data for a script, or lines for a person. */
  const answer = (command: Command, data: unknown, lines: (page: TableLayout) => readonly string[]) => {
    const { output, headers: hasTitles } = globals(command)
    if (output === 'json') print([safeJson(data, 2)])
    else if (output === 'yaml') print([printAnyYaml(data).trimEnd()])
    else if (output === 'csv') printTables(lines, (its) => csvLines(its, hasTitles))
    else if (output === 'name') printTables(lines, nameLines)
    else if (output === 'wide') print(lines({ ...page(), width: undefined, hasTitles, isWide: true }))
    else print(lines({ ...page(), hasTitles }))
  }

  return {
    stdin,
    stdout,
    stderr,
    profilesFile,
    page,
    print,
    /** Called once, when the options are known. */
    begin: (command: Command) => {
      isQuiet = globals(command).quiet ?? false
    },
    format: (command: Command): OutputFormat => globals(command).output,
    /** The answer is for a program: nothing else may be on stdout. */
    wantsData: (command: Command): boolean => !['table', 'wide'].includes(globals(command).output),
    client: async (command: Command): Promise<ApiClient> =>
      createClient(await targetOf(globals(command), environment, profilesFile)),
    /** A client without options of a command line, for the completion of one. */
    clientFor: async (options: TargetOption): Promise<ApiClient> =>
      createClient(await targetOf(options, environment, profilesFile)),
    answer,
    /** A page of a list, with a remark if it is empty, or how to get the next one. */
    answerPage: <Row>(
      command: Command,
      list: { next: number | string | null },
      rows: readonly Row[],
      columns: readonly Column<Row>[],
      none: string,
    ) => {
      if (rows.length === 0) note(none)
      answer(command, list, (layout) => table(columns, rows, layout))
      if (list.next !== null && ['table', 'wide'].includes(globals(command).output))
        note(`for more: --before ${list.next}`)
    },
    /** A remark of one line beside the answer, not written to pipes. */
    note,
    /** Shows an address in the browser. Without a browser nothing happens, so the address is printed as well. */
    show: (url: URL) => {
      spawn(environment.browser, [url.href], { detached: true, stdio: 'ignore' })
        .on('error', () => undefined)
        .unref()
    },
    /** The reader of the output has exited. */
    gone: gone.signal,
    /** Clears the terminal before the next lines, so that they replace the last ones. */
    replaceNext: () => {
      if (stdout.isTTY) clearFirst = '\x1b[H\x1b[2J'
    },
    /** For commands that run until they are told to end: by Ctrl-C, by a signal, or because the reader has exited. */
    untilStopped: (): AbortSignal => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
      return AbortSignal.any([stop.signal, gone.signal])
    },
  }
}

async function targetOf(
  options: TargetOption,
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
