/** Answers to requests that first-requests.ts has made before the console was loaded, by address. Each is used once. */

declare global {
  interface Window {
    firstAnswers?: Map<string, Promise<Response>> | undefined
  }
}

const timeoutMs = 30_000

/** Requests the first address, and each further address after a successful answer to the previous one. */
export async function keepFirstAnswer(path: string, ...next: readonly string[]): Promise<void> {
  const asked = fetch(path, {
    // As the client of control asks.
    headers: { accept: 'application/json', 'x-imapfleet-console': '1' },
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  })
  window.firstAnswers ??= new Map()
  window.firstAnswers.set(new URL(path, location.origin).href, asked)
  // The client that takes it handles the error.
  const answer = await asked.catch(() => undefined)
  const [first, ...others] = next
  if (answer?.ok && first !== undefined) await keepFirstAnswer(first, ...others)
}

/** Answers from before the sign-in are not valid after it. */
export function forgetFirstAnswers(): void {
  window.firstAnswers = undefined
}

/** The answer, if there is one that was not taken yet; otherwise the request is sent. */
export const fetchOrTake: typeof fetch = async (input, init) => {
  const address = input instanceof Request ? input.url : String(input)
  const answer = init?.method === 'GET' ? window.firstAnswers?.get(address) : undefined
  window.firstAnswers?.delete(address)
  return await (answer ?? fetch(input, init))
}
