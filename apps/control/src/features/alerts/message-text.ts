/** The text of a message for chats and mails, and its JSON for webhooks (docs/alerts.md has the schema). */
import type { AlertChange, ChangeKind, MessageContent } from './content.ts'

interface Told {
  id: string
  at: Date
  content: MessageContent
}

/** The version of the body of webhooks. Within it, fields are only added. */
const webhookSchema = 'imapfleet.alerts.v1'

export function webhookBody({ id, at, content }: Told, consoleUrl: string | undefined): string {
  return JSON.stringify({
    schema: webhookSchema,
    id,
    at: at.toISOString(),
    isTest: content.kind === 'test',
    changes: changesIn(content).map(({ change, alert }) => ({
      change,
      alert: { ...alert, ...(consoleUrl !== undefined && { url: alertPage(consoleUrl, alert.id) }) },
    })),
  })
}

/** Slack and Mattermost both take `text`. */
export const chatBody = (told: Told, consoleUrl: string | undefined): string =>
  JSON.stringify({ text: chatSafe([titleOf(told), ...linesOf(told, consoleUrl)].join('\n')) })

/** In chats, text from edges must not mention people, and must not become links or formatting. */
const chatSafe = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    // A word joiner, which is not visible: @channel becomes plain text.
    .replaceAll('@', '@\u2060')

export const alertMail = (told: Told, consoleUrl: string | undefined): { subject: string; text: string } => ({
  subject: `[imapfleet] ${titleOf(told)}`,
  text: `${linesOf(told, consoleUrl).join('\n')}\n`,
})

/** `Opened: Edge silent (eu-1, eu-2)`, or `Alerts: 3 opened (Edge silent, Mail server down), 1 resolved (Edge silent)`. */
function titleOf({ content }: Told): string {
  if (content.kind === 'test') return 'Test message'
  const { changes } = content
  const [first] = changes
  if (
    first &&
    changes.every(({ change, alert }) => change === first.change && alert.rule === first.alert.rule)
  )
    return `${capitalized(words[first.change])}: ${first.alert.title} (${someOf(changes.map(({ alert }) => alert.subject))})`
  const counts = (Object.keys(words) as ChangeKind[]).flatMap((kind) => {
    const those = changes.filter(({ change }) => change === kind)
    const titles = [...new Set(those.map(({ alert }) => alert.title))]
    return those.length === 0 ? [] : [`${those.length} ${words[kind]} (${someOf(titles)})`]
  })
  return `Alerts: ${counts.join(', ')}`
}

const namedMax = 3

const someOf = (names: readonly string[]): string =>
  names.length <= namedMax
    ? names.join(', ')
    : `${names.slice(0, namedMax).join(', ')} and ${names.length - namedMax} more`

const words: Readonly<Record<ChangeKind, string>> = {
  opened: 'opened',
  reminded: 'still open',
  acknowledged: 'acknowledged',
  resolved: 'resolved',
}

const capitalized = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

function linesOf({ content }: Told, consoleUrl: string | undefined): string[] {
  if (content.kind === 'test') return [`${content.by} sent this to test the channel. Nothing is wrong.`]
  return content.changes.flatMap((change, index) => [
    ...(index > 0 ? [''] : []),
    ...aboutChange(change, consoleUrl),
  ])
}

function aboutChange({ change, alert }: AlertChange, consoleUrl: string | undefined): string[] {
  const { id, title, text, severity, region, since, openedAt, resolvedAt, acknowledged, action } = alert
  const where = region === null ? '' : `, region ${region}`
  const head = `${capitalized(words[change])}: ${title} (alert ${id}, ${severity}${where})`
  const link = consoleUrl === undefined ? [] : [alertPage(consoleUrl, id)]
  if (change === 'resolved')
    return [head, `${text}. From ${openedAt ?? since} to ${resolvedAt ?? ''}.`, ...link]
  if (change === 'acknowledged' && acknowledged)
    return [
      head,
      `${text}.`,
      `By ${acknowledged.by} until ${acknowledged.until}: ${acknowledged.reason}`,
      ...link,
    ]
  return [head, `${text}, since ${since}.`, action, ...link]
}

const changesIn = (content: MessageContent): readonly AlertChange[] =>
  content.kind === 'test' ? [] : content.changes

const alertPage = (consoleUrl: string, id: number): string => `${consoleUrl}/alerts?alert=${id}`
