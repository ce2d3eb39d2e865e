/**
 * `imapfleet login` and `profile`: servers with their tokens. A login is tested before it is saved. Tokens are never
 * shown.
 */
import { createClient } from '@imapfleet/client'
import type { Command } from 'commander'
import { usage } from '../failure.ts'
import { safe } from '../print/safe.ts'
import { table, type Column } from '../print/table.ts'
import { profileName, readProfiles, writeProfiles, type Profiles } from '../profile.ts'
import { readSecret } from '../prompt.ts'
import type { GlobalOptions, Shell } from '../shell.ts'
import { parseServer, parseToken } from '../target.ts'
import { readEdges } from './edges.ts'

const examples = `
The command asks for the token, or reads it from a pipe, so that it stays out of the shell's history. Without --profile the
profile is named "default". Only you can read the file: $XDG_CONFIG_HOME/imapfleet/profiles.json

Examples:
  imapfleet login https://fleet.example.org
  imapfleet login http://127.0.0.1:8080 --profile lab < token.txt`

export function addLogin(parent: Command, shell: Shell): void {
  parent
    .command('login')
    .description('save a server and its token as a profile, after testing them')
    .argument('<url>', 'control plane, such as https://fleet.example.org')
    .addHelpText('after', examples)
    .action(async (url: string, _options: object, command: Command) => {
      const given = command.optsWithGlobals<GlobalOptions>()
      const name = given.profile ?? 'default'
      if (!profileName.test(name))
        throw usage('a profile name consists of letters, digits, . _ and -, at most 63')
      const server = parseServer(url)
      const profiles = await readProfiles(shell.profilesFile)
      const typed = given.token ?? (await readSecret(`Token for ${server.href}: `, shell.stdin, shell.stderr))
      const token = parseToken(typed)
      const edges = await readEdges(createClient({ server, token }))

      const entry = { server: server.href, token }
      await writeProfiles(shell.profilesFile, {
        current: name,
        profiles: { ...profiles.profiles, [name]: entry },
      })
      shell.answer(command, { profile: name, server: server.href, edges: edges.length }, () => [
        `${safe(server.href)} is now your server (profile ${name}); it knows ${edges.length} ${edges.length === 1 ? 'edge' : 'edges'}`,
      ])
    })
}

interface Row {
  name: string
  server: string
  current: boolean
}

const columns: Column<Row>[] = [
  { title: 'PROFILE', cell: (row) => row.name },
  { title: 'SERVER', cell: (row) => row.server },
  { title: 'CURRENT', cell: (row) => (row.current ? 'yes' : '') },
]

export function addProfile(parent: Command, shell: Shell): void {
  const list = async (_options: object, command: Command) => {
    const { current, profiles } = await readProfiles(shell.profilesFile)
    const rows = Object.entries(profiles).map(([name, { server }]) => ({
      name,
      server,
      current: name === current,
    }))
    if (rows.length === 0) shell.note('there are no profiles: make one with `imapfleet login URL`')
    shell.answer(command, { profiles: rows }, (page) => table(columns, rows, page))
  }

  const profile = parent
    .command('profile')
    .description('servers and tokens saved by `imapfleet login`: list, choose, remove')
    .action(list)

  profile
    .command('use')
    .description('use this server by default')
    .argument('<name>', 'name of the profile')
    .action(async (name: string) => {
      const kept = await find(shell, name)
      await writeProfiles(shell.profilesFile, { ...kept, current: name })
    })

  profile
    .command('remove')
    .description('remove this server and its token (the token stays valid)')
    .argument('<name>', 'name of the profile')
    .action(async (name: string) => {
      const kept = await find(shell, name)
      const { [name]: _gone, ...profiles } = kept.profiles
      await writeProfiles(shell.profilesFile, { ...kept, profiles })
    })
}

async function find(shell: Shell, name: string): Promise<Profiles> {
  const kept = await readProfiles(shell.profilesFile)
  if (Object.hasOwn(kept.profiles, name)) return kept
  throw usage(`no profile is named ${JSON.stringify(name)}: see \`imapfleet profile\``)
}
