/** Values of the benchmarks' options. They throw an error with a message for the person who typed them. */

/** Words separated by commas; all that are known if the option is absent. */
export function listOf<T extends string>(option: string, text: string | undefined, known: readonly T[]): T[] {
  if (text === undefined) return [...known]
  return text.split(',').map((word) => {
    const found = known.find((name) => name === word)
    if (!found) throw new Error(`${option} knows ${known.join(', ')}, not ${word}`)
    return found
  })
}

/** A whole number in these bounds. */
export function wholeNumberOf(option: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < min || value > max)
    throw new Error(`${option} must be a whole number from ${min} to ${max}, not ${text}`)
  return value
}
