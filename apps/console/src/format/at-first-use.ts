/**
 * Creates a value at its first use, and keeps it. The first formatter of `Intl` takes a browser 30 ms or more. Created
 * while the script is loaded, it would delay the first request.
 */
export function atFirstUse<Made>(make: () => Made): () => Made {
  let made: { value: Made } | undefined
  return () => (made ??= { value: make() }).value
}
