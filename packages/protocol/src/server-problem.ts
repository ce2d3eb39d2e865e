/** What is wrong with one mail server of an edge, as one of the texts in `degraded` of its heartbeats. */
export interface ServerProblem {
  upstream: string
  reason: string
}

export const serverProblemText = ({ upstream, reason }: ServerProblem): string =>
  `upstream ${upstream}: ${reason}`

/** Undefined: the text is about something else. */
export function serverProblemIn(text: string): ServerProblem | undefined {
  const [, upstream, reason] = /^upstream (\S+): (.*)$/s.exec(text) ?? []
  return upstream === undefined || reason === undefined ? undefined : { upstream, reason }
}
