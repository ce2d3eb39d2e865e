/** What this process has done since it started, in plain numbers, as Prometheus reads them. */

const names = {
  reports_total: 'Reports taken in.',
  heartbeats_total: 'Heartbeats taken in.',
  strangers_total: 'Messages that were none of ours, by what they were sent as.',
} as const
type Name = keyof typeof names

const prefix = 'imapfleet_control_'

export class Tally {
  readonly #counts = new Map<Name, Map<string, number>>()

  /** `label`: such as `sent_as="report"`. */
  add(name: Name, count = 1, label = ''): void {
    const series = this.#counts.get(name) ?? new Map<string, number>()
    this.#counts.set(name, series.set(label, (series.get(label) ?? 0) + count))
  }

  /** The text format of Prometheus. */
  print(): string {
    return (Object.keys(names) as Name[])
      .flatMap((name) => [
        `# HELP ${prefix}${name} ${names[name]}`,
        `# TYPE ${prefix}${name} counter`,
        ...[...(this.#counts.get(name) ?? [])].map(
          ([label, count]) => `${prefix}${name}${label === '' ? '' : `{${label}}`} ${count}`,
        ),
      ])
      .join('\n')
      .concat('\n')
  }
}
