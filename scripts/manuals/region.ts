/** A generated part of a hand-written page, between two comments. */

export interface Manual {
  /** The page, from the root of the repository. */
  file: string
  /** The name in its comments. */
  region: string
  /** The text between them. */
  text(): string
}

const begin = (region: string) =>
  `<!-- ${region}: made by \`npm run manuals\` -->\n\n<!-- prettier-ignore-start -->`
const end = (region: string) => `<!-- prettier-ignore-end -->\n\n<!-- end of ${region} -->`

/** The page with its region replaced, or undefined if it has none. */
export function withRegion(page: string, { region, text }: Manual): string | undefined {
  const from = page.indexOf(begin(region))
  const to = page.indexOf(end(region))
  if (from < 0 || to < from) return undefined
  return `${page.slice(0, from)}${begin(region)}\n\n${text().trim()}\n\n${page.slice(to)}`
}

/** A table in Markdown. */
export function markdownTable(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
