/**
 * Refuses blank arguments and options. In a script they come from a variable that is not set, and would select something else:
 * `edges show "$EDGE"` the list of all edges.
 */
import type { Command } from 'commander'
import { usage } from './failure.ts'

/** What may be blank: free text. */
const mayBeBlank: ReadonlySet<string> = new Set(['value', 'note', 'message'])

/** Throws a usage error that names the argument or option. The options of the upper commands count too. */
export function refuseBlank(command: Command): void {
  // A shell completes a line whose last word may be missing.
  if (command.name() === 'complete') return
  command.registeredArguments.forEach((argument, at) => {
    if (isBlank(command.processedArgs[at]) && !mayBeBlank.has(argument.name()))
      throw usage(
        argument.required
          ? `the argument <${argument.name()}> is blank: ${argument.description}`
          : `the argument [${argument.name()}] is blank: give a value, or leave it out`,
      )
  })
  for (let owner: Command | null = command; owner; owner = owner.parent)
    for (const option of owner.options)
      if (isBlank(owner.getOptionValue(option.attributeName())) && !mayBeBlank.has(option.name()))
        throw usage(`${option.long ?? option.flags} is blank: give a value, or leave it out`)
}

/** Text, or one of several texts. */
const isBlank = (value: unknown): boolean =>
  Array.isArray(value) ? value.some(isBlank) : typeof value === 'string' && value.trim() === ''
