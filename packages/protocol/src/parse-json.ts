/** Parses JSON without exceptions. A file of its own without schemas, because the console builds none (ADR 49). */

/** Undefined: it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
