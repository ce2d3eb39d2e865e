/**
 * Answers to requests that first-requests.ts has made before the console was loaded, by address. Each is used once, those of
 * the same address in the order of the requests.
 */

/** Undefined: the request was not sent, because the one before it failed. */
type FirstAnswer = Promise<Response | undefined>

declare global {
  interface Window {
    firstAnswers?: Map<string, FirstAnswer[]> | undefined
  }
}

const timeoutMs = 30_000

const ask = (path: string): Promise<Response> =>
  fetch(path, {
    // As the client of control asks.
    headers: { accept: 'application/json', 'x-imapfleet-console': '1' },
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  })

/** Requests the first address, and each further address after a successful answer to the previous one. */
export function keepFirstAnswers(paths: readonly string[]): void {
  let last: FirstAnswer | undefined
  for (const path of paths) {
    last = last ? afterSuccess(last, path) : ask(path)
    // The client that takes it handles the error.
    last.catch(() => undefined)
    const address = new URL(path, location.origin).href
    window.firstAnswers ??= new Map()
    window.firstAnswers.set(address, [...(window.firstAnswers.get(address) ?? []), last])
  }
}

const afterSuccess = async (earlier: FirstAnswer, path: string) =>
  (await earlier.catch(() => undefined))?.ok ? await ask(path) : undefined

/** Answers from before the sign-in are not valid after it. */
export function forgetFirstAnswers(): void {
  window.firstAnswers = undefined
}

/** The answer, if there is one that was not taken yet; otherwise the request is sent. */
export const fetchOrTake: typeof fetch = async (input, init) => {
  const address = input instanceof Request ? input.url : String(input)
  const [answer, ...others] = window.firstAnswers?.get(address) ?? []
  if (others.length > 0) window.firstAnswers?.set(address, others)
  else window.firstAnswers?.delete(address)
  const taken = init?.method === 'GET' ? await answer : undefined
  return taken ?? (await fetch(input, init))
}
