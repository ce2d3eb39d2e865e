/** `imapfleet profile`: servers with their tokens, which are never shown. */
import type { Command } from 'commander'
import { usage } from '../failure.ts'
import { table, type Column } from '../print/table.ts'
import { dayAndClock } from '../print/time.ts'
import { readProfiles, writeProfiles, type Profiles } from '../profile.ts'
import type { Shell } from '../shell.ts'

interface Row {
  name: string
  server: string
  /** Who signed in, and until when; null: a token was saved. */
  person: { name: string; expiresAt: string } | null
  current: boolean
}

const columns: Column<Row>[] = [
  { title: 'PROFILE', cell: (row) => row.name },
  { title: 'SERVER', cell: (row) => row.server },
  {
    title: 'PERSON',
    cell: ({ person }) => (person === null ? '' : `${person.name} until ${dayAndClock(person.expiresAt)}`),
  },
  { title: 'CURRENT', cell: (row) => (row.current ? 'yes' : '') },
]

export function addProfile(parent: Command, shell: Shell): void {
  const list = async (_options: object, command: Command) => {
    const { current, profiles } = await readProfiles(shell.profilesFile)
    const rows = Object.entries(profiles).map(([name, { server, person = null }]) => ({
      name,
      server,
      person,
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
