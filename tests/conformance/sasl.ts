/** The client side of SASL for the scenarios. */
import type { WireClient, WireReply } from './wire.ts'

export const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64')

export async function authenticateLogin(
  client: WireClient,
  name: string,
  secret: string,
): Promise<WireReply> {
  const tag = client.tag()
  client.send(`${tag} AUTHENTICATE LOGIN\r\n`)
  await client.invitation()
  client.send(`${base64(name)}\r\n`)
  await client.invitation()
  client.send(`${base64(secret)}\r\n`)
  return client.reply(tag)
}
