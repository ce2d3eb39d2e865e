/**
 * What is made when it is first used, and then kept. The first formatter of `Intl` takes a browser 30 ms or more, which would
 * pass before the first request if it were made while the script is loaded.
 */
export function atFirstUse<Made>(make: () => Made): () => Made {
  let made: { value: Made } | undefined
  return () => (made ??= { value: make() }).value
}
