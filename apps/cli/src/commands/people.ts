/** `imapfleet people`: lists sign-ins through the provider, and ends the sessions of a person. */
import { safe } from '@imapfleet/api'
import type { Command } from 'commander'
import { pageByIdOptions, pageQuery, type IdPageOptions } from '../options.ts'
import type { Shell } from '../shell.ts'
import { tokenColumns } from './tokens.ts'

const examples = `
Examples:
  imapfleet people
  imapfleet people end alice@example.org`

export function addPeople(parent: Command, shell: Shell): void {
  const people = parent
    .command('people')
    .description('people who signed in through the provider: list, end (needs the role admin)')
    .addHelpText('after', examples)
  pageByIdOptions(people.command('list', { isDefault: true }))
    .description('each time that a person signed in, newest first (the default)')
    .action(async (options: IdPageOptions, command: Command) => {
      const client = await shell.client(command)
      const answered = await client.call('listTokens', { query: { ...pageQuery(options), kind: 'person' } })
      shell.answerPage(command, answered, answered.tokens, columns(), 'no person has signed in yet')
    })

  people
    .command('end')
    .description(
      'end all sessions of a person, also those of the command line, effective with the next request',
    )
    .argument('<name>', 'name of the person, as the list shows it')
    .action(async (name: string, _options: object, command: Command) => {
      const client = await shell.client(command)
      const { ended } = await client.call('endPerson', { params: { name } })
      shell.answer(command, { name, ended }, () => [
        ended === 0 ? `${safe(name)} is not signed in` : `${safe(name)} is signed out everywhere (${ended})`,
      ])
    })
}

/** Without the column BY: it would be the person. */
const columns = () => tokenColumns(Date.now()).filter(({ title }) => title !== 'BY')
