/** An imapproxy.conf as it is to a document for our own loader, with an account of what each of its lines became. */
import { closest } from '../closest.ts'
import { redacted } from '../fields.ts'
import { writeKey, type JsonValue, type Layer } from '../layer.ts'
import { resolveConfig } from '../load.ts'
import type { Problem } from '../problem.ts'
import type { EdgeConfig } from '../schema.ts'
import { keywords } from './keywords.ts'
import { parseImapproxyConf, type Entry } from './parse.ts'
import { keywordNames, type Given, type Keyword, type Outcome, type Row } from './row.ts'

export { keywords } from './keywords.ts'
export { keywordNames, type Keyword, type Row } from './row.ts'

/** What one keyword became. Secrets are already replaced. */
export interface ReportRow {
  keyword: Keyword
  /** From 1; absent: the keyword is not in the file, and imapproxy's own default holds. */
  line?: number
  value?: string
  /** `upstreams.main.port: 143`; empty: nothing in our configuration. */
  became: string[]
  note?: string
}

export type Imported =
  { ok: true; document: Layer; config: EdgeConfig; report: ReportRow[] } | { ok: false; problems: Problem[] }

/** One keyword with what came of it: of a line in the file, or of its absence. */
interface Taken {
  keyword: Keyword
  entry?: Entry
  outcome: Outcome
}

const table: Record<Keyword, Row> = keywords

export function importImapproxyConf(text: string): Imported {
  const { entries, problems } = parseImapproxyConf(text)
  const taken: Taken[] = []
  const last = new Map(entries.map((entry) => [entry.keyword, entry]))
  const given: Given = Object.fromEntries([...last].map(([keyword, { value }]) => [keyword, value]))

  for (const entry of entries) {
    const { keyword, line } = entry
    const winner = last.get(keyword)!
    if (!isKeyword(keyword)) problems.push({ key: keyword, message: unknown(keyword), line })
    else if (winner !== entry)
      taken.push({ keyword, entry, outcome: { set: {}, note: `overridden by line ${winner.line}` } })
    else {
      const outcome = table[keyword].interpret(entry.value, given)
      if (outcome.ok) taken.push({ keyword, entry, outcome: withHashNote(outcome, entry.value) })
      else problems.push({ key: keyword, message: outcome.message, line })
    }
  }
  for (const keyword of keywordNames) {
    const { absent } = table[keyword]
    if (absent && !last.has(keyword)) taken.push({ keyword, outcome: absent })
  }

  const document = documentOf(taken)
  const resolved = resolveConfig(document)
  if (resolved.ok && problems.length === 0)
    return { ok: true, document, config: resolved.config, report: taken.map(reportRow) }
  const outOfBounds = resolved.ok ? [] : resolved.problems.map((problem) => inWordsOfTheFile(problem, taken))
  return { ok: false, problems: [...problems, ...outOfBounds].sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) }
}

/** One line for an operator: `line 43: listen_port 1143 → listeners.imap.port: 1143 (note)`. */
export function printReportRow({ keyword, line, value, became, note }: ReportRow): string {
  const source = line === undefined ? `(absent) ${keyword}` : `line ${line}: ${keyword} ${value}`
  const target = became.length > 0 ? ` → ${became.join(', ')}` : ''
  return `${source}${target}${note ? (target ? ` (${note})` : ` → ${note}`) : ''}`
}

const isKeyword = (word: string): word is Keyword => Object.hasOwn(table, word)

function unknown(keyword: string): string {
  const near = closest(keyword, keywordNames)
  return `is not a keyword of imapproxy.conf${near ? `; did you mean ${near}?` : ''}`
}

function documentOf(taken: readonly Taken[]): Layer {
  return taken
    .flatMap(({ outcome }) => Object.entries(outcome.set))
    .reduce<Layer>((made, [key, value]) => writeKey(made, key, value), {})
}

function reportRow({ keyword, entry, outcome }: Taken): ReportRow {
  const { secret } = table[keyword]
  return {
    keyword,
    ...(entry && { line: entry.line, value: secret ? redacted : entry.value }),
    became: Object.entries(outcome.set).map(
      ([key, value]) => `${key}: ${secret ? redacted : printed(value)}`,
    ),
    ...(outcome.note && { note: outcome.note }),
  }
}

const printed = (value: JsonValue) =>
  typeof value === 'string' ? value : JSON.stringify(value).replaceAll('"', '')

/** What our own bounds refuse is told by keyword and line. */
function inWordsOfTheFile({ key, message }: Problem, taken: readonly Taken[]): Problem {
  const source = taken.findLast(({ outcome }) =>
    Object.keys(outcome.set).some((set) => `${key}.`.startsWith(`${set}.`)),
  )
  return { key: source?.keyword ?? key, message, ...(source?.entry && { line: source.entry.line }) }
}

/** imapproxy turns a # inside a word into a blank, which nobody can have meant. */
function withHashNote(outcome: Outcome, value: string): Outcome {
  if (!value.includes('#')) return outcome
  const note = 'the # is part of the value; imapproxy reads a blank there'
  return { ...outcome, note: outcome.note ? `${outcome.note}; ${note}` : note }
}
