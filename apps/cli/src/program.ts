/** The program with all commands. */
import { Command, Option } from 'commander'
import { refuseBlank } from './blank.ts'
import { addAlerts } from './commands/alerts.ts'
import { addAudit } from './commands/audit.ts'
import { addCompletion } from './commands/completion.ts'
import { addConfig } from './commands/config.ts'
import { addDrain } from './commands/drain.ts'
import { addEdges } from './commands/edges.ts'
import { addOperations } from './commands/operations.ts'
import { addKick, addOrders, addTell } from './commands/orders.ts'
import { addLogin, addLogout } from './commands/login.ts'
import { addPeople } from './commands/people.ts'
import { addProfile } from './commands/profile.ts'
import { addRevoke } from './commands/revoke.ts'
import { addRollouts } from './commands/rollouts.ts'
import { addStats } from './commands/stats.ts'
import { addTokens } from './commands/tokens.ts'
import { addTop } from './commands/top.ts'
import { addTrace } from './commands/trace.ts'
import { addTraces } from './commands/traces.ts'
import { addVersion, version } from './commands/version.ts'
import { addWho } from './commands/who.ts'
import { outputFormats, type Shell } from './shell.ts'

const examples = `
Examples:
  imapfleet login https://fleet.example.org        sign in, or save a token
  imapfleet edges                                  list all edges
  imapfleet stats --from -24h --group-by region    logins and reuse of a day
  imapfleet config set pool.idleTimeoutMs 60000 --region eu
  imapfleet revoke user alice@example.org          stop reusing connections
  imapfleet drain eu-1 --wait                      drain an edge
  imapfleet trace alice@example.org --for 5m       show the IMAP protocol live

Exit status: 0 success; 1 the server refused, or an edge failed or did not
answer; 2 wrong usage; 3 no server answered.
\`config diff\`: 0 equal, 1 different, 2 error.`

/** A column of descriptions that is narrower than this is not wrapped. */
const minWidthToWrap = 20

/** `prepare` must have returned before a line is parsed. */
export function createProgram(shell: Shell) {
  const program = new Command('imapfleet')
    .description('Monitors and controls a fleet of IMAP proxies.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .option('--server <url>', 'control plane, such as http://127.0.0.1:8080 (or IMAPFLEET_SERVER)')
    .option('--token <token>', 'access token (better: IMAPFLEET_TOKEN, or `imapfleet login`)')
    .option('--profile <name>', 'server and token saved by `imapfleet login` (or IMAPFLEET_PROFILE)')
    .addOption(
      new Option('-o, --output <format>', 'output format; name: only ids')
        .choices(outputFormats)
        .default('table'),
    )
    .option('--no-headers', 'print tables and CSV without titles')
    .option('-q, --quiet', 'print no remarks, only the answer and errors')
    .addHelpText('after', examples)
    .configureHelp({ showGlobalOptions: true, optionDescription, minWidthToWrap })
    // `report` prints errors, and only once.
    .configureOutput({ outputError: () => undefined })
    .exitOverride()
    .hook('preAction', (_program, command) => {
      refuseBlank(command)
      shell.begin(command)
    })
  addEdges(program, shell)
  addAlerts(program, shell)
  addConfig(program, shell)
  addRollouts(program, shell)
  addStats(program, shell)
  addTop(program, shell)
  addWho(program, shell)
  addKick(program, shell)
  addRevoke(program, shell)
  addDrain(program, shell)
  addTell(program, shell)
  addOrders(program, shell)
  addOperations(program, shell)
  addTrace(program, shell)
  addTraces(program, shell)
  addLogin(program, shell)
  addLogout(program, shell)
  addProfile(program, shell)
  addTokens(program, shell)
  addPeople(program, shell)
  addAudit(program, shell)
  addVersion(program, shell)
  return { program, prepare: addCompletion(program, shell) }
}

/** With the choices and the default, unless the default is that the option is not given. */
function optionDescription({
  description,
  argChoices,
  defaultValue,
  defaultValueDescription,
}: Option): string {
  const isTrivial = [undefined, '', true, false].includes(defaultValue) || Array.isArray(defaultValue)
  const notes = [
    ...(argChoices ? [argChoices.join(', ')] : []),
    ...(isTrivial ? [] : [`default: ${defaultValueDescription ?? String(defaultValue)}`]),
  ]
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`
}
