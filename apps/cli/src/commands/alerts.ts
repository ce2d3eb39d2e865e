/** `imapfleet alerts`: what is wrong, who knows of it, silences, rules, channels. */
import { alertRuleNames, type AlertRuleName } from '@imapfleet/api'
import { Argument, InvalidArgumentError, Option, type Command } from 'commander'
import { usage } from '../failure.ts'
import { durationOption, pageOptions, pageQuery, wholeArgument, type PageOptions } from '../options.ts'
import {
  alertColumns,
  alertInFull,
  channelColumns,
  messageColumns,
  ruleColumns,
  alertSilenceColumns,
} from '../print/alert.ts'
import { table } from '../print/table.ts'
import type { Shell } from '../shell.ts'
import { watchable } from '../watching.ts'

const examples = `
Examples:
  imapfleet alerts             what is open
  imapfleet alerts show 17     what to do about one
  imapfleet alerts ack 17 --for 4h --reason 'new disk is on its way'
  imapfleet alerts silence --region eu --for 2h \\
    --reason 'maintenance of the mail server'
  imapfleet alerts rules set clock-skew --threshold 30 --hold 20m
  imapfleet alerts rules set edge-problems --off`

interface Mute {
  for: number
  reason: string
}

const muteOptions = (command: Command) =>
  command
    .addOption(durationOption('--for <duration>', 'how long, such as 4h (at most 30d)').makeOptionMandatory())
    .requiredOption('--reason <text>', 'why; the audit log and the channels show it')

const ruleArgument = () => new Argument('<rule>', 'name of the rule').choices(alertRuleNames)
const ruleOption = () => new Option('--rule <rule>', 'only this rule').choices(alertRuleNames)
const number = wholeArgument(1)
const pendingText = (count: number, more: boolean): string =>
  `${count === 1 ? '1 condition has' : `${count}${more ? '+' : ''} conditions have`} not lasted for the hold time of the rule yet: imapfleet alerts --state pending`

const inSeconds = (ms: number): number => Math.ceil(ms / 1000)

export function addAlerts(parent: Command, shell: Shell): void {
  const alerts = parent
    .command('alerts')
    .description('alerts: list, acknowledge, silence; their rules and channels')
    .addHelpText('after', examples)
  addList(alerts, shell)
  addAcknowledge(alerts, shell)
  addSilences(alerts, shell)
  addRules(alerts, shell)
  addChannels(alerts, shell)
}

interface ListOptions extends PageOptions {
  state: 'current' | 'open' | 'pending' | 'resolved' | 'all'
  region?: string
  edge?: string
  rule?: AlertRuleName
}

function addList(alerts: Command, shell: Shell): void {
  watchable(
    pageOptions(alerts.command('list', { isDefault: true }))
      .description('open alerts, pages before tickets, then newest first (the default)')
      .addOption(
        new Option('--state <state>', 'current: pending and open')
          .choices(['current', 'open', 'pending', 'resolved', 'all'])
          .default('open'),
      )
      .option('--region <region>', 'only of this region')
      .option('--edge <id>', 'only of this edge')
      .addOption(ruleOption()),
    shell,
    async (options: ListOptions, command: Command) => {
      const { state, region, edge, rule } = options
      const client = await shell.client(command)
      const ask = (query: object) => client.call('listAlerts', { query: { region, edge, rule, ...query } })
      const list = await ask({ ...pageQuery(options), state })
      const none = state === 'open' ? 'no alert is open' : 'no alerts'
      shell.answerPage(command, list, list.alerts, alertColumns(Date.now()), none)
      for (const problem of list.problems) shell.note(problem)
      if (shell.wantsData(command)) return
      const [first] = list.alerts
      if (first)
        shell.note(`where, what to do, and what was changed before: imapfleet alerts show ${first.id}`)
      if (state !== 'open') return
      const pending = await ask({ state: 'pending' })
      if (pending.alerts.length > 0) shell.note(pendingText(pending.alerts.length, pending.next !== null))
    },
  )

  alerts
    .command('show')
    .description('one alert: where, what to do, what was changed before, and the messages that told of it')
    .argument('<number>', 'number of the alert', number)
    .action(async (id: number, _options: object, command: Command) => {
      const client = await shell.client(command)
      const alert = await client.call('readAlert', { params: { id } })
      shell.answer(command, alert, (page) => alertInFull(alert, Date.now(), page))
    })
}

function addAcknowledge(alerts: Command, shell: Shell): void {
  muteOptions(alerts.command('ack'))
    .description('say that someone works on an alert; after the time it is sent again if it is still open')
    .argument('<number>', 'number of the alert', number)
    .action(async (id: number, { for: ms, reason }: Mute, command: Command) => {
      const client = await shell.client(command)
      const body = { reason, seconds: inSeconds(ms) }
      const alert = await client.call('acknowledgeAlert', { params: { id }, body })
      shell.answer(command, alert, (page) => table(alertColumns(Date.now()), [alert], page))
    })
}

interface SilenceOptions extends Mute {
  all?: true
  rule?: AlertRuleName
  region?: string
  edge?: string
  subject?: string
}

function addSilences(alerts: Command, shell: Shell): void {
  muteOptions(alerts.command('silence'))
    .description('send nothing about alerts that agree with all options')
    .option('--all', 'every alert')
    .addOption(ruleOption())
    .option('--region <region>', 'only of this region')
    .option('--edge <id>', 'only of this edge')
    .option('--subject <subject>', 'only about this subject, such as eu-1/main')
    .action(async (options: SilenceOptions, command: Command) => {
      const { all, for: ms, reason, rule, region, edge, subject } = options
      const matching = { rule, region, edge, subject }
      // A forgotten option must not mute the whole fleet.
      const isNarrow = Object.values(matching).some((value) => value !== undefined)
      if (isNarrow === (all ?? false))
        throw usage('give either --all, or some of --rule, --region, --edge and --subject')
      const client = await shell.client(command)
      const silence = await client.call('silenceAlerts', {
        body: { ...matching, reason, seconds: inSeconds(ms) },
      })
      shell.answer(command, silence, (page) => table(alertSilenceColumns, [silence], page))
    })

  pageOptions(alerts.command('silences'))
    .description('silences, newest first')
    .action(async (options: PageOptions, command: Command) => {
      const client = await shell.client(command)
      const list = await client.call('listAlertSilences', { query: pageQuery(options) })
      shell.answerPage(command, list, list.silences, alertSilenceColumns, 'there are no silences yet')
    })

  alerts
    .command('unsilence')
    .description('end a silence')
    .argument('<number>', 'number of the silence', number)
    .action(async (id: number, _options: object, command: Command) => {
      const client = await shell.client(command)
      const silence = await client.call('endAlertSilence', { params: { id } })
      shell.answer(command, silence, (page) => table(alertSilenceColumns, [silence], page))
    })
}

interface RuleOptions {
  on?: true
  off?: true
  threshold?: number
  hold?: number
  clear?: number
}

function addRules(alerts: Command, shell: Shell): void {
  const rules = alerts.command('rules').description('the rules of alerts: thresholds and hold times')
  rules
    .command('list', { isDefault: true })
    .description('all rules (the default)')
    .action(async (_options: object, command: Command) => {
      const client = await shell.client(command)
      const list = await client.call('listAlertRules', {})
      shell.answer(command, list, (page) => table(ruleColumns, list.rules, page))
    })

  rules
    .command('set')
    .description('change a rule, or switch it on or off')
    .addArgument(ruleArgument())
    .option('--on', 'switch it on')
    .option('--off', 'switch it off: its open alerts are resolved')
    .option('--threshold <number>', 'in the unit that the list shows', decimalArgument)
    .addOption(durationOption('--hold <duration>', 'how long the condition holds before the alert opens'))
    .addOption(durationOption('--clear <duration>', 'how long it is absent before the alert is resolved'))
    .action(async (rule: AlertRuleName, options: RuleOptions, command: Command) => {
      const { on, off, threshold, hold, clear } = options
      if (on && off) throw usage('give only one of --on and --off')
      const body = {
        ...((on ?? off) && { enabled: on ?? false }),
        ...(threshold !== undefined && { threshold }),
        ...(hold !== undefined && { holdSeconds: inSeconds(hold) }),
        ...(clear !== undefined && { clearSeconds: inSeconds(clear) }),
      }
      if (Object.keys(body).length === 0) throw usage('give --on, --off, --threshold, --hold or --clear')
      const client = await shell.client(command)
      const changed = await client.call('changeAlertRule', { params: { rule }, body })
      shell.answer(command, changed, (page) => table(ruleColumns, [changed], page))
    })

  rules
    .command('reset')
    .description('return a rule to its defaults')
    .addArgument(ruleArgument())
    .action(async (rule: AlertRuleName, _options: object, command: Command) => {
      const client = await shell.client(command)
      const changed = await client.call('resetAlertRule', { params: { rule } })
      shell.answer(command, changed, (page) => table(ruleColumns, [changed], page))
    })
}

function addChannels(alerts: Command, shell: Shell): void {
  alerts
    .command('channels')
    .description('where alerts are sent, and whether that works')
    .action(async (_options: object, command: Command) => {
      const client = await shell.client(command)
      const list = await client.call('listAlertChannels', {})
      if (list.channels.length === 0) shell.note('no channel is configured: set ALERTS_FILE of control')
      shell.answer(command, list, (page) => table(channelColumns, list.channels, page))
      if (!list.deadMan)
        shell.note("no dead man's webhook is configured: nothing tells you when control is down")
    })

  alerts
    .command('test')
    .description('send a test message to a channel')
    .argument('<channel>', 'name of the channel')
    .action(async (name: string, _options: object, command: Command) => {
      const client = await shell.client(command)
      const message = await client.call('testAlertChannel', { params: { name } })
      shell.answer(command, message, (page) => table(messageColumns, [message], page))
      shell.note('it is sent within seconds; `imapfleet alerts channels` shows whether it arrived')
    })
}

function decimalArgument(text: string): number {
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(text)) throw new InvalidArgumentError('Use a number such as 30 or 2.5.')
  return Number(text)
}
