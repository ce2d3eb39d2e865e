/** `imapfleet login`: tests a server and a token, and saves them if they work. */
import type { Command } from 'commander'
import { connect } from '../api.ts'
import { usage } from '../failure.ts'
import { safe } from '../print/safe.ts'
import { profileName, readProfiles, writeProfiles } from '../profile.ts'
import { readSecret } from '../secret.ts'
import type { GlobalOptions, Shell } from '../shell.ts'
import { parseServer, parseToken } from '../target.ts'

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
      const { edges } = await connect({ server, token }).edges()

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
