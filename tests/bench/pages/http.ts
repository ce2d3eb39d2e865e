/** An HTTP request on a separate connection: a server may close a kept connection at the moment of the next request. */
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { text as readText } from 'node:stream/consumers'

interface HttpQuestion {
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: string
}

interface HttpAnswer {
  status: number
  headers: IncomingHttpHeaders
  /** One character for each byte. */
  text: string
}

const answerWithinMs = 120_000

export async function askOnce(url: string, question: HttpQuestion = {}): Promise<HttpAnswer> {
  const { method = 'GET', headers = {}, body } = question
  const sent = request(url, { method, agent: false, headers, timeout: answerWithinMs })
  sent.on('timeout', () => sent.destroy(new Error(`${url} did not answer within ${answerWithinMs} ms`)))
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  sent.on('response', resolve).on('error', reject).end(body)
  const response = await promise
  const text = await readText(response.setEncoding('latin1'))
  return { status: response.statusCode ?? 0, headers: response.headers, text }
}
