/**
 * `imapfleet login` and `logout`: save a server and a token as a profile, and remove it. People sign in by a browser; tokens of programs are
 * typed or piped. A token is tested before it is saved, and never shown.
 */
import { safe } from '@imapfleet/api'
import { createClient, ProblemError, type ApiClient } from '@imapfleet/client'
import { Option, type Command } from 'commander'
import { loginByBrowser, loginByDevice } from '../browser-login.ts'
import { usage } from '../failure.ts'
import { dayAndClock } from '../print/time.ts'
import { profileName, readProfiles, writeProfiles, type Profiles } from '../profile.ts'
import { readSecret } from '../prompt.ts'
import type { GlobalOptions, Shell } from '../shell.ts'
import { parseServer, parseToken } from '../target.ts'
import { readEdges } from './edges.ts'

const examples = `
If the server has a provider for people, the command opens a browser. Otherwise,
and if its input is a pipe, it reads a token, so that the token stays out of the
shell's history. Without --profile the profile is named "default". It is stored
in $XDG_CONFIG_HOME/imapfleet/profiles.json, which only you can read.

Examples:
  imapfleet login https://fleet.example.org
  imapfleet login https://fleet.example.org --device   without a browser
  imapfleet login http://127.0.0.1:8080 --profile lab < token.txt`

interface LoginOptions {
  browser?: true
  device?: true
  withToken?: true
}

export function addLogin(parent: Command, shell: Shell): void {
  parent
    .command('login')
    .description('sign in to a server, or save a token for it, as a profile')
    .argument('<url>', 'control plane, such as https://fleet.example.org')
    .addOption(
      new Option('--browser', 'sign in by a browser on this machine').conflicts(['device', 'withToken']),
    )
    .addOption(new Option('--device', 'sign in by a browser on another machine').conflicts('withToken'))
    .option('--with-token', 'read a token from the keyboard or from a pipe')
    .addHelpText('after', examples)
    .action(async (url: string, options: LoginOptions, command: Command) => {
      const given = command.optsWithGlobals<GlobalOptions>()
      const name = given.profile ?? 'default'
      if (!profileName.test(name))
        throw usage('a profile name consists of letters, digits, . _ and -, at most 63')
      const server = parseServer(url)
      const profiles = await readProfiles(shell.profilesFile)
      const way = await wayOf(options, given.token !== undefined, server, shell)
      const entry =
        way === 'token'
          ? await readToken(given.token, server, shell)
          : await loginPerson(way, createClient({ server }), shell)
      const client = createClient({ server, token: entry.token })
      const edges = await readEdges(client).catch((error: unknown) => {
        // The token is valid, but limited to domains, so it sees no edges.
        if (error instanceof ProblemError && error.status === 403) return null
        throw error
      })
      await writeProfiles(shell.profilesFile, {
        current: name,
        profiles: { ...profiles.profiles, [name]: { server: server.href, ...entry } },
      })
      const { person } = entry
      const said = {
        ...{ profile: name, server: server.href, edges: edges?.length ?? null },
        ...(person && { person }),
      }
      const known =
        edges === null ? '' : `; it knows ${edges.length} ${edges.length === 1 ? 'edge' : 'edges'}`
      shell.answer(command, said, () => [
        ...(person ? [`You are ${safe(person.name)} until ${dayAndClock(person.expiresAt)}`] : []),
        `${safe(server.href)} is now your server (profile ${name})${known}`,
      ])
    })
}

export function addLogout(parent: Command, shell: Shell): void {
  parent
    .command('logout')
    .description('end your token of a server, and remove its profile')
    .action(async (_options: object, command: Command) => {
      const { profile } = command.optsWithGlobals<GlobalOptions>()
      const kept = await readProfiles(shell.profilesFile)
      const name = profile ?? kept.current
      const entry = new Map(Object.entries(kept.profiles)).get(name)
      if (entry === undefined)
        throw usage(`no profile is named ${JSON.stringify(name)}: see \`imapfleet profile\``)
      const isEnded = await endToken(createClient({ server: parseServer(entry.server), token: entry.token }))
      const { [name]: _gone, ...profiles } = kept.profiles
      await writeProfiles(shell.profilesFile, { ...kept, profiles })
      if (!isEnded)
        shell.note(
          'the token of a program stays valid: an administrator revokes it with `imapfleet tokens revoke`',
        )
      shell.answer(command, { profile: name, ended: isEnded }, () => [
        `${safe(entry.server)} is no longer known here (profile ${name})`,
      ])
    })
}

type Entry = Omit<Profiles['profiles'][string], 'server'>
type Way = 'browser' | 'device' | 'token'

async function wayOf(
  { browser, device, withToken }: LoginOptions,
  hasToken: boolean,
  server: URL,
  { stdin }: Shell,
): Promise<Way> {
  if (withToken || hasToken) return 'token'
  const isAsked = browser || device
  if (!isAsked && !stdin.isTTY) return 'token'
  const { provider } = await createClient({ server })
    .call('readSignInWays')
    .catch((error: unknown) => {
      // An earlier version of control has no provider.
      if (error instanceof ProblemError) return { provider: null }
      throw error
    })
  if (provider) return device ? 'device' : 'browser'
  if (isAsked) throw usage(`${server.href} has no provider for people: use --with-token`)
  return 'token'
}

async function readToken(given: string | undefined, server: URL, { stdin, stderr }: Shell): Promise<Entry> {
  return { token: parseToken(given ?? (await readSecret(`Token for ${server.href}: `, stdin, stderr))) }
}

async function loginPerson(way: 'browser' | 'device', client: ApiClient, shell: Shell): Promise<Entry> {
  const { token, name, expiresAt } = await (way === 'device' ? loginByDevice : loginByBrowser)(client, {
    // Also with --quiet: without it the login cannot go on.
    note: (text) => void shell.stderr.write(`${text}\n`),
    show: shell.show,
  })
  return { token, person: { name, expiresAt } }
}

/** False: it is the token of a program, which stays valid. */
async function endToken(client: ApiClient): Promise<boolean> {
  try {
    await client.call('endOwnToken')
    return true
  } catch (error) {
    if (error instanceof ProblemError && error.status === 401) return true
    if (error instanceof ProblemError && error.code === 'person_required') return false
    throw error
  }
}
