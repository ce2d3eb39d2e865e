/**
 * One attempt to send a message. A webhook is signed as Standard Webhooks defines it: HMAC-SHA-256 over id, time and body.
 * Redirects are not followed: they could lead to another host than the one that is configured.
 */
import { createHmac } from 'node:crypto'
import { oneLine, reasonOf } from '@imapfleet/observe'
import { createTransport } from 'nodemailer'
import type { AlertChannel, ChatChannel, MailChannel, WebhookChannel } from './channels.ts'
import type { MessageContent } from './content.ts'
import { chatBody, alertMail, webhookBody } from './message-text.ts'

export interface OutgoingMessage {
  id: string
  at: Date
  content: MessageContent
}

interface SendOptions {
  consoleUrl: string | undefined
  /** Milliseconds since 1970, for the signature. */
  now: number
}

/** For an answer, and for each step of SMTP. */
export const attemptTimeoutMs = 10_000

/** `remark`: it was sent, but not to all recipients. */
export type SendOutcome = { ok: true; remark?: string } | { ok: false; reason: string }

export async function sendMessage(
  channel: AlertChannel,
  message: OutgoingMessage,
  options: SendOptions,
): Promise<SendOutcome> {
  try {
    switch (channel.kind) {
      case 'webhook':
        return await sendWebhook(channel, message, options)
      case 'chat':
        return await post(channel, chatBody(message, options.consoleUrl), {})
      case 'mail':
        return await sendMail(channel, message, options)
    }
  } catch (error) {
    return { ok: false, reason: oneLine(reasonOf(error), 300) }
  }
}

async function sendWebhook(
  channel: WebhookChannel,
  message: OutgoingMessage,
  { consoleUrl, now }: SendOptions,
): Promise<SendOutcome> {
  const body = webhookBody(message, consoleUrl)
  const timestamp = String(Math.floor(now / 1000))
  return await post(channel, body, {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signatureOf(channel.secret, `${message.id}.${timestamp}.${body}`)}`,
  })
}

const signatureOf = (secret: Buffer, signed: string): string =>
  createHmac('sha256', secret).update(signed).digest('base64')

async function post(
  { url }: WebhookChannel | ChatChannel,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<SendOutcome> {
  const answer = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'user-agent': 'imapfleet-control', ...headers },
    redirect: 'manual',
    signal: AbortSignal.timeout(attemptTimeoutMs),
  })
  await answer.body?.cancel()
  return answer.ok ? { ok: true } : { ok: false, reason: `it answered ${answer.status}` }
}

async function sendMail(
  channel: MailChannel,
  message: OutgoingMessage,
  { consoleUrl }: SendOptions,
): Promise<SendOutcome> {
  const { host, port, security, user, password, ca, from, to } = channel
  const transport = createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
    ...(ca !== undefined && { tls: { ca } }),
    connectionTimeout: attemptTimeoutMs,
    greetingTimeout: attemptTimeoutMs,
    socketTimeout: attemptTimeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  try {
    const sent = await transport.sendMail({
      from,
      to: [...to],
      ...alertMail(message, consoleUrl),
      // The same for each attempt, so that a repetition can be recognized.
      messageId: `<${message.id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
      date: message.at,
      headers: { 'auto-submitted': 'auto-generated' },
    })
    const refused = sent.rejected.map(String)
    return refused.length === 0
      ? { ok: true }
      : { ok: true, remark: `refused for ${oneLine(refused.join(', '), 200)}` }
  } finally {
    transport.close()
  }
}
