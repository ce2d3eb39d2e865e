/** Translates an imapproxy.conf into a configuration of the edge, and reports what each line became. */
import { closest } from '../closest.ts'
import { redacted } from '../fields.ts'
import { writeKey, type JsonValue, type Layer } from '../layer.ts'
import type { Problem } from '../problem.ts'
import { resolveConfig } from '../resolve.ts'
import type { EdgeConfig } from '../schema.ts'
import {
  keywordNames,
  type GivenValues,
  type Keyword,
  type KeywordRow,
  type Translation,
} from './keyword-row.ts'
import { keywords } from './keywords.ts'
import { parseImapproxyConf, type ConfLine } from './parse.ts'

export { keywordNames, type Keyword, type KeywordRow } from './keyword-row.ts'
export { keywords } from './keywords.ts'

/** What one keyword became. Secrets are already replaced. */
export interface ReportRow {
  keyword: Keyword
  /** From 1; absent if the keyword is not in the file and the default of imapproxy was used. */
  line?: number
  value?: string
  /** Keys with values, such as `upstreams.main.port: 143`; empty if it set none. */
  became: string[]
  note?: string
}

export type ImportedConf =
  { ok: true; document: Layer; config: EdgeConfig; report: ReportRow[] } | { ok: false; problems: Problem[] }

/** A keyword with its translation. Without an entry, the keyword is not in the file. */
interface Translated {
  keyword: Keyword
  entry?: ConfLine
  translation: Translation
}

const table: Record<Keyword, KeywordRow> = keywords

/** Reports all mistakes together, each with its line and keyword. */
export function importImapproxyConf(text: string): ImportedConf {
  const { entries, problems } = parseImapproxyConf(text)
  const translated: Translated[] = []
  const last = new Map(entries.map((entry) => [entry.keyword, entry]))
  const given: GivenValues = Object.fromEntries([...last].map(([keyword, { value }]) => [keyword, value]))

  for (const entry of entries) {
    const { keyword, line } = entry
    const effective = last.get(keyword)!
    if (!isKeyword(keyword)) problems.push({ key: keyword, message: unknownKeyword(keyword), line })
    else if (effective !== entry)
      translated.push({
        keyword,
        entry,
        translation: { set: {}, note: `ignored, because line ${effective.line} sets it again` },
      })
    else {
      const translation = table[keyword].translate(entry.value, given)
      if (translation.ok)
        translated.push({ keyword, entry, translation: withHashNote(translation, entry.value) })
      else problems.push({ key: keyword, message: translation.message, line })
    }
  }
  for (const keyword of keywordNames) {
    const { absent } = table[keyword]
    if (absent && !last.has(keyword)) translated.push({ keyword, translation: absent })
  }

  const document = documentOf(translated)
  const resolved = resolveConfig(document)
  if (resolved.ok && problems.length === 0)
    return { ok: true, document, config: resolved.config, report: translated.map(reportRow) }
  const ofSchema = resolved.ok ? [] : resolved.problems.map((problem) => inTermsOfFile(problem, translated))
  return { ok: false, problems: [...problems, ...ofSchema].sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) }
}

/** One line for an operator: `line 43: listen_port 1143 → listeners.imap.port: 1143 (note)`. */
export function printReportRow({ keyword, line, value, became, note }: ReportRow): string {
  const source = line === undefined ? `(absent) ${keyword}` : `line ${line}: ${keyword} ${value}`
  const target = became.length > 0 ? ` → ${became.join(', ')}` : ''
  return `${source}${target}${note ? (target ? ` (${note})` : ` → ${note}`) : ''}`
}

const isKeyword = (word: string): word is Keyword => Object.hasOwn(table, word)

function unknownKeyword(word: string): string {
  const near = closest(word, keywordNames)
  return `is not a keyword of imapproxy.conf${near ? `; did you mean ${near}?` : ''}`
}

function documentOf(translated: readonly Translated[]): Layer {
  return translated
    .flatMap(({ translation }) => Object.entries(translation.set))
    .reduce<Layer>((document, [key, value]) => writeKey(document, key, value), {})
}

function reportRow({ keyword, entry, translation }: Translated): ReportRow {
  const { secret } = table[keyword]
  return {
    keyword,
    ...(entry && { line: entry.line, value: secret ? redacted : entry.value }),
    became: Object.entries(translation.set).map(
      ([key, value]) => `${key}: ${secret ? redacted : printed(value)}`,
    ),
    ...(translation.note && { note: translation.note }),
  }
}

const printed = (value: JsonValue) =>
  typeof value === 'string' ? value : JSON.stringify(value).replaceAll('"', '')

/** A problem that our schema found, with the keyword and line that set the key. */
function inTermsOfFile({ key, message }: Problem, translated: readonly Translated[]): Problem {
  const source = translated.findLast(({ translation }) =>
    Object.keys(translation.set).some((set) => `${key}.`.startsWith(`${set}.`)),
  )
  return { key: source?.keyword ?? key, message, ...(source?.entry && { line: source.entry.line }) }
}

/** imapproxy replaces a # within a word by a blank, which is probably not intended. */
function withHashNote(translation: Translation, value: string): Translation {
  if (!value.includes('#')) return translation
  const note = 'the # is part of the value; imapproxy reads a blank in its place'
  return { ...translation, note: translation.note ? `${translation.note}; ${note}` : note }
}
